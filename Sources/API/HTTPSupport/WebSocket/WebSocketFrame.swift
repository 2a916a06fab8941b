import NIOCore

/// Why a WebSocket is closed, as the other side is told. RFC 6455 §7.4.1.
package enum WebSocketClose: UInt16, Sendable, Hashable {
    case normal = 1000
    /// The server stops.
    case goingAway = 1001
    case protocolError = 1002
    /// A message where none is read.
    case unsupportedData = 1003
    /// A reason that is not UTF-8.
    case invalidData = 1007
    /// The rights ended, or too much was sent.
    case policyViolation = 1008
    /// The other side does not keep up, or the rights cannot be looked at now.
    case tryAgainLater = 1013
}

/// Frames as a server writes them: whole, not masked. RFC 6455 §5.2.
enum WebSocketFrame {
    static func text(_ bytes: [UInt8]) -> ByteBuffer { frame(0x1, bytes) }
    static func ping() -> ByteBuffer { frame(0x9, []) }
    static func pong(_ payload: [UInt8]) -> ByteBuffer { frame(0xA, payload) }

    /// - Parameter code: as the other side said it, or ours; nil for none.
    static func close(_ code: UInt16?) -> ByteBuffer {
        frame(0x8, code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? [])
    }

    private static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(payload.count + 10)
        buffer.writeInteger(0x80 | opcode)
        switch payload.count {
        case ...125: buffer.writeInteger(UInt8(payload.count))
        case ...0xFFFF:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
        return buffer
    }
}

/// Reads the frames of a peer from whom control frames are taken and nothing else: bytes in, events out. RFC 6455 §5.5.
///
/// At most one frame of 131 bytes is held. After a close or a fault nothing more is read.
struct WebSocketReader {
    enum Event: Equatable, Sendable {
        case ping([UInt8])
        case pong
        /// With the code that the peer gave, if any.
        case close(UInt16?)
        case fault(WebSocketClose)
    }

    /// Bytes of the payload of a control frame at most. RFC 6455 §5.5.
    static let payloadMax = 125

    /// The frame that has begun.
    private var held: [UInt8] = []
    private var hasEnded = false

    mutating func read(_ bytes: some Sequence<UInt8>) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            if hasEnded { break }
            held.append(byte)
            guard let event = frame() else { continue }
            held.removeAll(keepingCapacity: true)
            switch event {
            case .close, .fault: hasEnded = true
            case .ping, .pong: break
            }
            events.append(event)
        }
        return events
    }

    /// The event of a frame that is whole, or of one that shows to be none by its first two bytes.
    private func frame() -> Event? {
        let first = held[0]
        let opcode = first & 0x0F
        if held.count == 1 {
            // No extension is spoken, so no reserved bit has a meaning.
            guard first & 0x70 == 0 else { return .fault(.protocolError) }
            switch opcode {
            case 0x8, 0x9, 0xA: return first & 0x80 != 0 ? nil : .fault(.protocolError)
            case 0x0, 0x1, 0x2: return .fault(.unsupportedData)
            default: return .fault(.protocolError)
            }
        }
        let length = Int(held[1] & 0x7F)
        guard held[1] & 0x80 != 0, length <= Self.payloadMax else { return .fault(.protocolError) }
        guard held.count == 6 + length else { return nil }
        let payload = held[6...].enumerated().map { $0.element ^ held[2 + $0.offset % 4] }
        switch opcode {
        case 0x9: return .ping(payload)
        case 0xA: return .pong
        default: return Self.close(payload)
        }
    }

    /// RFC 6455 §5.5.1, §7.4.
    private static func close(_ payload: [UInt8]) -> Event {
        guard payload.count != 1 else { return .fault(.protocolError) }
        guard payload.count > 1 else { return .close(nil) }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: return .fault(.protocolError)
        }
        guard String(validating: payload[2...], as: UTF8.self) != nil else { return .fault(.invalidData) }
        return .close(code)
    }
}
