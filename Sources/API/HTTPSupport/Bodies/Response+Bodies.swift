import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A response whose whole body is at hand.
    package static func bytes(
        _ bytes: [UInt8], contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        .buffer(ByteBuffer(bytes: bytes), contentType: contentType, status: status, headers: headers)
    }

    /// A response whose whole body is at hand as a buffer.
    package static func buffer(
        _ buffer: ByteBuffer, contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = contentType
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: buffer))
    }

    /// A response without a body.
    package static func empty(_ status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        Response(status: status, headers: headers)
    }

    /// A response that is written piece by piece. The writer's `write` waits for the peer, so memory stays bounded.
    /// `contentLength` in bytes where it is known before; else the body is chunked. When `write` throws the connection
    /// is closed without an end of the body. `isBrief` as in ``Route/isBrief``, for the writing.
    package static func stream(
        contentType: String, contentLength: Int? = nil, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        isBrief: Bool = false, _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        var headers = headers
        headers[.contentType] = contentType
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: contentLength) { writer in
                if isBrief {
                    try await write(&writer)
                } else {
                    try await withTaskExecutorPreference(globalConcurrentExecutor) { try await write(&writer) }
                }
                try await writer.finish(nil)
            })
    }
}

extension HTTPField.Name {
    /// The id of a request, echoed or made here.
    package static let xRequestID = HTTPField.Name("X-Request-Id")!
    /// RFC 7240 §2.
    package static let prefer = HTTPField.Name("Prefer")!
    /// RFC 7240 §3.
    package static let preferenceApplied = HTTPField.Name("Preference-Applied")!
    /// How far an export is, in words. FHIR Bulk Data, status request.
    package static let xProgress = HTTPField.Name("X-Progress")!
    /// RFC 7234 §5.5.
    package static let warning = HTTPField.Name("Warning")!
    /// FHIR R4 http.html#ccreate.
    package static let ifNoneExist = HTTPField.Name("If-None-Exist")!
    /// RFC 8288.
    package static let link = HTTPField.Name("Link")!
}
