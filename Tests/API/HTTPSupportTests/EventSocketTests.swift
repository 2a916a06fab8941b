import Access
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPSupport

/// A WebSocket on which the server tells. RFC 6455 §5, §7.
@Suite("Event sockets", .timeLimit(.minutes(10)), .takingTurns)
struct EventSocketTests {
    /// Keeps what is written.
    private final class Wire: Sendable {
        let bytes = Mutex<[UInt8]>([])

        struct Writer: ResponseBodyWriter {
            let wire: Wire
            mutating func write(_ buffer: ByteBuffer) async throws {
                wire.bytes.withLock { $0 += buffer.readableBytesView }
            }
            consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
        }
    }

    private static func run(
        _ socket: EventSocket, _ wire: Wire, _ standing: @escaping @Sendable () async -> EventSocket.Standing
    ) async throws -> EventSocket.End {
        var writer: any ResponseBodyWriter = Wire.Writer(wire: wire)
        return try await socket.run(&writer, standing)
    }

    private static func close(_ code: UInt16) -> [UInt8] { [0x88, 2, UInt8(code >> 8), UInt8(code & 255)] }

    @Test("A connection has no socket until a request asks for it, and one from then on")
    func slot() {
        let slot = SocketSlot()
        #expect(slot.made == nil)
        let socket = slot.socket()
        #expect(slot.made === socket)
        #expect(slot.socket() === socket)
    }

    @Test("Messages go out in order, then the close; after it nothing is taken")
    func told() async throws {
        let (socket, wire) = (EventSocket(), Wire())
        #expect(socket.send([1]) && socket.send([2, 3]))
        socket.close(.goingAway)
        #expect(!socket.send([4]))
        #expect(try await Self.run(socket, wire) { .allowed } == .closed(.goingAway))
        #expect(wire.bytes.withLock { $0 } == [0x81, 1, 1, 0x81, 2, 2, 3] + Self.close(1001))
        #expect(!socket.send([5]))
    }

    @Test("§5.5: a ping is answered, of several the last; a close is answered by its code; a message is 1003")
    func control() async throws {
        let (socket, wire) = (EventSocket(), Wire())
        let frames = WebSocketTests.frame(0x89, [1]) + WebSocketTests.frame(0x89, [2])
        socket.receive(ByteBuffer(bytes: frames + WebSocketTests.frame(0x8A)))
        socket.receive(ByteBuffer(bytes: WebSocketTests.frame(0x88, [0x03, 0xE8])))
        #expect(!socket.send([1]))
        #expect(try await Self.run(socket, wire) { .allowed } == .peer)
        #expect(wire.bytes.withLock { $0 } == Self.close(1000))
        let (second, wire2) = (EventSocket(), Wire())
        second.receive(ByteBuffer(bytes: frames + [0x81]))
        #expect(try await Self.run(second, wire2) { .allowed } == .closed(.unsupportedData))
        #expect(wire2.bytes.withLock { $0 } == [0x8A, 1, 2] + Self.close(1003))
        let gone = EventSocket()
        gone.gone()
        #expect(try await Self.run(gone, Wire()) { .allowed } == .peer)
    }

    @Test("A flood of control frames ends it with 1008, at the limit and one past it")
    func flood() async throws {
        var limits = EventSocket.Limits()
        limits.framesMax = 3
        for (count, code) in [(3, WebSocketClose.normal), (4, .policyViolation)] {
            let socket = EventSocket(limits: limits)
            for _ in 0..<count { socket.receive(ByteBuffer(bytes: WebSocketTests.frame(0x8A))) }
            socket.close(.normal)
            #expect(try await Self.run(socket, Wire()) { .allowed } == .closed(code))
        }
    }

