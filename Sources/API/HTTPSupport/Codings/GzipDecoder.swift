import CZlib
import HTTPTypes
import NIOCore

/// Compressed content being read as it comes. Holds one piece of output and zlib's window of 32 KiB, whatever the stream
/// says that it inflates to. Several members behind one another are one content. RFC 1952 §2.2.
///
/// `@unchecked Sendable` is sound for the reasons given at ``GzipEncoder``.
package struct GzipDecoder: ~Copyable, @unchecked Sendable {
    private static let windowBits: Int32 = 15 + 16
    private static let pieceBytes = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>
    /// Inside of a member, or of nothing yet.
    private var isOpen = false
    /// Where output goes; its memory is used again once nobody holds the piece that was in it.
    private var room = ByteBuffer()

    /// Throws `.unavailable` when there is no memory.
    package init() throws(HTTPFailure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard hilum_inflateInit2(stream, Self.windowBits) == Z_OK else {
            throw HTTPFailure(.unavailable, "There is no memory to read the body", headers: [.retryAfter: "2"])
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Inflates the next bytes and gives what comes of them in pieces of at most 64 KiB, so that whoever takes them can
    /// stop in time. Throws `.malformed`, and what `output` throws.
    package mutating func add(_ bytes: ByteBuffer, _ output: (ByteBuffer) throws(HTTPFailure) -> Void)
        throws(HTTPFailure)
    {
        var rest = bytes.readableBytesView
        var isFull = false
        // A full piece may not be all that comes of what was taken in.
        while !rest.isEmpty || (isOpen && isFull) {
            let (piece, used) = try inflated(rest)
            rest = rest.dropFirst(used)
            isFull = piece.readableBytes == Self.pieceBytes
            if piece.readableBytes > 0 { try output(piece) }
        }
    }

    /// Throws `.malformed` where the content ends inside of a member.
    package func finish() throws(HTTPFailure) {
        if isOpen { throw HTTPFailure(.malformed, "The gzip data of the body ends too early") }
    }

    /// One piece, and how many bytes of the input it took.
    private mutating func inflated(_ bytes: ByteBufferView) throws(HTTPFailure) -> (piece: ByteBuffer, used: Int) {
        let stream = stream
        if !isOpen { inflateReset(stream) }
        var result = Z_OK
        room.clear(minimumCapacity: Self.pieceBytes)
        let used = bytes.withUnsafeBytes { input in
            // zlib reads through this pointer only; its type lacks the const.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(input.count)
            room.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { free in
                let count = min(free.count, Self.pieceBytes)
                stream.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(count)
                result = inflate(stream, Z_NO_FLUSH)
                return count - Int(stream.pointee.avail_out)
            }
            return input.count - Int(stream.pointee.avail_in)
        }
        stream.pointee.next_in = nil
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
            throw HTTPFailure(.malformed, "The body is not gzip data")
        }
        isOpen = result != Z_STREAM_END
        return (room, used)
    }
}
