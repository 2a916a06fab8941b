import HTTPSupport

/// An error of the token endpoint. RFC 6749 §5.2.
package enum OAuthError: String, Error, Sendable, Hashable {
    case invalidRequest = "invalid_request"
    case invalidClient = "invalid_client"
    case unsupportedGrantType = "unsupported_grant_type"
    case invalidScope = "invalid_scope"
    case serverError = "server_error"
    case temporarilyUnavailable = "temporarily_unavailable"
}

/// Errors of the SMART API in the form of RFC 6749 §5.2.
package struct OAuthErrorBody: ErrorBody {
    package init() {}

    package func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (
        contentType: String, bytes: [UInt8]
    ) {
        let error: OAuthError =
            switch failure.code {
            case .unauthenticated, .insufficientScope: .invalidClient
            case .internal: .serverError
            case .unavailable, .tooManyRequests, .insufficientStorage: .temporarilyUnavailable
            default: .invalidRequest
            }
        return ("application/json", OAuthErrorBody.json(error, failure.message))
    }

    static func json(_ error: OAuthError, _ description: String) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("error", error.rawValue)
            json.member("error_description", description)
        }
        return json.bytes
    }
}
