import Access
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import OutboundAdapter

/// Syslog over TLS: framing, and what counts as taken. RFC 5424, RFC 5425; PS3.15 §A.6.
@Suite(.takingTurns) struct SyslogAuditFeedTests {
    /// What a receiver does with a connection.
    private enum Manner: Sendable { case reads, closes, hangs }

    /// The bytes of each connection that came to its end.
    private final class Received: Sendable {
        let connections = Mutex<[[UInt8]]>([])
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let received: Received
        private let manner: Manner
        private var bytes: [UInt8] = []

        init(_ received: Received, _ manner: Manner) {
            self.received = received
            self.manner = manner
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if manner == .closes { return context.close(promise: nil) }
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) {
            received.connections.withLock { $0.append(bytes) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Swallows everything, so that TLS never begins and nothing ever ends.
    private final class Silent: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    }

    private static func certificate() throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
    }

    private static func server() throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(try certificate())],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem))))
    }

    private static func run(
        _ manner: Manner, trusts: Bool = true, _ events: [FedEvent]
    ) async throws -> (answer: FeedAnswer, connections: [[UInt8]]) {
        let received = Received()
        let (certificate, server) = (try certificate(), try server())
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if manner == .hangs { return try channel.pipeline.syncOperations.addHandler(Silent()) }
                    if manner == .reads {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: server))
                    }
                    try channel.pipeline.syncOperations.addHandler(Handler(received, manner))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(trusts ? [certificate] : [])
        let context = try NIOSSLContext(configuration: client)
        var limits = SyslogAuditFeed.Limits()
        (limits.connect, limits.batch) = (.minutes(10), .minutes(10))
        if manner == .hangs { limits.batch = .milliseconds(300) }
        let feed = SyslogAuditFeed(
            host: "127.0.0.1", port: listener.localAddress?.port ?? 0, kind: .dicom, machine: "host 1", process: 42,
            limits: limits
        ) { context }
        let answer = await feed.send(events)
        try await listener.close()
        return (answer, received.connections.withLock { $0 })
    }

    /// Reads everything and does not end its side; tells when the sender has ended theirs.
    private final class Listening: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let heard: EventLoopPromise<Void>
        init(_ heard: EventLoopPromise<Void>) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { heard.succeed(()) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private static func event(_ number: Int64, _ text: String, isFailure: Bool = false) -> FedEvent {
        FedEvent(
            number: number, timestamp: "2026-11-30T05:00:00.123Z", body: Array(text.utf8), isFailure: isFailure)
    }

    @Test("RFC 5424 §6: priority, version, time, host, program, process, MSGID, the row's number, the mark of UTF-8")
    func message() {
        let frame = SyslogMessage.frame(Self.event(1, "<ü/>"), .dicom, host: "a.b", process: 7)
        let head = "<85>1 2026-11-30T05:00:00.123Z a.b hilum 7 DICOM+RFC3881 [meta sequenceId=\"1\"] "
        let message = Array(head.utf8) + [0xEF, 0xBB, 0xBF] + Array("<ü/>".utf8)
        // RFC 5425 §4.3: octets, not characters.
        #expect(frame == Array("\(message.count) ".utf8) + message)
        let failed = SyslogMessage.frame(Self.event(1, "x", isFailure: true), .ihe, host: "", process: 1)
        let expected = #"<84>1 2026-11-30T05:00:00.123Z - hilum 1 IHE+RFC-3881 [meta sequenceId="1"] "#
        #expect(String(decoding: failed, as: UTF8.self).contains(expected))
        #expect(SyslogMessage.token("a b\u{7}ü", max: 255) == "ab")
        #expect(SyslogMessage.token(String(repeating: "a", count: 300), max: 255).utf8.count == 255)
    }

    @Test("RFC 5425 §4.4: what was sent counts as taken once the receiver has ended the connection in order")
    func taken() async throws {
        let events = (1...50).map { Self.event(Int64($0), "<m>\($0)</m>") }
        let (answer, connections) = try await Self.run(.reads, events)
        #expect(answer == FeedAnswer([FeedAnswer.Verdict](repeating: .taken, count: 50)))
        let expected = events.flatMap { SyslogMessage.frame($0, .dicom, host: "host 1", process: 42) }
        #expect(connections == [expected])
    }

    @Test("A receiver that closes at once, hangs, is not trusted or is not there has taken nothing")
    func notTaken() async throws {
        let events = [Self.event(1, "<m/>"), Self.event(2, "<m/>")]
        for manner in [Manner.closes, .hangs] {
            let (answer, _) = try await Self.run(manner, events)
            #expect(answer.verdicts == [])
            #expect(answer.failure != nil)
        }
        let (answer, _) = try await Self.run(.reads, trusts: false, events)
        #expect(answer.verdicts == [])
        #expect(answer.failure?.contains("TLS failed") == true, "\(answer.failure ?? "")")
        let context = try NIOSSLContext(configuration: .makeClientConfiguration())
        let nobody = SyslogAuditFeed(
            host: "127.0.0.1", port: 1, kind: .dicom, machine: "h", process: 1
        ) { context }
        #expect(await nobody.send(events) == FeedAnswer([], failure: "no connection"))
    }

    @Test("Without the certificate that it is to show a feed sends nothing, and says why")
    func unreadable() async {
        struct Unreadable: Error {}
        let feed = SyslogAuditFeed(host: "127.0.0.1", port: 1, kind: .dicom, machine: "h", process: 1) {
            throw Unreadable()
        }
        let answer = await feed.send([Self.event(1, "<m/>")])
        #expect(answer == FeedAnswer([], failure: OutboundFailure.noIdentity.rawValue))
    }

    @Test("A batch that is given up while its receiver has not ended the connection was not taken")
    func givenUp() async throws {
        let (certificate, server) = (try Self.certificate(), try Self.server())
        let heard = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Void.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: server))
                    try channel.pipeline.syncOperations.addHandler(Listening(heard))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates([certificate])
        let context = try NIOSSLContext(configuration: client)
        let feed = SyslogAuditFeed(
            host: "127.0.0.1", port: listener.localAddress?.port ?? 0, kind: .dicom, machine: "h", process: 1
        ) { context }
        let sending = Task { await feed.send([Self.event(1, "<m/>")]) }
        try await heard.futureResult.get()
        sending.cancel()
        #expect(await sending.value == FeedAnswer([], failure: "the connection was given up"))
        try await listener.close()
    }
}
