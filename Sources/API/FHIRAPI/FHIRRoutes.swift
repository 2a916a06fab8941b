import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Workflow

/// The FHIR base as routes. `openapi/fhir.yaml` is compared with this table.
package struct FHIRRoutes: Sendable {
    private let service: FHIRService
    private let blobs: any BlobStoring
    private let pages: FHIRPages?

    /// - Parameters:
    ///   - blobs: where the files of exports are.
    ///   - pages: for people in a browser; nil where nobody can sign in.
    package init(service: FHIRService, blobs: any BlobStoring, pages: FHIRPages? = nil) {
        self.service = service
        self.blobs = blobs
        self.pages = pages
    }

    /// The routes of FHIR R4 http.html and of Bulk Data 2.0 below `/fhir`, errors as OperationOutcomes; to a browser as pages,
    /// where there are pages.
    package var group: RouteGroup {
        RouteGroup(
            name: "fhir", prefix: "/fhir", errorBody: FHIRErrorBody(),
            pageErrorBody: pages == nil ? nil : FHIRPages.errorBody,
            routes: Interaction.all.map(route) + (pages.map { [$0.start(service)] } ?? []))
    }

    /// The service answers a missing scope itself, as an OperationOutcome with its audit row; the route asks for a token.
    private func route(_ interaction: Interaction) -> Route {
        Route(
            interaction.method, interaction.template == "/" ? "/fhir" : "/fhir" + interaction.template,
            operationID: interaction.name,
            access: interaction.isOpen ? .open : .bearer(.anyToken), isSafe: interaction.isSafe,
            fromMemory: interaction.name == "read" ? ReadFromMemory(service: service) : nil,
            page: pages?.page(of: interaction, service)
        ) { try await answer($0, interaction) }
    }

    private func answer(_ request: APIRequest, _ interaction: Interaction) async throws -> Response {
        var body: [UInt8] = []
        if interaction.hasBody {
            let buffer = try await request.collectBody()
            body = Array(buffer.readableBytesView)
        }
        var query: [(name: String, value: String)] = []
        // FHIR clients write a query as a form does, as POST _search sends it: `+` is a space. An instant's `+` is
        // written %2B. FHIR R4 search.html#escaping, http.html#search.
        if !request.rawQuery.isEmpty { query = try request.query(plusIsSpace: true).map { ($0.name, $0.value) } }
        let answer = await service.respond(
            to: FHIRCall(
                parameters: request.parameters, path: String(request.path.dropFirst("/fhir/".count)), query: query,
                rawQuery: request.rawQuery, headers: request.headers, body: body, access: request.access),
            by: interaction)
        if let failure = answer.failure {
            request.logger.error(
                "request failed",
                metadata: ["request": .string(request.access.requestID), "error": .string(failure)])
        }
        return response(answer)
    }

    static func fields(_ answer: FHIRResponse) -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let field = names[name] ?? HTTPField.Name(name) { headers.append(HTTPField(name: field, value: value)) }
        }
        return headers
    }

    /// The names that most answers have, read once.
    private static let names: [String: HTTPField.Name] = [
        "ETag": .eTag, "Last-Modified": .lastModified, "Content-Type": .contentType,
    ]

    private func response(_ answer: FHIRResponse) -> Response {
        let headers = Self.fields(answer)
        let status = HTTPResponse.Status(code: answer.status)
        switch answer.body {
        case .none: return Response(status: status, headers: headers)
        case .bytes(let bytes):
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .blob(let id, let count):
            return Response(status: status, headers: headers, body: stream(id, from: 0, count: count))
        case .blobPart(let id, let range):
            return Response(
                status: status, headers: headers, body: stream(id, from: range.offset, count: range.count))
        }
    }

    /// Bytes of a file that are read and sent at a time.
    private static let pieceBytes: Int64 = 128 << 10
    private static let buffers = RecycledBuffers(countMax: 8)

    /// A blob piece by piece; a failure in the middle breaks the body, it never ends well by mistake.
    private func stream(_ id: BlobID, from start: Int64, count: Int64) -> ResponseBody {
        let blobs = blobs
        return ResponseBody(contentLength: Int(count)) { writer in
            let reader = try await blobs.open(id)
            var offset = start
            let end = start + count
            guard start >= 0, end <= reader.count else {
                throw StoreError(.corrupt, "a blob is shorter than its row says")
            }
            while offset < end {
                let (place, length) = (offset, Int(min(Self.pieceBytes, end - offset)))
                let piece = try await reader.perform {
                    try Self.buffers.filled(length) { try reader.fill($0, at: place) }
                }
                offset += Int64(length)
                try await writer.write(piece)
            }
            try await writer.finish(nil)
        }
    }
}

