import Access
import Admission
import HL7v2
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// What is done after a message.
package enum MLLPReply: Sendable, Hashable {
    /// Frames with these are sent back, in order; with none the connection just goes on.
    case answers([[UInt8]])
    case close
}

/// The HL7 door: takes messages over MLLP, hands each to one function, and sends back what that returns.
///
/// Runs until graceful shutdown: then it accepts no more, lets every connection answer the message it has in flight,
/// and returns. A message is a child task; nothing outlives `run`.
package struct MLLPListener: Service {
    /// Gives the answers to one message. `isLetIn` is to be called for a sender that may send.
    package typealias Receive =
        @Sendable (_ message: [UInt8], _ peer: MLLPPeer, _ isLetIn: @Sendable () -> Void) async -> MLLPReply
    /// Gives the acknowledgment for a frame past the limit, from its first bytes.
    package typealias RefuseOversized = @Sendable (_ head: [UInt8]) -> [UInt8]
    /// Gives the acknowledgment for a message that there is no memory for now, from its first bytes: send it again.
    package typealias RefuseForNow = @Sendable (_ head: [UInt8]) -> [UInt8]

    private let configuration: MLLPConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let admission: Admission
    private let memory: MemoryBudget
    private let bound: @Sendable (SocketAddress) -> Void
    private let receive: Receive
    private let refuseOversized: RefuseOversized
    private let refuseForNow: RefuseForNow

    /// - Parameters:
    ///   - admission: Which connections are let in.
    ///   - memory: What messages of all connections may hold.
    ///   - bound: Called once the port is open, with the address that was taken.
    package init(
        configuration: MLLPConfiguration, group: any EventLoopGroup, logger: Logger,
        admission: Admission = Admission(), memory: MemoryBudget = .unlimited,
        bound: @escaping @Sendable (SocketAddress) -> Void = { _ in }, refuseOversized: @escaping RefuseOversized,
        refuseForNow: @escaping RefuseForNow, receive: @escaping Receive
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.admission = admission
        self.memory = memory
        self.bound = bound
        self.receive = receive
        self.refuseOversized = refuseOversized
        self.refuseForNow = refuseForNow
    }

    /// Throws when the port can not be opened.
    package func run() async throws {
        let (work, feed) = AsyncStream.makeStream(of: MLLPWork.self, bufferingPolicy: .unbounded)
        let connections = MLLPConnections(allClosed: { feed.finish() })
        let server = try await open(connections, feed)
        if let address = server.localAddress {
            logger.info(
                "MLLP listening", metadata: ["address": "\(address)", "tls": "\(configuration.tls?.use.word ?? "off")"])
            bound(address)
        }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { tasks in
                for await item in work {
                    tasks.addTask { await self.handle(item) }
                }
                // Cancelled rather than drained: answers that are being made can not be sent any more.
                if Task.isCancelled { connections.closeAll() }
            }
        } onGracefulShutdown: {
            server.close(promise: nil)
            connections.drain()
        }
        try? await server.close()
    }

    private func handle(_ item: MLLPWork) async {
        switch item.event {
        case .message(let bytes): item.reply(await receive(bytes, item.peer, item.isLetIn))
        case .oversized(let head):
            logger.warning("MLLP frame past the limit", metadata: ["peer": "\(item.peer.address)"])
            item.reply(.answers([refuseOversized(head)]))
        case .givenUp(let head): item.reply(.answers([refuseForNow(head)]))
        }
    }

    private func open(_ connections: MLLPConnections, _ feed: AsyncStream<MLLPWork>.Continuation) async throws
        -> any Channel
    {
        let configuration = configuration
        let logger = logger
        let admission = admission
        let memory = memory
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(
                            admission, door: .mllp, isTLS: configuration.tls?.use == .required,
                            networks: configuration.networks))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try configuration.tls?.addHandlers(to: channel)
                    try pipeline.addHandler(
                        MLLPConnectionHandler(
                            configuration: configuration, connections: connections, memory: memory.reservation(),
                            logger: logger
                        ) {
                            if case .enqueued = feed.yield($0) { true } else { false }
                        })
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 2)
            .bind(host: configuration.host, port: configuration.port)
            .get()
    }
}

extension MLLPListener: CustomStringConvertible {
    /// A service group writes it to its log; the default would describe all the listener holds.
    package var description: String { "MLLP listener" }
}