    @Test(
        "A peer that does not keep up is closed with 1013: so many messages and bytes wait, and one alone may be larger"
    )
    func slow() async throws {
        var limits = EventSocket.Limits()
        limits.messagesMax = 2
        limits.bytesMax = 10
        let many = EventSocket(limits: limits)
        #expect(many.send([1]) && many.send([2]) && !many.send([3]) && !many.send([4]))
        let wire = Wire()
        #expect(try await Self.run(many, wire) { .allowed } == .closed(.tryAgainLater))
        // What waited would come after a gap.
        #expect(wire.bytes.withLock { $0 } == Self.close(1013))
        let large = EventSocket(limits: limits)
        #expect(large.send([UInt8](repeating: 1, count: 11)) && !large.send([1]))
        let full = EventSocket(limits: limits)
        #expect(full.send([UInt8](repeating: 1, count: 9)) && full.send([1]))
        #expect(!full.send([1]))
    }

    @Test("Rights that ended close it with 1008, those that cannot be looked at now with 1013, and nothing is told")
    func rights() async throws {
        var limits = EventSocket.Limits()
        limits.tick = .milliseconds(1)
        for (standing, code) in [
            (EventSocket.Standing.ended, WebSocketClose.policyViolation), (.unknown, .tryAgainLater),
        ] {
            let (socket, wire) = (EventSocket(limits: limits), Wire())
            #expect(try await Self.run(socket, wire) { standing } == .closed(code))
            #expect(wire.bytes.withLock { $0 } == Self.close(code.rawValue))
        }
    }

    @Test("A peer is pinged, and one that answers no ping is let go")
    func silence() async throws {
        var limits = EventSocket.Limits()
        limits.tick = .milliseconds(1)
        let (socket, wire) = (EventSocket(limits: limits), Wire())
        #expect(try await Self.run(socket, wire) { .allowed } == .silence)
        #expect(wire.bytes.withLock { $0 } == [0x89, 0, 0x89, 0])
    }

    // MARK: Over a connection

