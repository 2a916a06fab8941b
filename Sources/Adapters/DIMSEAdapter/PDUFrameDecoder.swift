import DICOMNetwork
import NIOCore

/// The PDU codec in a channel pipeline. A ``PDUError`` travels on as the channel's error, and nothing follows it.
struct PDUFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = PDU
    private var decoder: PDUDecoder

    init(limits: NetworkLimits) { decoder = PDUDecoder(limits: limits) }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let pdu = try decoder.next(from: &buffer) else { return .needMoreData }
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
