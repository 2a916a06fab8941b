import NIOCore
import Testing

@testable import HTTPSupport

/// RFC 9112 §3: what is known of a head that is too large to be read.
struct RequestLineBeginTests {
    private static func line(_ pieces: [[UInt8]]) -> RequestLineBegin {
        var line = RequestLineBegin()
        for piece in pieces { line.append(ByteBuffer(bytes: piece).readableBytesView) }
        return line
    }

    private static func line(_ text: String) -> RequestLineBegin { line([Array(text.utf8)]) }

    @Test("The path is that of the request line, in whatever pieces it comes; empty lines before it are none")
    func pieces() {
        let bytes = Array("\r\n\r\nGET /oauth/token?scope=x HTTP/1.1\r\nHost: h\r\nX: /y z\r\n".utf8)
        for size in [1, 2, 7, bytes.count] {
            let line = Self.line(
                stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) })
            #expect(line.path == "/oauth/token", "\(size)")
            #expect(line.count == "GET /oauth/token?scope=x HTTP/1.1\r".utf8.count)
        }
        #expect(Self.line([]).path == nil)
        #expect(Self.line("\r\n").count == 0)
    }

    @Test("A line is counted whole, with an end and without one, and no more than its begin is kept")
    func long() {
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
        let query = Self.line([Array("GET /a?".utf8), long, long])
        #expect(query.count == 200_007)
        #expect(Self.line([Array("GET /a?".utf8), long, Array("\r\nX: ".utf8), long]).count == 100_008)
        #expect(query.path == "/a")
        #expect(Self.line([Array("GET /".utf8), long, long]).path?.utf8.count == 508)
    }

    @Test("What is no target in origin-form, or no text, has no path")
    func others() {
        for text in ["GET", "GET ", "GET http://h/oauth/token HTTP/1.1\n", "OPTIONS * HTTP/1.1\n"] {
            #expect(Self.line(text).path == nil, "\(text)")
        }
        #expect(Self.line([Array("GET /".utf8), [0xFF], Array(" HTTP/1.1\r\n".utf8)]).path == nil)
    }
}
