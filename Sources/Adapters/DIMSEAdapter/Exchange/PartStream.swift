import NIOCore

/// A data set on its way out: one part is held back until it is known whether it is the last, and at most two are on
/// their way to the socket.
struct PartStream {
    private let writer: DataSetWriter
    private(set) var held = ByteBuffer()
    private var inFlight: EventLoopFuture<Void>?

    init(_ writer: DataSetWriter) { self.writer = writer }

    /// A whole part; it goes out when the next one or the end has come.
    mutating func write(_ part: ByteBuffer) async throws {
        guard held.readableBytes > 0 else {
            held = part
            return
        }
        if held.readableBytes & 1 == 1 || held.readableBytes < writer.partBytes / 2 {
            held.writeImmutableBuffer(part)
            guard held.readableBytes >= writer.partBytes else { return }
            // Only the last part may be of odd length: an odd byte waits for the next.
            let odd = held.getSlice(at: held.writerIndex - (held.readableBytes & 1), length: held.readableBytes & 1)
            held.moveWriterIndex(to: held.writerIndex - (held.readableBytes & 1))
            return try await send(odd ?? ByteBuffer())
        }
        try await send(part)
    }

    /// The end of the data set; returns once it went to the socket.
    mutating func finish() async throws {
        try await inFlight?.get()
        try await writer.append(held, isLast: true).get()
    }

    private mutating func send(_ next: ByteBuffer) async throws {
        let part = held
        held = next
        try await inFlight?.get()
        inFlight = writer.append(part, isLast: false)
    }
}
