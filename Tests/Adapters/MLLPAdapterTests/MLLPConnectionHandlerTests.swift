import Access
import HL7v2
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

@testable import MLLPAdapter

/// HL7 v2.5.1 Appendix C, MLLP: one message in flight, in a channel without a socket whose clock the test moves.
@Suite(.takingTurns) struct MLLPConnectionHandlerTests {
    private final class Works: Sendable {
        private let state = Mutex<[MLLPWork]>([])
        var all: [MLLPWork] { state.withLock { $0 } }
        func append(_ work: MLLPWork) { state.withLock { $0.append(work) } }
        var controlIDs: [String] {
            all.map { work in
                guard case .message(let bytes) = work.event else { return "?" }
                return MessageHeader.recovered(from: bytes).controlIDText
            }
        }
    }

    private func channel(_ works: Works, _ configure: (inout MLLPConfiguration) -> Void = { _ in }) throws
        -> EmbeddedChannel
    {
        var configuration = MLLPConfiguration(port: 0)
        configuration.limits.openFrame = .seconds(30)
        configuration.limits.idle = .seconds(300)
        configure(&configuration)
        let channel = EmbeddedChannel(
            handler: MLLPConnectionHandler(
                configuration: configuration, connections: MLLPConnections(allClosed: {}),
                memory: MemoryBudget.unlimited.reservation(), logger: TestListener.quiet
            ) { work in
                works.append(work)
                return true
            })
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
        return channel
    }

    private func framed(_ id: String) throws -> [UInt8] { try MLLPEncoder.frame(TestListener.message(id)) }

    /// Control ids of the messages acknowledged since the last call.
    private func answers(_ channel: EmbeddedChannel) throws -> [[UInt8]] {
        var answers: [[UInt8]] = []
        var decoder = MLLPDecoder()
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            for case .message(let message) in decoder.decode(bytes.readableBytesView) { answers.append(message) }
        }
        return answers
    }

    private func reply(_ works: Works, _ index: Int, _ bytes: [UInt8], _ channel: EmbeddedChannel) {
        works.all[index].reply(bytes.isEmpty ? .close : .answers([bytes]))
        channel.embeddedEventLoop.run()
    }

    @Test("Three messages in one segment are handed over one by one, each after the answer to the one before")
    func oneInFlight() throws {
        let works = Works()
        let channel = try channel(works)
        try channel.writeInbound(ByteBuffer(bytes: try framed("1") + framed("2") + framed("3")))
        #expect(works.controlIDs == ["1"])
        reply(works, 0, Array("A".utf8), channel)
        #expect(works.controlIDs == ["1", "2"])
        #expect(try answers(channel) == [Array("A".utf8)])
        reply(works, 1, Array("B".utf8), channel)
        reply(works, 2, Array("C".utf8), channel)
        #expect(works.controlIDs == ["1", "2", "3"])
        #expect(try answers(channel) == [Array("B".utf8), Array("C".utf8)])
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A frame in one-byte pieces is one message; an answer of no bytes closes the connection")
    func pieces() throws {
        let works = Works()
        let channel = try channel(works)
        for byte in try framed("9") { try channel.writeInbound(ByteBuffer(bytes: [byte])) }
        #expect(works.controlIDs == ["9"])
        reply(works, 0, [], channel)
        #expect(!channel.isActive)
        #expect(try answers(channel).isEmpty)
    }

    @Test("A frame left open is closed at its deadline, however often bytes come; not while a message is worked on")
    func openFrame() throws {
        let works = Works()
        let channel = try channel(works)
        try channel.writeInbound(ByteBuffer(bytes: try framed("1") + framed("2").prefix(10)))
        channel.embeddedEventLoop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        reply(works, 0, Array("A".utf8), channel)
        for _ in 0..<3 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(9))
            if channel.isActive { try channel.writeInbound(ByteBuffer(string: "x")) }
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(31))
        #expect(!channel.isActive)
        #expect(works.controlIDs == ["1"])
    }

    @Test("An idle connection is closed at its deadline, one whose message is worked on is not")
    func idle() throws {
        let works = Works()
        let busy = try channel(works)
        try busy.writeInbound(ByteBuffer(bytes: try framed("1")))
        busy.embeddedEventLoop.advanceTime(by: .seconds(1000))
        #expect(busy.isActive)
        reply(works, 0, Array("A".utf8), busy)
        busy.embeddedEventLoop.advanceTime(by: .seconds(299))
        #expect(busy.isActive)
        busy.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!busy.isActive)
    }

    @Test("Draining: the message under way is answered, then the connection closes; what waits is not begun")
    func drain() throws {
        let works = Works()
        let channel = try channel(works)
        try channel.writeInbound(ByteBuffer(bytes: try framed("1") + framed("2")))
        channel.pipeline.fireUserInboundEventTriggered(MLLPConnectionHandler.Drain.now)
        #expect(channel.isActive)
        reply(works, 0, Array("A".utf8), channel)
        #expect(try answers(channel) == [Array("A".utf8)])
        #expect(!channel.isActive)
        #expect(works.controlIDs == ["1"])
    }
}
