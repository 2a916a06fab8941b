import Access
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Feeds audit messages by syslog over TLS. RFC 5425; DICOM PS3.15 §A.6.
///
/// Syslog has no acknowledgments. What is known is the end of a connection: each batch has one of its own, is ended by a
/// close notification, and counts as taken once the repository has ended its side in order (§4.4). A repository that is
/// killed with bytes unread resets the connection, one that hangs does not end it: the batch is sent again, and what of it
/// was taken comes twice.
package final class SyslogAuditFeed: AuditFeeding {
    /// Bytes of messages on one connection.
    static let batchBytesMax = 1 << 20

    /// How long each part may take.
    package struct Limits: Sendable, Hashable {
        package var connect: TimeAmount = .seconds(10)
        /// For the handshake, all messages and the end together.
        package var batch: TimeAmount = .seconds(60)
        package init() {}
    }

    private let host: String
    private let port: Int
    private let kind: SyslogMessage.Kind
    private let machine: String
    private let process: Int32
    private let limits: Limits
    private let tls: @Sendable () throws -> NIOSSLContext

    /// - Parameters:
    ///   - machine: the name of this machine for the messages' headers; `process` the id of this process.
    ///   - tls: made for each connection, so that certificates that were replaced are used; whatever it throws, nothing is
    ///     sent.
    package init(
        host: String, port: Int, kind: SyslogMessage.Kind, machine: String, process: Int32, limits: Limits = Limits(),
        tls: @escaping @Sendable () throws -> NIOSSLContext
    ) {
        self.host = host
        self.port = port
        self.kind = kind
        self.machine = machine
        self.process = process
        self.limits = limits
        self.tls = tls
    }

    package func close() async {}

    package func send(_ events: [FedEvent]) async -> FeedAnswer {
        var verdicts: [FeedAnswer.Verdict] = []
        while verdicts.count < events.count {
            var bytes: [UInt8] = []
            var count = 0
            for event in events[verdicts.count...] {
                let frame = SyslogMessage.frame(event, kind, host: machine, process: process)
                if count > 0, bytes.count + frame.count > Self.batchBytesMax { break }
                bytes += frame
                count += 1
            }
            do { try await deliver(bytes) } catch {
                return FeedAnswer(verdicts, failure: Self.words(error))
            }
            verdicts += [FeedAnswer.Verdict](repeating: .taken, count: count)
        }
        return FeedAnswer(verdicts)
    }

    /// One connection from its beginning to its end. Throws where it did not end in order.
    private func deliver(_ bytes: [UInt8]) async throws {
        guard let context = try? tls() else { throw OutboundFailure.noIdentity }
        // No certificate is looked at by the name that an address would be.
        let name = IPAddress(host) == nil ? host : nil
        let isWhole = WholeBatch()
        let ended = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Void.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(limits.connect)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
                        try pipeline.addHandler(SyslogEnding(ended, isWhole))
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            ended.fail(error)
            throw OutboundFailure.noConnection
        }
        let deadline = channel.eventLoop.scheduleTask(in: limits.batch) {
            ended.fail(SyslogFailure.noEnd)
            // Without waiting for the other side's end again.
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenComplete { result in
            // The handler knows why, and tells when the connection has ended.
            if case .failure = result { return channel.close(promise: nil) }
            // The close notification, and the end of our side; the other side's is read.
            channel.close(mode: .output).whenSuccess { isWhole.set() }
        }
        try await withTaskCancellationHandler {
            try await ended.futureResult.get()
        } onCancel: {
            // First: an end that we make ourselves says nothing of what was taken.
            ended.fail(CancellationError())
            channel.close(promise: nil)
        }
    }

    /// Nothing of the other side's making.
    private static func words(_ error: any Error) -> String {
        switch error {
        case let failure as SyslogFailure: failure.rawValue
        case let failure as OutboundFailure: failure.rawValue
        case let error where SyslogEnding.isOfTLS(error):
            "TLS failed: a certificate is not trusted, not of this host or not taken, or no version is shared"
        case is CancellationError: "the connection was given up"
        default: SyslogFailure.reset.rawValue
        }
    }
}

/// Why a batch counts as not taken.
enum SyslogFailure: String, Error, Sendable {
    case noEnd = "the repository did not end the connection in time"
    case reset = "the connection was reset before all was taken"
}

/// Whether all of a batch, and the end of our side, has left.
final class WholeBatch: Sendable {
    private let flag = Mutex(false)
    var isSet: Bool { flag.withLock { $0 } }
    func set() { flag.withLock { $0 = true } }
}

/// Waits for the end of a connection. Confined to its event loop.
final class SyslogEnding: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let ended: EventLoopPromise<Void>
    private let isWhole: WholeBatch
    private var failure: (any Error)?

    init(_ ended: EventLoopPromise<Void>, _ isWhole: WholeBatch) {
        self.ended = ended
        self.isWhole = isWhole
    }

    /// A repository has nothing to say.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An end without a close notification is one all the same, where the bytes before it were read: whoever leaves
        // some unread resets. RFC 5425 §4.4.
        if case NIOSSLError.uncleanShutdown = error { return }
        // What TLS says of it is why; that the connection is gone then follows.
        if failure == nil || Self.isOfTLS(error) { failure = error }
        context.close(promise: nil)
    }

    static func isOfTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let failure = failure ?? (isWhole.isSet ? nil : SyslogFailure.reset) {
            ended.fail(failure)
        } else {
            ended.succeed(())
        }
        context.fireChannelInactive()
    }
}
