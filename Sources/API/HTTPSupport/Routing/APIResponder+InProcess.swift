import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The answer to a request made inside the process, its body collected.
package struct CollectedResponse: Sendable {
    package let status: Int
    package let headers: HTTPFields
    package let body: [UInt8]
    package subscript(_ name: HTTPField.Name) -> String? { headers[name] }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

extension APIResponder {
    /// Answers a request without a socket, through the same route, token and limits as one from outside.
    /// Throws what the body's writer throws.
    package func answer(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: [UInt8] = [],
        sourceAddress: String? = nil
    ) async throws -> CollectedResponse {
        try await answer(
            method, target, headers: headers, body: RequestBody(buffer: ByteBuffer(bytes: body)),
            sourceAddress: sourceAddress)
    }

    /// As ``answer(_:_:headers:body:sourceAddress:)`` with a body that arrives in pieces.
    package func answer(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: RequestBody,
        sourceAddress: String? = nil
    ) async throws -> CollectedResponse {
        let head = HTTPRequest(method: method, scheme: nil, authority: nil, path: target, headerFields: headers)
        let origin = Origin(
            sourceAddress: sourceAddress, isLoopback: HTTPContext.isLoopback(sourceAddress),
            logger: Logger(label: "hilum.http"))
        let response = await answer(head: head, body: body, origin: origin)
        let collected = ByteCollector()
        try await response.body.write(collected)
        return CollectedResponse(
            status: response.status.code, headers: response.headers, body: Array(collected.buffer.readableBytesView))
    }
}

/// Keeps what a response body writes. Used by one task at a time, and never shared.
private final class ByteCollector: ResponseBodyWriter {
    private(set) var buffer = ByteBuffer()
    func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        self.buffer.writeBuffer(&buffer)
    }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
