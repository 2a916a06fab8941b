import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import TestSupport
import Testing

@testable import HTTPSupport

/// Reliability rule R11: a body of less than 1 KiB a second over 30 s is given up.
@Suite(.takingTurns) struct BodyPaceHandlerTests {
    private static let head = HTTPRequestPart.head(
        HTTPRequest(method: .post, scheme: "https", authority: "x", path: "/"))
    private static func body(_ count: Int) -> HTTPRequestPart { .body(ByteBuffer(repeating: 0, count: count)) }

    /// A connection whose server waits for bytes after the parts.
    private func reading(_ parts: HTTPRequestPart..., isServerBusy: Bool = false) throws -> (
        EmbeddedChannel, EmbeddedEventLoop
    ) {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(handler: BodyPaceHandler(), loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for part in parts { try channel.writeInbound(part) }
        if !isServerBusy { channel.read() }
        return (channel, loop)
    }

    @Test("A body that stops is a timeout after thirty seconds, not before, and once")
    func stopped() throws {
        let (channel, loop) = try reading(Self.head, Self.body(100))
        loop.advanceTime(by: .milliseconds(29_999))
        try channel.throwIfErrorCaught()
        loop.advanceTime(by: .milliseconds(1))
        #expect(throws: HTTPFailure(.timeout, "")) { try channel.throwIfErrorCaught() }
        loop.advanceTime(by: .seconds(300))
        try channel.throwIfErrorCaught()
        #expect(channel.isActive)
    }

    @Test("30 KiB in thirty seconds are enough, one byte less is not", arguments: [0, 1])
    func rate(missing: Int) throws {
        let (channel, loop) = try reading(Self.head)
        for part in 0..<3 {
            loop.advanceTime(by: .seconds(9))
            try channel.writeInbound(Self.body(10 * 1024 - (part == 2 ? missing : 0)))
            channel.read()
        }
        loop.advanceTime(by: .seconds(3))
        if missing == 0 {
            try channel.throwIfErrorCaught()
            // The next thirty seconds count anew.
            loop.advanceTime(by: .milliseconds(29_999))
            try channel.throwIfErrorCaught()
            loop.advanceTime(by: .milliseconds(1))
        }
        #expect(throws: HTTPFailure(.timeout, "")) { try channel.throwIfErrorCaught() }
    }

    @Test("While the server does not read, the peer is not blamed; when it reads again, the time begins anew")
    func busyServer() throws {
        let (channel, loop) = try reading(Self.head, Self.body(100), isServerBusy: true)
        loop.advanceTime(by: .seconds(100))
        try channel.throwIfErrorCaught()
        channel.read()
        // The look after ninety seconds found the server busy, the next one is due after 120.
        loop.advanceTime(by: .milliseconds(19_999))
        try channel.throwIfErrorCaught()
        loop.advanceTime(by: .milliseconds(1))
        #expect(throws: HTTPFailure(.timeout, "")) { try channel.throwIfErrorCaught() }
    }

    @Test("A whole request plans nothing, and a slow one behind a quick one has thirty seconds of its own")
    func wholeRequests() throws {
        let (channel, loop) = try reading(Self.head, Self.body(10), .end(nil))
        loop.advanceTime(by: .seconds(25))
        try channel.writeInbound(Self.head)
        channel.read()
        loop.advanceTime(by: .milliseconds(29_999))
        try channel.throwIfErrorCaught()
        loop.advanceTime(by: .milliseconds(1))
        #expect(throws: HTTPFailure(.timeout, "")) { try channel.throwIfErrorCaught() }
        let (quiet, clock) = try reading(Self.head, .end(nil))
        clock.advanceTime(by: .seconds(1000))
        try quiet.throwIfErrorCaught()
    }
}
