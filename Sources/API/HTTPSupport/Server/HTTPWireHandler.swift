import NIOCore

/// Reads the frames of what a peer sends along with the decoder, for what the decoder does not tell: how many bytes are
/// neither head nor body, and how large a chunk says it is. Hands on one head, or one body's bytes, at a time, and reads
/// on only as long as somebody wants it.
final class HTTPWireHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let exchange: HTTPExchangeHandler
    private var head = HeadEnd()
    private var chunks = ChunkFrames()

    init(_ exchange: HTTPExchangeHandler) { self.exchange = exchange }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        while buffer.readableBytes > 0 {
            let bytes = buffer.readableBytesView
            let count: Int
            switch exchange.expected {
            case .head:
                count = head.length(in: bytes)
                if !head.isAtEnd || count > RequestLineBegin.longHeadBytes {
                    exchange.readsLongHead(bytes.prefix(count))
                }
                chunks = ChunkFrames()
            case .bytes(let rest): count = Int(min(Int64(bytes.count), rest))
            case .chunks:
                guard let length = chunks.length(in: bytes) else {
                    return exchange.refuseBody(
                        RequestHeadCheck.failure(
                            .malformed, "A chunk is larger than \(RequestHeadCheck.contentLengthMax) bytes"))
                }
                count = length
            case .frames: return exchange.takesFrames(buffer)
            case .nothing:
                exchange.drops(buffer.readableBytes)
                return
            }
            guard let piece = buffer.readSlice(length: count) else { return }
            exchange.receives(count)
            context.fireChannelRead(wrapInboundOut(piece))
            exchange.wasDecoded()
        }
    }
}

@available(*, unavailable)
extension HTTPWireHandler: Sendable {}

/// Finds the end of a head: an empty line.
struct HeadEnd {
    private static let mark = Array("\r\n\r\n".utf8)
    private var matched = 0
    private var isInside = false
    /// Whether what was looked at last ends with a head.
    var isAtEnd: Bool { !isInside }

    /// Of bytes that go on with a head, how many belong to it; all of them where it does not end. Empty lines before a
    /// request are taken for a head of their own, which the decoder passes over.
    mutating func length(in bytes: ByteBufferView) -> Int {
        var count = 0
        isInside = true
        for byte in bytes {
            count += 1
            if byte == Self.mark[matched] {
                matched += 1
                if matched == Self.mark.count {
                    matched = 0
                    isInside = false
                    return count
                }
            } else {
                matched = byte == Self.mark[0] ? 1 : 0
            }
        }
        return count
    }
}

/// Follows the chunks of a body. What is not well formed is the decoder's to refuse; here the sizes are judged that it
/// takes for true and waits for. RFC 9112 §7.1.
struct ChunkFrames {
    private enum State {
        case size(UInt64, digits: Int)
        /// Behind the size, up to its line's end.
        case sizeLine(UInt64)
        case data(UInt64)
        /// The line end behind a chunk's data.
        case dataEnd
        /// A line behind the last chunk, of so many bytes until now, the line end not counted.
        case trailer(length: Int)
    }
    private var state = State.size(0, digits: 0)

    /// Of bytes that go on with a chunked body, how many belong to it; all of them where it does not end. Nil for a chunk
    /// that no body can have.
    mutating func length(in bytes: ByteBufferView) -> Int? {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if case .data(let rest) = state {
                let step = min(UInt64(bytes.endIndex - index), rest)
                index += Int(step)
                state = rest == step ? .dataEnd : .data(rest - step)
                continue
            }
            let byte = bytes[index]
            index += 1
            switch state {
            case .size(let value, let digits):
                if let digit = Self.digit(byte) {
                    let next = value << 4 | digit
                    guard digits < 16, next <= UInt64(RequestHeadCheck.contentLengthMax) else { return nil }
                    state = .size(next, digits: value == 0 && digit == 0 ? 0 : digits + 1)
                } else {
                    state = byte == 0x0A ? Self.begin(value) : .sizeLine(value)
                }
            case .sizeLine(let value): if byte == 0x0A { state = Self.begin(value) }
            case .dataEnd: if byte == 0x0A { state = .size(0, digits: 0) }
            case .trailer(let length):
                if byte == 0x0A {
                    if length == 0 {
                        state = .size(0, digits: 0)
                        return index - bytes.startIndex
                    }
                    state = .trailer(length: 0)
                } else if byte != 0x0D {
                    state = .trailer(length: length + 1)
                }
            case .data: break
            }
        }
        return bytes.count
    }

    private static func begin(_ value: UInt64) -> State { value == 0 ? .trailer(length: 0) : .data(value) }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