/// Errors before an interaction is reached, as OperationOutcome. FHIR R4 http.html#Status-Codes.
struct FHIRErrorBody: ErrorBody {
    /// Errors of the store outside of an exchange.
    func failure(for error: any Error) -> HTTPFailure? {
        guard let error = error as? StoreError else { return nil }
        return switch error.code {
        case .unavailable, .closed, .failed:
            HTTPFailure(.unavailable, "the store is not available now; try again", headers: [.retryAfter: "2"])
        case .throttled:
            HTTPFailure(
                .tooManyRequests, "too many searches of this client are under way; try again when some have ended",
                headers: [.retryAfter: "2"])
        case .costly:
            HTTPFailure(
                .unavailable,
                "the search took more time or read more than it may; narrow it, or try again when there is less load",
                headers: [.retryAfter: "5"])
        case .full: HTTPFailure(.insufficientStorage, "there is no space left in the store")
        case .conflict: HTTPFailure(.conflict, "another change was made at the same time; try again")
        case .notFound: HTTPFailure(.notFound, "not found")
        case .unacceptable: HTTPFailure(.malformed, "a value holds what no string may hold")
        case .misuse, .corrupt: nil
        }
    }

    /// An operation or a compartment search where no route is: legal FHIR that this server does not do, named.
    /// FHIR R4 operations.html, http.html#vsearch.
    func failure(unmatched path: String) -> HTTPFailure? {
        let parts = path.split(separator: "/").dropFirst().map { String($0) }
        guard let last = parts.last else { return nil }
        if last.hasPrefix("$") || last.lowercased().hasPrefix("%24") { return Self.noOperation(parts) }
        let definitions = FHIRDefinitions.r4
        if parts.count == 3, definitions.isResourceType(parts[0]), definitions.isResourceType(last) {
            return HTTPFailure(
                .notImplemented, "A search of \(last) in the compartment of one \(parts[0]) is not supported")
        }
        return nil
    }

    /// - Parameter path: below the base; the last part is the operation's name with its `$`.
    static func noOperation(_ path: [String]) -> HTTPFailure {
        let last = path.last ?? ""
        let name = last.dropFirst(last.hasPrefix("$") ? 1 : 3).unicodeScalars.prefix(64).filter {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains($0))
        }
        let place = path.count > 1 && FHIRDefinitions.r4.isResourceType(path[0]) ? " on \(path[0])" : ""
        return HTTPFailure(
            .notImplemented,
            "The operation $\(String(String.UnicodeScalarView(name)))\(place) is not supported; /fhir/metadata lists what is"
        )
    }

    func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (contentType: String, bytes: [UInt8]) {
        (
            "application/fhir+json; charset=utf-8",
            OperationOutcome(.error, Self.issue(failure.code), details: failure.message).bytes
        )
    }

    static func issue(_ code: HTTPFailure.Code) -> OperationOutcome.Code {
        switch code {
        case .unauthenticated: .login
        case .insufficientScope: .forbidden
        case .notFound: .notFound
        case .gone: .deleted
        case .methodNotAllowed, .notImplemented, .unsupportedMediaType, .notAcceptable, .expectationFailed,
            .versionNotSupported:
            .notSupported
        case .tooLarge, .targetTooLong, .headersTooLarge: .tooLong
        case .tooManyRequests: .throttled
        case .timeout: .timeout
        case .conflict, .preconditionFailed: .conflict
        case .unavailable: .transient
        case .insufficientStorage: .noStore
        case .malformed, .lengthRequired, .unprocessable: .invalid
        case .internal: .exception
        }
    }
}
