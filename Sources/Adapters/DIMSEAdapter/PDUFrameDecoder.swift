import Access
import DICOMNetwork
import NIOCore

/// The PDU codec in a channel pipeline. A ``PDUError`` travels on as the channel's error, and nothing follows it.
///
/// The buffer that PDUs are put together in keeps the size of the longest one, and so does its reservation.
struct PDUFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = PDU

    /// There is no memory for the PDU that has begun.
    struct NoMemory: Error {}

    /// Buffers up to this size are not reserved for: the door's connections times this are held anyhow.
    static let freeBytes = 32 << 10

    private var decoder: PDUDecoder
    private let memory: MemoryReservation?

    /// - Parameter memory: nil for a connection of our own.
    init(limits: NetworkLimits, memory: MemoryReservation? = nil) {
        decoder = PDUDecoder(limits: limits)
        self.memory = memory
    }

    /// Throws ``PDUError``, and ``NoMemory`` as soon as a PDU outgrows what may be held.
    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let pdu = try decoder.next(from: &buffer) else {
            // The bytes that are here, not the length that was announced: that costs a peer nothing.
            if let memory, buffer.readableBytes > Self.freeBytes, !memory.grow(to: 2 * buffer.readableBytes) {
                buffer.clear()
                throw NoMemory()
            }
            return .needMoreData
        }
        context.fireChannelRead(Self.wrapInboundOut(pdu))
        return .continue
    }

    /// Bytes of an unfinished PDU at the end of the stream are dropped: the lost connection tells the story.
    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}
