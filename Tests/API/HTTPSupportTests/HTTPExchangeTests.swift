import Access
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import HTTPSupport

/// What is not HTTP, what goes on after its answer, and what waits to be asked, over real sockets. Cases X1, X2, F8, F9
/// and F23. RFC 9110 §9.3.2, §10.1.1; RFC 9112 §3, §6, §9.6.
@Suite(.timeLimit(.minutes(10)), .takingTurns)
struct HTTPExchangeTests {
    private static func serving(
        drainBytes: Int = 256 << 10, trail: APIResponderTests.Trail = .init(),
        _ test: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let text: @Sendable (String) -> Response = { .bytes(Array($0.utf8), contentType: "text/plain") }
        let routes = [
            Route(.get, "/open", operationID: "open", access: .open) { text("open \($0.rawQuery)") },
            Route(.get, "/stream", operationID: "stream", access: .open) { _ in
                .stream(contentType: "a/b") { try await $0.write(ByteBuffer(string: "streamed")) }
            },
            Route(.post, "/echo", operationID: "echo", access: .open) { request in
                .buffer(try await request.collectBody(limit: 10), contentType: "text/plain")
            },
            Route(
                .get, "/kept", operationID: "kept", access: .open,
                oversizeAudit: OversizeAudit(.authentication, "authorize")
            ) { _ in text("kept") },
            Route(.post, "/closed", operationID: "closed", access: .bearer(.anyToken)) { _ in text("never") },
            Route(.get, "/starts", operationID: "starts", access: .open, isSafe: false) { _ in text("started") },
        ]
        let responder = APIResponder(
            table: try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)]),
            authenticator: BearerAuthenticator(
                tokens: APIResponderTests.Tokens(), audit: trail, realm: "h"),
            newRequestID: { "id" })
        var limits = ListenerHarness.limits
        limits.drainBytesMax = drainBytes
        limits.drain = .milliseconds(300)
        let memory = HTTPListener.Memory(responder, serverName: "test", now: { 0 })
        try await ListenerHarness.serving(
            responder, { [limits] in HTTPListener(responder: $0, memory: memory, isTLS: false, limits: limits) }, test)
    }

    /// The statuses in what a connection answered.
    private static func statuses(_ bytes: [UInt8]) -> [Int] {
        String(decoding: bytes, as: UTF8.self).components(separatedBy: "HTTP/1.").dropFirst().compactMap {
            Int($0.dropFirst(2).prefix(3))
        }
    }

    /// Sends bytes, and returns the statuses of what came until the server closed the connection.
    private static func answers(_ port: Int, _ text: String) async throws -> [Int] {
        statuses(try await ListenerHarness.exchange(port, text))
    }

    private static func post(_ fields: String, _ body: String = "", path: String = "/echo") -> String {
        "POST \(path) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\(body)"
    }

    @Test(
        "X1, RFC 9112 §6.2: a length that is absurd, negative, repeated or beside chunks is refused before a byte is read",
        arguments: [
            ("Content-Length: 9223372036854775808\r\n", 413), ("Content-Length: 1125899906842625\r\n", 413),
            ("Content-Length: 18446744073709551616\r\n", 400), ("Content-Length: -1\r\n", 400),
            ("Content-Length: +1\r\n", 400), ("Content-Length: 0x1\r\n", 400), ("Content-Length: 1, 1\r\n", 400),
            ("Content-Length: 1\r\nContent-Length: 1\r\n", 400), ("Content-Length: 1\r\nContent-Length: 2\r\n", 400),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400),
        ])
    func lengths(_ fields: String, _ status: Int) async throws {
        // Sent is nothing more: whoever waited for a body would not answer.
        try await Self.serving { (port: Int) async throws in
            #expect(try await Self.answers(port, Self.post(fields)) == [status])
        }
    }

    @Test(
        "X2, RFC 9112 §6.1: another transfer coding than chunked is 501, one that hides the end 400; the connection ends",
        arguments: [
            ("xchunked", 501), ("gzip, chunked", 501), ("identity", 501), ("\"chunked\"", 501), ("chunked;q=1", 501),
            ("chunked, chunked", 400), ("chunked, gzip", 400), ("", 400),
        ])
    func codings(_ coding: String, _ status: Int) async throws {
        try await Self.serving { (port: Int) async throws in
            let answers = try await Self.answers(
                port, Self.post("Transfer-Encoding: \(coding)\r\n", "1\r\nx\r\n0\r\n\r\n"))
            #expect(answers == [status])
        }
    }

    @Test(
        "X2, RFC 9112 §7.1: a chunk that is not well formed is 400 in the API's form, never 500, and ends the connection",
        arguments: ["-1", "0x1", "FFFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFF", "8000000000000000", "", "g", " 1"],
        ["/echo", "/closed"])
    func chunks(_ size: String, _ path: String) async throws {
        try await Self.serving { (port: Int) async throws in
            let answer = try await ListenerHarness.exchange(
                port, Self.post("Transfer-Encoding: chunked\r\n", "\(size)\r\nx\r\n0\r\n\r\n", path: path))
            // A caller without a token is told that first.
            #expect(Self.statuses(answer) == [path == "/echo" ? 400 : 401])
            #expect(String(decoding: answer, as: UTF8.self).contains("application/problem+json"))
        }
    }

    @Test(
        "RFC 9112 §2, §3, §5: no sibling is taken for HTTP/1.1",
        arguments: [
            ("GET /open HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400), ("GET /open HTTP/1.1\r\n\r\n", 400),
            ("GET /open HTTP/1.1\r\nHost: a@b\r\n\r\n", 400), ("GET /open HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("GET /open HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400),
            ("GET /open HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400),
            ("GET /open HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400),
            ("GET /open HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n", 400),
            ("GET /open HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400),
            ("GET /open HTTP/2.0\r\nHost: h\r\n\r\n", 505), ("GET /open HTTP/9.1\r\nHost: h\r\n\r\n", 505),
            ("BREW /open HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 501),
            ("GET ftp://h/open HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET http://u@h/open HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET http:///open HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET /open#a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417),
        ])
    func siblings(_ text: String, _ status: Int) async throws {
        try await Self.serving { (port: Int) async throws in #expect(try await Self.answers(port, text) == [status]) }
    }

    @Test("RFC 9112 §7.1: chunks are followed whatever their sizes, cuts, extensions and trailers, to the next request")
    func wellFormedChunks() async throws {
        let chunks = "3;a=b\r\nabc\r\n0002\r\nde\r\n0\r\nX: y\r\nZ: 0\r\n\r\n"
        let text =
            Self.post("Transfer-Encoding: Chunked\r\n", chunks) + Self.post("Content-Length: 2\r\n", "fg")
            + Self.post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n") + "\r\n"
            + "GET /open?z HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        try await Self.serving { (port: Int) async throws in
            let bytes = try await ListenerHarness.exchange(port, text)
            let answer = String(decoding: bytes, as: UTF8.self)
            #expect(Self.statuses(bytes) == [200, 200, 200, 200])
            #expect(answer.contains("abcde"))
            #expect(answer.contains("fg"))
            #expect(answer.hasSuffix("open z"))
        }
        // The same frames are found wherever the bytes are cut.
        for size in 1...7 {
            var frames = ChunkFrames()
            var head = HeadEnd()
            let headBytes = Array("GET / HTTP/1.1\r\nA: b\r\n\r\n".utf8)
            let all = ByteBuffer(string: chunks + "next")
            var rest = all
            var taken = 0
            while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
                let found = frames.length(in: piece.readableBytesView)
                let length = try #require(found)
                taken += length
                if length < piece.readableBytes || taken == chunks.utf8.count { break }
            }
            #expect(taken == chunks.utf8.count, "\(size)")
            var found = 0
            for start in stride(from: 0, to: headBytes.count, by: size) {
                found += head.length(
                    in: ByteBuffer(bytes: headBytes[start..<min(start + size, headBytes.count)]).readableBytesView)
            }
            #expect(found == headBytes.count)
        }
    }

    @Test("A refusal leaves behind the answers to the requests before it, and nothing is read after it")
    func order() async throws {
        try await Self.serving { (port: Int) async throws in
            let good = "GET /open HTTP/1.1\r\nHost: h\r\n\r\n"
            let bad = "GET /open HTTP/9.9\r\nHost: h\r\n\r\n"
            #expect(try await Self.answers(port, good + good + bad + good) == [200, 200, 505])
            let coding = Self.post("Transfer-Encoding: x\r\n")
            #expect(try await Self.answers(port, good + coding + good) == [200, 501])
        }
    }

    @Test("RFC 9112 §3.2.2: a target in absolute form is taken apart here, and leads to the same place")
    func absoluteForm() async throws {
        try await Self.serving { (port: Int) async throws in
            for target in ["http://h/open?a=1", "HTTPS://other:444/open?a=1"] {
                let bytes = try await ListenerHarness.exchange(
                    port, "GET \(target) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("open a=1"), "\(target)")
            }
        }
    }

    @Test(
        "RFC 9112 §9.3, §9.6: HTTP/1.0, close in any case or place, and an upgrade that is not made end the connection")
    func lastRequests() async throws {
        try await Self.serving { (port: Int) async throws in
            for head in [
                "GET /stream HTTP/1.0\r\n\r\n",
                "GET /open HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, CLOSE\r\n\r\n",
                "GET /open HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
            ] {
                let bytes = try await ListenerHarness.exchange(port, head)
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(Self.statuses(bytes) == [200])
                #expect(text.lowercased().contains("connection: close"))
                // What HTTP/1.0 cannot read is not sent to it.
                if head.contains("1.0\r") { #expect(text.hasSuffix("\r\n\r\nstreamed")) }
            }
        }
    }

    @Test(
        "X1: a body that goes on after its answer is dropped within bounds, and the connection closed; the answer is read",
        arguments: ["Content-Length: 1099511627776", "Transfer-Encoding: chunked"], ["/closed", "/echo"])
    func endless(_ field: String, _ path: String) async throws {
        try await Self.serving { (port: Int) async throws in
            let connection = try await ListenerHarness.connect(port)
            let eventLoop = connection.channel.eventLoop
            try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.post(field + "\r\n", path: path)))
                let chunk = ByteBuffer(
                    string: field.hasPrefix("T")
                        ? "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
                        : String(repeating: "x", count: 4096))
                let sender = Task {
                    var count = 0
                    // More than the sockets' buffers and the drain together.
                    while count < 512 << 20, !Task.isCancelled {
                        do { try await outbound.write(chunk) } catch { break }
                        count += 4096
                        // Writes wait for the socket only once their event loop has seen it full.
                        if count % (256 << 10) == 0 { try? await eventLoop.submit {}.get() }
                    }
                    return count
                }
                var all: [UInt8] = []
                do { for try await buffer in inbound { all += buffer.readableBytesView } } catch is IOError {}
                sender.cancel()
                #expect(await sender.value < 512 << 20)
                #expect(Self.statuses(all) == [path == "/closed" ? 401 : 413])
                #expect(String(decoding: all, as: UTF8.self).lowercased().contains("connection: close"))
            }
        }
    }

    @Test("X2: chunk extensions, empty lines and trailers without an end are refused, not read for ever")
    func framingWithoutEnd() async throws {
        for (begin, piece, status) in [
            (Self.post("Transfer-Encoding: chunked\r\n") + "1;", "xxxxxxxx", 431), ("", "\r\n\r\n\r\n\r\n", 431),
            (Self.post("Transfer-Encoding: chunked\r\n") + "0\r\n", "X: yyyy\r\n", 431),
        ] {
            try await Self.serving { (port: Int) async throws in
                let text = begin + String(repeating: piece, count: 60_000)
                let answer = try await ListenerHarness.exchange(port, text, until: { Self.statuses($0) == [status] })
                #expect(Self.statuses(answer) == [status], "\(piece)")
            }
        }
    }

    @Test("RFC 9110 §15.5.15: a target that is too long to be read is 414, with the row of its route; fields are 431")
    func targetWithoutEnd() async throws {
        let trail = APIResponderTests.Trail()
        try await Self.serving(trail: trail) { (port: Int) async throws in
            let huge = String(repeating: "x", count: 100_000)
            for (text, status, details) in [
                ("GET /kept?scope=\(huge) HTTP/1.1\r\nHost: h\r\n\r\n", 414, ["target-too-long"]),
                ("GET /open?scope=\(huge) HTTP/1.1\r\nHost: h\r\n\r\n", 414, ["target-too-long"]),
                (
                    "GET /kept HTTP/1.1\r\nHost: h\r\nX: \(huge)\r\n\r\n", 431,
                    ["target-too-long", "headers-too-large"]
                ),
            ] {
                let answer = try await ListenerHarness.exchange(port, text, until: { Self.statuses($0) == [status] })
                #expect(Self.statuses(answer) == [status])
                // The row follows the answer.
                while trail.details.count < details.count { await Task.yield() }
                #expect(trail.details == details)
            }
            #expect(trail.all.allSatisfy { $0.interaction == "authorize" && $0.sourceAddress == "127.0.0.1" })
        }
    }

    @Test("A short rest of a body that nobody read is passed over, and the connection goes on")
    func shortRest() async throws {
        try await Self.serving { (port: Int) async throws in
            let next = "GET /open HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            let refused = Self.post("Content-Length: 3\r\n", "abc", path: "/closed")
            #expect(try await Self.answers(port, refused + next) == [401, 200])
        }
    }

    @Test("F23, RFC 9110 §10.1.1: 100 comes when the body is wanted, else the final status, and that one is the last")
    func expectation() async throws {
        try await Self.serving { (port: Int) async throws in
            let wanted = Self.post("Expect: 100-Continue\r\nContent-Length: 2\r\nConnection: close\r\n")
            try await ListenerHarness.connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: wanted))
                var all: [UInt8] = []
                for try await buffer in inbound {
                    all += buffer.readableBytesView
                    if Self.statuses(all) == [100] { try await outbound.write(ByteBuffer(string: "ab")) }
                }
                #expect(Self.statuses(all) == [100, 200])
                #expect(String(decoding: all, as: UTF8.self).hasSuffix("\r\n\r\nab"))
            }
            for (fields, path, status) in [
                ("Content-Length: 2\r\n", "/closed", 401), ("Content-Length: 11\r\n", "/echo", 413),
                ("Content-Length: 2\r\n", "/nowhere", 404), ("Transfer-Encoding: chunked\r\n", "/closed", 401),
            ] {
                let text = Self.post("Expect: 100-continue\r\n" + fields, path: path)
                #expect(try await Self.answers(port, text) == [status], "\(path)")
            }
            // Who does not wait is not asked.
            let hasty = Self.post("Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n", "ab")
            let answers = try await Self.answers(port, hasty)
            #expect(answers.last == 200)
            // Nor is an old client, which does not know what it would be told.
            #expect(
                try await Self.answers(
                    port, "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab") == [200])
        }
    }

    @Test("F9, RFC 9110 §9.3.2: HEAD of a streamed answer ends with its head, and the connection goes on")
    func head() async throws {
        try await Self.serving { (port: Int) async throws in
            let head = "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n"
            let last = "HEAD /open HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            let bytes = try await ListenerHarness.exchange(port, head + head + last)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(Self.statuses(bytes) == [200, 200, 200])
            #expect(!text.contains("streamed"))
            #expect(!text.contains("0\r\n\r\n"))
            #expect(text.hasSuffix("\r\n\r\n"))
            // What a GET would start is started by nobody who only looks.
            #expect(
                try await Self.answers(
                    port, "HEAD /starts HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == [405])
        }
    }
}
