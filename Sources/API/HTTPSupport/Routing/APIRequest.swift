import Access
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// One request as a handler sees it: matched, authenticated, within the limits of the head, its body not yet read.
package struct APIRequest: Sendable {
    /// As sent.
    package let method: HTTPRequest.Method
    /// The path as sent, still percent-encoded, without the query.
    package let path: String
    /// The text after `?`, still encoded; empty when there is none.
    package let rawQuery: String
    /// As sent, in order.
    package let headers: HTTPFields
    /// What the segments of the route's template stand for.
    package let parameters: PathParameters
    /// The bytes of the body as they arrive; ``collectBody(limit:)`` and ``plainBody()`` read them, once.
    private let body: RequestBody
    /// The caller's rights; anonymous without scopes on an open route.
    package let access: AccessContext
    /// How the body of the answer may send ranges of files; nil where the connection takes bytes only.
    package let files: FileConnection?
    /// What the connection may become, and how the rights of its caller stand since; nil for routes that are no socket's,
    /// and in the process.
    package let socket: Socket?
    /// Of the server, for what is still to be read.
    package let limits: HTTPLimits
    /// For a body in memory, as long as the request is worked on; nil where none is bounded.
    package let memory: MemoryReservation?
    /// For what a handler has to say beside its answer.
    package let logger: Logger

    /// What a handler needs to answer 101: the socket that the connection becomes, and how its caller is looked at again.
    /// RFC 6455 §4.2.
    package struct Socket: Sendable {
        /// The connection's frames once 101 is answered.
        package let events: EventSocket
        private let identify: @Sendable () async throws(HTTPFailure) -> AccessContext

        /// - Parameter identify: looks at the caller's token and rights again.
        package init(
            _ events: EventSocket, identify: @escaping @Sendable () async throws(HTTPFailure) -> AccessContext
        ) {
            self.events = events
            self.identify = identify
        }

        /// How the caller stands now: by the rights of the route, and by what is asked of them beside.
        package func standing(_ isEnough: @Sendable (AccessContext) -> Bool) async -> EventSocket.Standing {
            do throws(HTTPFailure) { return isEnough(try await identify()) ? .allowed : .ended } catch {
                return error.code == .unavailable ? .unknown : .ended
            }
        }
    }

    /// The same in the answer, the log and the audit row.
    package var requestID: String { access.requestID }
    /// The peer's IP address; nil where there is none.
    package var sourceAddress: String? { access.sourceAddress }

    /// Also for calls without a socket, hence the defaults.
    package init(
        method: HTTPRequest.Method, path: String, rawQuery: String = "", headers: HTTPFields = [:],
        parameters: PathParameters = PathParameters(), body: RequestBody = RequestBody(buffer: ByteBuffer()),
        access: AccessContext, files: FileConnection? = nil, socket: Socket? = nil, limits: HTTPLimits = HTTPLimits(),
        memory: MemoryReservation? = nil, logger: Logger = Logger(label: "hilum.http")
    ) {
        self.method = method
        self.path = path
        self.rawQuery = rawQuery
        self.headers = headers
        self.parameters = parameters
        self.body = body
        self.access = access
        self.files = files
        self.socket = socket
        self.limits = limits
        self.memory = memory
        self.logger = logger
    }

    /// The same for an answer whose bytes all go through this process.
    package var withoutFiles: APIRequest {
        APIRequest(
            method: method, path: path, rawQuery: rawQuery, headers: headers, parameters: parameters, body: body,
            access: access, limits: limits, memory: memory, logger: logger)
    }

    /// The same as another request without a body: for an answer that another route gives.
    package func with(
        parameters: PathParameters, rawQuery: String, headers: HTTPFields
    ) -> APIRequest {
        APIRequest(
            method: method, path: path, rawQuery: rawQuery, headers: headers, parameters: parameters, access: access,
            files: files, limits: limits, memory: memory, logger: logger)
    }

    /// The query in order, decoded. Throws `.malformed` for a bad escape or bytes that are not UTF-8.
    ///
    /// - Parameter plusIsSpace: whether the URL is made like a form, as FHIR clients do; `+` is itself otherwise.
    package func query(plusIsSpace: Bool = false) throws(HTTPFailure) -> QueryParameters {
        try QueryParameters(rawQuery, countMax: limits.queryParametersMax, plusIsSpace: plusIsSpace)
    }

    /// The media type of the body; nil when the header is absent. Throws `.malformed`.
    package func contentType() throws(HTTPFailure) -> MediaType? {
        guard let text = headers[.contentType] else { return nil }
        guard let type = MediaType(text) else { throw HTTPFailure(.malformed, "Content-Type is not a media type") }
        return type
    }

    /// The whole body, inflated where it is compressed. Throws `.tooLarge` one byte past the limit, as it was sent or as
    /// it is inflated; `.unavailable` when there is no memory for it now, as it comes and not as it was announced;
    /// `.unsupportedMediaType` for another coding than gzip, `.malformed` for what is none; and, by ``BodyPaceHandler``,
    /// `.timeout` when it drips.
    package func collectBody(limit: Int? = nil) async throws -> ByteBuffer {
        let limit = limit ?? limits.bodyBytesMax
        let coding = try ContentCoding(of: headers)
        if let declared = headers[.contentLength], let length = Int(declared), length > limit {
            throw CollectedBody.tooLarge(limit)
        }
        var whole = CollectedBody(limit: limit, memory: memory)
        switch coding {
        case .identity: for try await chunk in body { try whole.append(chunk) }
        case .gzip:
            var decoder = try GzipDecoder()
            var sent = 0
            for try await chunk in body {
                sent += chunk.readableBytes
                guard sent <= limit else { throw CollectedBody.tooLarge(limit) }
                try decoder.add(chunk) { (piece) throws(HTTPFailure) in try whole.append(piece) }
            }
            try decoder.finish()
        }
        return whole.bytes
    }

    /// Whether the body says that it is a form. Throws `.malformed` where what it says is no media type.
    package func isForm() throws(HTTPFailure) -> Bool {
        try contentType()?.essence == "application/x-www-form-urlencoded"
    }

    /// The fields of a form that is the body. Throws `.unsupportedMediaType` for another body, and what
    /// ``collectBody(limit:)`` and ``QueryParameters`` throw.
    ///
    /// - Parameters:
    ///   - limit: of the body, in bytes.
    ///   - countMax: of the fields.
    package func form(limit: Int, countMax: Int) async throws -> QueryParameters {
        guard try isForm() else {
            throw HTTPFailure(.unsupportedMediaType, "The body must be application/x-www-form-urlencoded")
        }
        return try QueryParameters(
            bytes: Array(try await collectBody(limit: limit).readableBytesView), countMax: countMax)
    }

    /// The body in pieces, for bodies that are read as they come: those are not taken compressed. Throws
    /// `.unsupportedMediaType`.
    package func plainBody() throws(HTTPFailure) -> RequestBody {
        guard try ContentCoding(of: headers) == .identity else { throw ContentCoding.refusal(but: "identity") }
        return body
    }
}
