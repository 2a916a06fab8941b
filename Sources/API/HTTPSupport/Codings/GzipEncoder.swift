import CZlib
import HTTPTypes
import NIOCore

/// Content being compressed as it comes. Holds about 270 KB, whatever the content. RFC 1952.
///
/// `@unchecked Sendable` is sound: the value cannot be copied, so the zlib state it points to has one owner at any time,
/// and zlib keeps nothing in thread-local storage.
struct GzipEncoder: ~Copyable, @unchecked Sendable {
    /// The fastest: level 6 takes three times as long for resources that are a seventh smaller.
    private static let level: Int32 = 1
    /// zlib's name for a window of 32 KiB inside of gzip's frame.
    private static let windowBits: Int32 = 15 + 16
    private static let roomBytes = 16 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    /// Throws `.unavailable` when there is no memory.
    init() throws(HTTPFailure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard hilum_deflateInit2(stream, Self.level, Self.windowBits) == Z_OK else {
            throw HTTPFailure(.unavailable, "There is no memory to compress the answer", headers: [.retryAfter: "2"])
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Compresses the next bytes, less than 4 GiB, and appends what comes of them; some of it stays inside until more come.
    mutating func add(_ bytes: ByteBufferView, to output: inout ByteBuffer) { run(bytes, Z_NO_FLUSH, &output) }

    /// Appends what is left, and the end of the stream.
    mutating func finish(_ output: inout ByteBuffer) { run(ByteBufferView(), Z_FINISH, &output) }

    private mutating func run(_ bytes: ByteBufferView, _ flush: Int32, _ output: inout ByteBuffer) {
        let stream = stream
        bytes.withUnsafeBytes { input in
            // zlib reads through this pointer only; its type lacks the const.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(input.count)
            var hasMore = true
            while hasMore {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.roomBytes) { room in
                    let count = min(room.count, 1 << 30)
                    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(count)
                    let result = deflate(stream, flush)
                    hasMore = flush == Z_FINISH ? result == Z_OK : stream.pointee.avail_out == 0
                    return count - Int(stream.pointee.avail_out)
                }
            }
        }
        stream.pointee.next_in = nil
    }

    /// Bytes that are at hand, compressed.
    static func whole(_ bytes: ByteBuffer) throws(HTTPFailure) -> ByteBuffer {
        var encoder = try GzipEncoder()
        var output = ByteBuffer()
        encoder.add(bytes.readableBytesView, to: &output)
        encoder.finish(&output)
        return output
    }
}