    /// Knows one token until it is taken back.
    private final class Tokens: TokenVerifying {
        let isValid = Mutex(true)
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async -> AccessContext? {
            guard bearerToken == "t", isValid.withLock({ $0 }), let scope = Scope("system/Task.r") else { return nil }
            return AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [scope], requestID: requestID,
                sourceAddress: sourceAddress)
        }
    }

    /// The sockets that were opened, and how they ended.
    private final class Opened: Sendable {
        let arrivals: AsyncStream<EventSocket>
        let arrive: AsyncStream<EventSocket>.Continuation
        let ends: AsyncStream<EventSocket.End>
        let end: AsyncStream<EventSocket.End>.Continuation
        init() {
            (arrivals, arrive) = AsyncStream.makeStream(of: EventSocket.self)
            (ends, end) = AsyncStream.makeStream(of: EventSocket.End.self)
        }
    }

    private static func serving(
        _ tokens: Tokens, _ opened: Opened, _ test: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let route = Route(
            .get, "/events", operationID: "events", access: .bearer(.permission(.read, on: "Task")), isSafe: false,
            isSocket: true
        ) { request in
            let headers = try WebSocketHandshake.answer(to: request.headers)
            guard let socket = request.socket else { throw HTTPFailure(.notImplemented, "no socket") }
            opened.arrive.yield(socket.events)
            return Response(
                status: .switchingProtocols, headers: headers,
                body: ResponseBody { writer in
                    opened.end.yield(try await socket.events.run(&writer) { await socket.standing { _ in true } })
                    try await writer.finish(nil)
                })
        }
        let table = try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: [route])])
        let responder = APIResponder(
            table: table,
            authenticator: BearerAuthenticator(tokens: tokens, audit: APIResponderTests.Trail(), realm: "h"),
            newRequestID: { "id" })
        try await ListenerHarness.serving(
            responder, { HTTPListener(responder: $0, limits: ListenerHarness.limits) }, test)
    }

    private static func request(_ more: String = "Authorization: Bearer t\r\n", path: String = "/events") -> String {
        "GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(more)\r\n"
    }

    @Test("An HTTP connection becomes the socket: 101, frames both ways, the close answered, then its end")
    func connection() async throws {
        let opened = Opened()
        try await Self.serving(Tokens(), opened) { port in
            try await ListenerHarness.connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.request()))
                var arrivals = opened.arrivals.makeAsyncIterator()
                let socket = try #require(await arrivals.next())
                #expect(socket.send(Array("one".utf8)))
                var all: [UInt8] = []
                var steps = [Array("one".utf8), [0x8A, 2, 5, 6]][...]
                for try await buffer in inbound {
                    all += buffer.readableBytesView
                    while let next = steps.first, all.firstRange(of: next) != nil {
                        steps = steps.dropFirst()
                        let frame =
                            steps.isEmpty
                            ? WebSocketTests.frame(0x88, [0x03, 0xE8]) : WebSocketTests.frame(0x89, [5, 6])
                        try await outbound.write(ByteBuffer(bytes: frame))
                    }
                }
                let text = String(decoding: all, as: UTF8.self)
                #expect(text.hasPrefix("HTTP/1.1 101 "))
                #expect(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
                #expect(
                    !text.lowercased().contains("transfer-encoding") && !text.lowercased().contains("content-length"))
                let head = try #require(all.firstRange(of: Array("\r\n\r\n".utf8)))
                #expect(
                    Array(all[head.upperBound...]) == [0x81, 3] + Array("one".utf8) + [0x8A, 2, 5, 6] + Self.close(1000)
                )
            }
        }
    }

    @Test(
        "A token by a subprotocol opens it; none, a wrong one and HTTP/1.0 do not; a token taken back ends it with 1008"
    )
    func tokens() async throws {
        let (tokens, opened) = (Tokens(), Opened())
        try await Self.serving(tokens, opened) { port in
            let refused = try await ListenerHarness.exchange(port, Self.request(""))
            #expect(String(decoding: refused, as: UTF8.self).hasPrefix("HTTP/1.1 401 "))
            let wrong = try await ListenerHarness.exchange(
                port, Self.request("Sec-WebSocket-Protocol: dicomweb.events, bearer.x\r\n"))
            #expect(String(decoding: wrong, as: UTF8.self).hasPrefix("HTTP/1.1 401 "))
            let old = try await ListenerHarness.exchange(
                port, Self.request().replacing("HTTP/1.1", with: "HTTP/1.0"))
            #expect(!String(decoding: old, as: UTF8.self).contains(" 101 "))
            try await ListenerHarness.connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(
                    ByteBuffer(
                        string: Self.request(
                            "Sec-WebSocket-Protocol: dicomweb.events, bearer.t\r\nOrigin: http://h\r\n")))
                var arrivals = opened.arrivals.makeAsyncIterator()
                let socket = try #require(await arrivals.next())
                tokens.isValid.withLock { $0 = false }
                #expect(socket.send([1]))
                var all: [UInt8] = []
                for try await buffer in inbound { all += buffer.readableBytesView }
                let head = try #require(all.firstRange(of: Array("\r\n\r\n".utf8)))
                #expect(Array(all[head.upperBound...]) == Self.close(1008))
            }
        }
    }

    @Test("Bytes that are no frames end it with 1002, and a peer that leaves is let go")
    func hostile() async throws {
        let opened = Opened()
        try await Self.serving(Tokens(), opened) { port in
            try await ListenerHarness.connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.request()))
                var all: [UInt8] = []
                var isSent = false
                for try await buffer in inbound {
                    all += buffer.readableBytesView
                    if !isSent, all.firstRange(of: Array("\r\n\r\n".utf8)) != nil {
                        isSent = true
                        try await outbound.write(ByteBuffer(string: Self.request()))
                    }
                }
                #expect(Array(all.suffix(4)) == Self.close(1002))
            }
            try await ListenerHarness.connect(port).executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.request()))
                for try await _ in inbound { break }
            }
            var ends = opened.ends.makeAsyncIterator()
            #expect(await ends.next() == .closed(.protocolError))
            #expect(await ends.next() == .peer)
        }
    }
}
