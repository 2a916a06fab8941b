import HTTPTypes

/// A request that is answered with an error, before the API's own form is given to it.
///
/// Two failures are equal when their codes are.
package struct HTTPFailure: Error, Hashable, Sendable {
    /// What went wrong; each maps to one status.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case malformed, unauthenticated, insufficientScope, notFound, methodNotAllowed, notAcceptable, timeout
        case conflict, gone, lengthRequired, preconditionFailed, tooLarge, targetTooLong, unsupportedMediaType
        case unprocessable, headersTooLarge, tooManyRequests, `internal`, notImplemented, unavailable
        case insufficientStorage, expectationFailed, versionNotSupported

        package var status: HTTPResponse.Status {
            switch self {
            case .malformed: .badRequest
            case .unauthenticated: .unauthorized
            case .insufficientScope: .forbidden
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .notAcceptable: .notAcceptable
            case .timeout: .requestTimeout
            case .conflict: .conflict
            case .gone: .gone
            case .lengthRequired: .lengthRequired
            case .preconditionFailed: .preconditionFailed
            case .tooLarge: .contentTooLarge
            case .targetTooLong: .uriTooLong
            case .unsupportedMediaType: .unsupportedMediaType
            case .unprocessable: .unprocessableContent
            case .headersTooLarge: .requestHeaderFieldsTooLarge
            case .tooManyRequests: .tooManyRequests
            case .internal: .internalServerError
            case .notImplemented: .notImplemented
            case .unavailable: .serviceUnavailable
            case .expectationFailed: .expectationFailed
            case .versionNotSupported: .init(code: 505, reasonPhrase: "HTTP Version Not Supported")
            case .insufficientStorage: .init(code: 507, reasonPhrase: "Insufficient Storage")
            }
        }
    }

    package let code: Code
    /// For the caller: what is wrong with the request, never a value of a patient.
    package let message: String
    /// Added to the response: `WWW-Authenticate`, `Allow`, `Retry-After`.
    package var headers: HTTPFields
    /// Whether the rest of the body cannot be read, so that the connection ends with the answer.
    package let closesConnection: Bool

    package init(_ code: Code, _ message: String, headers: HTTPFields = [:], closesConnection: Bool = false) {
        self.code = code
        self.message = message
        self.headers = headers
        self.closesConnection = closesConnection
    }

    package static func == (a: HTTPFailure, b: HTTPFailure) -> Bool { a.code == b.code }
    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// How one API words its errors: OperationOutcome, OAuth error, DICOMweb status report, problem JSON.
package protocol ErrorBody: Sendable {
    /// Translates an error of a layer below; nil for the unexpected, which becomes a bland 500.
    func failure(for error: any Error) -> HTTPFailure?
    /// What to say of a path that no route takes, or not by this method; nil for the usual 404 or 405.
    /// - Parameter path: as sent, from the root.
    func failure(unmatched path: String) -> HTTPFailure?
    /// The body of an error answer. `accept` is the caller's Accept header.
    func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (contentType: String, bytes: [UInt8])
}

extension ErrorBody {
    package func failure(for error: any Error) -> HTTPFailure? { nil }
    package func failure(unmatched path: String) -> HTTPFailure? { nil }
}

/// RFC 9457 problem details, the form of the operator's API and of paths that belong to no API.
package struct ProblemJSON: ErrorBody {
    package init() {}
    package func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (
        contentType: String, bytes: [UInt8]
    ) {
        var json = JSONText()
        json.object { json in
            json.member("title", failure.code.rawValue)
            json.member("status", failure.code.status.code)
            json.member("detail", failure.message)
            json.member("instance", "urn:hilum:request:" + requestID)
        }
        return ("application/problem+json", json.bytes)
    }
}
