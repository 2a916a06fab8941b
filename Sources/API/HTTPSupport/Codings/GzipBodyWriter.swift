import HTTPTypes
import Hummingbird
import NIOCore

/// Compresses what is written of a body and writes it on, at the pace of the peer. Used by one task at a time, and never
/// shared.
final class GzipBodyWriter: ResponseBodyWriter {
    /// Bytes compressed in one go, and about how many are collected before they are written on.
    private static let pieceBytes = 64 << 10

    private var writer: any ResponseBodyWriter
    private var encoder: GzipEncoder
    private var output = ByteBuffer()

    /// - Parameter writer: takes the compressed body. Throws `.unavailable` when there is no memory.
    init(_ writer: any ResponseBodyWriter) throws(HTTPFailure) {
        self.writer = writer
        encoder = try GzipEncoder()
    }

    func write(_ buffer: ByteBuffer) async throws {
        var rest = buffer.readableBytesView
        while !rest.isEmpty {
            encoder.add(rest.prefix(Self.pieceBytes), to: &output)
            rest = rest.dropFirst(Self.pieceBytes)
            if output.readableBytes >= Self.pieceBytes { try await flush() }
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        encoder.finish(&output)
        try await flush()
        try await writer.finish(trailingHeaders)
    }

    private func flush() async throws {
        let ready = output
        output = ByteBuffer()
        try await writer.write(ready)
    }
}
