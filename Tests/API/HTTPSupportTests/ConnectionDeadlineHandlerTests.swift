import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import HTTPSupport

/// Reliability rule R11: a slow client cannot hold the server.
@Suite(.takingTurns) struct ConnectionDeadlineHandlerTests {
    private func connected() throws -> (EmbeddedChannel, EmbeddedEventLoop) {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(handler: ConnectionDeadlineHandler(), loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, loop)
    }

    @Test("A connection without a request is closed after ten seconds, not before")
    func firstRequest() throws {
        let (channel, loop) = try connected()
        loop.advanceTime(by: .milliseconds(9999))
        #expect(channel.isActive)
        loop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    @Test("A request within ten seconds keeps the connection")
    func requestInTime() throws {
        let (channel, loop) = try connected()
        loop.advanceTime(by: .seconds(9))
        try channel.writeInbound(1)
        loop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        _ = try channel.finish()
    }

    @Test("A peer that does not read is closed after thirty seconds; one that reads in between is not")
    func stalledPeer() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(1)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        loop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        loop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive)
    }

    @Test("A buffer that fills and empties all the time plans one look, and the limit counts from when it filled last")
    func lastStall() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(1)
        for _ in 0..<5 {
            channel.isWritable = false
            channel.pipeline.fireChannelWritabilityChanged()
            loop.advanceTime(by: .seconds(8))
            channel.isWritable = true
            channel.pipeline.fireChannelWritabilityChanged()
        }
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        loop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        loop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test("A slow peer is kept while it takes 32 KiB within each limit, however much waits; one byte less is too slow")
    func slowPeer() throws {
        let (channel, loop) = try connected()
        try channel.writeInbound(1)
        channel.write(ByteBuffer(repeating: 0, count: ConnectionDeadlineHandler.takenBytesMin), promise: nil)
        channel.write(ByteBuffer(repeating: 0, count: ConnectionDeadlineHandler.takenBytesMin - 1), promise: nil)
        let before = try channel.syncOptions?.getOption(.bufferedWritableBytes)
        try #require(before == 2 * ConnectionDeadlineHandler.takenBytesMin - 1)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        // All is taken within the first limit, nothing within the second.
        loop.advanceTime(by: .seconds(10))
        channel.flush()
        loop.advanceTime(by: .seconds(20))
        #expect(channel.isActive)
        channel.write(ByteBuffer(repeating: 0, count: ConnectionDeadlineHandler.takenBytesMin), promise: nil)
        loop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive)
    }
}
