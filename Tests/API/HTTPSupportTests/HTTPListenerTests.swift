import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import HTTPSupport

/// Bodies from files over real sockets: reliability rule R11, RFC 9112 §6 and §8.
@Suite(.timeLimit(.minutes(10)), .takingTurns)
struct HTTPListenerTests {
    /// A file of `count` bytes that tells when its last owner lets go of it.
    private final class TestFile: Sendable {
        let descriptor: CInt
        let released: @Sendable () -> Void
        static let byte: UInt8 = 0x5A

        init(count: Int, released: @escaping @Sendable () -> Void = {}) throws {
            let path = NSTemporaryDirectory() + "hilum-listener-\(UUID().uuidString)"
            try Data(repeating: Self.byte, count: count).write(to: URL(fileURLWithPath: path))
            descriptor = open(path, O_RDONLY)
            unlink(path)
            self.released = released
        }
        deinit {
            close(descriptor)
            released()
        }
    }

    private struct Broken: Error {}

    /// A listener with routes of the test; `deadline` is how long a peer may not read.
    private static func serving(
        _ routes: [Route], isTLS: Bool = false, deadline: TimeAmount = .minutes(10),
        _ test: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let table = try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)])
        let responder = APIResponder(
            table: table,
            authenticator: BearerAuthenticator(
                tokens: APIResponderTests.Tokens(), audit: APIResponderTests.Trail(), realm: "h"),
            newRequestID: { "id" })
        var limits = ListenerHarness.limits
        limits.write = deadline
        try await ListenerHarness.serving(
            responder,
            { [limits] in HTTPListener(responder: $0, isTLS: isTLS, limits: limits) }, test)
    }

    private static func get(_ path: String, closes: Bool = true, method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: h\r\n\(closes ? "Connection: close\r\n" : "")\r\n"
    }

    /// The first head in a stream of bytes, and all that follows it.
    private static func parts(_ bytes: [UInt8]) -> (head: String, body: [UInt8]) {
        let text = bytes.firstRange(of: Array("\r\n\r\n".utf8))
        guard let text else { return (String(decoding: bytes, as: UTF8.self), []) }
        return (String(decoding: bytes[..<text.lowerBound], as: UTF8.self), Array(bytes[text.upperBound...]))
    }

    private static func fileRoute(_ file: TestFile, _ count: Int, length: Int?) -> Route {
        Route(.get, "/file", operationID: "file", access: .open, isBrief: true) { request in
            .stream(contentType: "a/b", contentLength: length, isBrief: true) { writer in
                guard let files = request.files else { return try await writer.write(ByteBuffer(string: "bytes")) }
                let sent = SentFile(descriptor: file.descriptor, owner: file)
                try await files.write([.bytes(ByteBuffer(string: "<")), .file(sent, 10..<Int64(count))])
                try await files.write([.bytes(ByteBuffer(string: ">"))])
            }
        }
    }

    @Test(
        "A range of a file leaves between its bytes, with a length and in chunks, and the connection goes on",
        arguments: [11, 4_096, 3_000_000], [true, false])
    func file(_ count: Int, _ hasLength: Bool) async throws {
        let file = try TestFile(count: count)
        let length = count - 10 + 2
        try await Self.serving([Self.fileRoute(file, count, length: hasLength ? length : nil)]) { port in
            let bytes = try await ListenerHarness.exchange(port, Self.get("/file", closes: false) + Self.get("/file"))
            let first = Self.parts(bytes)
            #expect(first.head.hasPrefix("HTTP/1.1 200"))
            #expect(first.head.lowercased().contains(hasLength ? "content-length: \(length)" : "chunked"))
            // The second response follows the first one whole.
            let answers = bytes.split(separator: Array("HTTP/1.1 200".utf8)).count
            #expect(answers == 2)
            #expect(bytes.count { $0 == TestFile.byte } == 2 * (count - 10))
            if hasLength {
                #expect(first.body.first == UInt8(ascii: "<") && first.body[length - 1] == UInt8(ascii: ">"))
                #expect(first.body[1..<length - 1].allSatisfy { $0 == TestFile.byte })
                #expect(first.body[length...].starts(with: Array("HTTP/1.1 200".utf8)))
            } else {
                #expect(bytes.suffix(7).elementsEqual(Array("\r\n0\r\n\r\n".utf8)))
            }
        }
    }

    @Test("Inside TLS a request is offered no file")
    func tls() async throws {
        let file = try TestFile(count: 100)
        try await Self.serving([Self.fileRoute(file, 100, length: 5)], isTLS: true) { port in
            let answer = Self.parts(try await ListenerHarness.exchange(port, Self.get("/file")))
            #expect(answer.body == Array("bytes".utf8))
        }
    }

    @Test("HEAD has the head of GET, with its length, and no body (RFC 9110 §9.3.2)")
    func head() async throws {
        let file = try TestFile(count: 100)
        try await Self.serving([Self.fileRoute(file, 100, length: 92)]) { port in
            let answer = Self.parts(try await ListenerHarness.exchange(port, Self.get("/file", method: "HEAD")))
            #expect(answer.head.lowercased().contains("content-length: 92"))
            #expect(answer.body.isEmpty)
        }
    }

    @Test(
        "A body that fails half-way ends the connection: too few bytes for its length, or no last chunk (RFC 9112 §8)",
        arguments: [1_000, nil], [true, false])
    func failure(_ length: Int?, _ isBrief: Bool) async throws {
        let route = Route(.get, "/fails", operationID: "fails", access: .open, isBrief: isBrief) { _ in
            .stream(contentType: "a/b", contentLength: length, isBrief: isBrief) { writer in
                try await writer.write(ByteBuffer(string: "begin"))
                throw Broken()
            }
        }
        try await Self.serving([route]) { port in
            // The connection was to stay open: that it ends is the sign.
            let answer = Self.parts(try await ListenerHarness.exchange(port, Self.get("/fails", closes: false)))
            #expect(answer.body.count < 1_000)
            #expect(!answer.body.suffix(5).elementsEqual(Array("0\r\n\r\n".utf8)))
        }
    }

    @Test("A peer that does not read holds an open file only until its deadline, and no memory")
    func hostileReader() async throws {
        let (ends, end) = AsyncStream.makeStream(of: String.self)
        let file = Mutex<TestFile?>(try TestFile(count: 64 << 20) { end.yield("released") })
        let route = Route(.get, "/file", operationID: "file", access: .open, isBrief: true) { request in
            guard let files = request.files,
                let owner = file.withLock({ held in
                    defer { held = nil }
                    return held
                })
            else { throw Broken() }
            return .stream(contentType: "a/b", contentLength: 64 << 20, isBrief: true) { writer in
                do {
                    let sent = SentFile(descriptor: owner.descriptor, owner: owner)
                    try await files.write([.file(sent, 0..<(64 << 20))])
                    end.yield("sent")
                } catch {
                    end.yield("failed")
                    throw error
                }
            }
        }
        try await Self.serving([route], deadline: .milliseconds(200)) { port in
            // Nothing is read: the client's buffers fill, then the server's.
            let channel = try await ListenerHarness.sending(Self.get("/file", closes: false), to: port)
            var seen: [String] = []
            for await one in ends {
                seen.append(one)
                if seen.count == 2 { break }
            }
            #expect(seen == ["failed", "released"])
            try? await channel.close()
        }
    }

    @Test("A request's work is brief only where its route says so")
    func threads() async throws {
        let loop: @Sendable () -> Bool = { MultiThreadedEventLoopGroup.currentEventLoop != nil }
        let routes = [true, false].map { isBrief in
            Route(
                .get, isBrief ? "/brief" : "/long", operationID: "\(isBrief)", access: .open, isBrief: isBrief
            ) { _ in
                let handler = loop()
                return .stream(contentType: "a/b", isBrief: isBrief) { writer in
                    try await writer.write(ByteBuffer(string: "handler \(handler) body \(loop())."))
                }
            }
        }
        try await Self.serving(routes) { port in
            for (path, expected) in [("/brief", "handler true body true."), ("/long", "handler false body false.")] {
                let bytes = try await ListenerHarness.exchange(port, Self.get(path))
                #expect(String(decoding: bytes, as: UTF8.self).contains(expected))
            }
        }
    }
}
