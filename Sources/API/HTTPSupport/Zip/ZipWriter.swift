import HTTPTypes
import Hummingbird
import NIOCore

/// Writes files into a body as one ZIP archive, at the pace of the peer. Used by one task at a time, and never shared.
///
/// What is given to it as a ``ResponseBodyWriter`` is content of the file that was begun; its end does not end the body.
package final class ZipWriter: ResponseBodyWriter {
    private var writer: any ResponseBodyWriter
    private var framing = ZipFraming()

    package init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    /// Bytes in memory for the directory.
    package var directoryBytes: Int { framing.directoryBytes }

    /// Begins a file; see ``ZipFraming/fileHead(name:count:)``.
    package func begin(_ name: String, count: Int64?) async throws {
        try await writer.write(try framing.fileHead(name: name, count: count))
    }

    package func write(_ buffer: ByteBuffer) async throws {
        try framing.add(buffer)
        try await writer.write(buffer)
    }

    /// Ends the file that was begun.
    package func end() async throws { try await writer.write(framing.fileEnd()) }

    /// Writes what ends the archive. Without it the archive is seen to be broken.
    package func endArchive() async throws { try await writer.write(framing.end) }

    package consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
