import HTTPTypes
import NIOCore
import Testing

@testable import HTTPSupport

/// Frames and the handshake of WebSockets. RFC 6455 §4, §5, §7.
@Suite("WebSocket frames and handshakes")
struct WebSocketTests {
    /// A frame as a client sends it.
    static func frame(_ first: UInt8, _ payload: [UInt8] = [], mask: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        [first, 0x80 | UInt8(payload.count)] + mask + payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    }

    private static func read(_ bytes: [UInt8]) -> [WebSocketReader.Event] {
        var reader = WebSocketReader()
        return reader.read(bytes)
    }

    @Test("§5: what is no control frame of a client is a fault, by its first bytes, and nothing is read after it")
    func faults() {
        let ping = Self.frame(0x89)
        #expect(Self.read([0x81] + ping) == [.fault(.unsupportedData)])
        #expect(Self.read([0x82]) == [.fault(.unsupportedData)])
        #expect(Self.read([0x00]) == [.fault(.unsupportedData)])
        for first: UInt8 in [0x83, 0x87, 0x8B, 0x8F, 0xC9, 0xA9, 0x99, 0x09, 0x08, 0x0A] {
            #expect(Self.read([first] + ping) == [.fault(.protocolError)], "\(first)")
        }
        // Not masked; 126 bytes; a length in 8 bytes.
        for second: UInt8 in [0x00, 0x7D, 0xFE, 0xFF] {
            #expect(Self.read([0x89, second] + ping) == [.fault(.protocolError)], "\(second)")
        }
        #expect(Self.read(Self.frame(0x88, [3])) == [.fault(.protocolError)])
        for code: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] {
            #expect(Self.read(Self.frame(0x88, [UInt8(code >> 8), UInt8(code & 255)])) == [.fault(.protocolError)])
        }
        #expect(Self.read(Self.frame(0x88, [0x03, 0xE8, 0xFF])) == [.fault(.invalidData)])
        #expect(Self.read(Self.frame(0x88) + ping) == [.close(nil)])
    }

    @Test("§5.5: pings, pongs and closes are read in any split, with 0 to 125 bytes")
    func splits() {
        let full = [UInt8](repeating: 7, count: WebSocketReader.payloadMax)
        let bytes =
            Self.frame(0x89) + Self.frame(0x8A, [1]) + Self.frame(0x89, full)
            + Self.frame(0x88, [0x03, 0xE8] + Array("ü".utf8))
        let events: [WebSocketReader.Event] = [.ping([]), .pong, .ping(full), .close(1000)]
        #expect(Self.read(bytes) == events)
        for cut in bytes.indices {
            var reader = WebSocketReader()
            #expect(reader.read(bytes[..<cut]) + reader.read(bytes[cut...]) == events, "\(cut)")
        }
    }

    @Test("§5.2: a message is one frame, its length in 7, 16 or 64 bits")
    func written() {
        for (count, head) in [
            (0, [0x81, 0]), (125, [0x81, 125]), (126, [0x81, 126, 0, 126]), (65_535, [0x81, 126, 255, 255]),
            (65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])] {
            let frame = WebSocketFrame.text([UInt8](repeating: 0x20, count: count))
            #expect(Array(frame.readableBytesView.prefix(head.count)) == head)
            #expect(frame.readableBytes == head.count + count)
        }
        #expect(Array(WebSocketFrame.close(1001).readableBytesView) == [0x88, 2, 0x03, 0xE9])
        #expect(Array(WebSocketFrame.close(nil).readableBytesView) == [0x88, 0])
        #expect(Array(WebSocketFrame.pong([1]).readableBytesView) == [0x8A, 1, 1])
    }

    private static let good: HTTPFields = [
        .connection: "keep-alive, Upgrade", .upgrade: "WebSocket", .secWebSocketVersion: "13",
        .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==",
    ]

    private static func problem(_ change: (inout HTTPFields) -> Void) -> WebSocketHandshake.Problem? {
        var headers = good
        change(&headers)
        do throws(WebSocketHandshake.Problem) {
            _ = try WebSocketHandshake.answer(to: headers)
            return nil
        } catch {
            return error
        }
    }

    @Test("§4.2.1: a request without the upgrade or of another version is 426, one whose key is none malformed")
    func handshakeFaults() {
        #expect(Self.problem { $0[.upgrade] = nil } == .noUpgrade)
        #expect(Self.problem { $0[.upgrade] = "h2c" } == .noUpgrade)
        #expect(Self.problem { $0[.connection] = "keep-alive" } == .noUpgrade)
        #expect(Self.problem { $0[.secWebSocketVersion] = "8" } == .noUpgrade)
        #expect(Self.problem { $0[.secWebSocketVersion] = nil } == .noUpgrade)
        func isMalformed(_ change: (inout HTTPFields) -> Void) -> Bool {
            if case .malformed? = Self.problem(change) { return true }
            return false
        }
        for key in ["", "x", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZSEh", "????????????????????????"] {
            #expect(isMalformed { $0[.secWebSocketKey] = key }, "\(key)")
        }
        #expect(isMalformed { $0[.secWebSocketKey] = nil })
        #expect(isMalformed { $0.append(HTTPField(name: .secWebSocketKey, value: "dGhlIHNhbXBsZSBub25jZQ==")) })
        #expect(isMalformed { $0[.secWebSocketProtocol] = "chat" })
        #expect(isMalformed { $0[.secWebSocketProtocol] = "bearer.x" })
        #expect(isMalformed { $0[.contentLength] = "1" })
        #expect(isMalformed { $0[.transferEncoding] = "chunked" })
    }

    @Test("§1.3: the key is answered by its digest, and the subprotocol that is spoken chosen, never the token")
    func handshake() throws {
        let plain = try WebSocketHandshake.answer(to: Self.good)
        #expect(plain[.secWebSocketAccept] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(plain[.upgrade] == "websocket" && plain[.connection] == "Upgrade")
        #expect(plain[.secWebSocketProtocol] == nil)
        var offering = Self.good
        offering[.secWebSocketProtocol] = "bearer.a-b_c.d, dicomweb.events"
        #expect(try WebSocketHandshake.answer(to: offering)[.secWebSocketProtocol] == "dicomweb.events")
    }

    @Test("A token is taken of one subprotocol where there is no Authorization field")
    func token() {
        func authorization(_ offer: String?, _ given: String? = nil) -> [String] {
            var headers = Self.good
            headers[.secWebSocketProtocol] = offer
            headers[.authorization] = given
            return WebSocketHandshake.authorization(of: headers)
        }
        #expect(authorization("dicomweb.events, bearer.a.b.c") == ["Bearer a.b.c"])
        #expect(authorization("dicomweb.events, bearer.a, bearer.b") == [])
        #expect(authorization("dicomweb.events") == [])
        #expect(authorization(nil) == [])
        #expect(authorization("bearer.a", "Bearer b") == ["Bearer b"])
        let many = [String](repeating: "x", count: 8).joined(separator: ",")
        #expect(authorization(many + ",bearer.a") == [])
    }
}
