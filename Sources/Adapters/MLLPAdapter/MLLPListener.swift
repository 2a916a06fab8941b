import HL7v2
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// The HL7 door: takes messages over MLLP, hands each to one function, and sends back what that returns.
///
/// Runs until graceful shutdown: then it accepts no more, lets every connection answer the message it has in flight,
/// and returns. A message is a child task; nothing outlives `run`.
package struct MLLPListener: Service {
    /// Gives the acknowledgment for one message. Empty bytes close the connection without an answer.
    package typealias Receive = @Sendable (_ message: [UInt8], _ peer: MLLPPeer) async -> [UInt8]
    /// Gives the acknowledgment for a frame past the limit, from its first bytes.
    package typealias RefuseOversized = @Sendable (_ head: [UInt8]) -> [UInt8]

    private let configuration: MLLPConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let bound: @Sendable (SocketAddress) -> Void
    private let receive: Receive
    private let refuseOversized: RefuseOversized

    /// - Parameter bound: Called once the port is open, with the address that was taken.
    package init(
        configuration: MLLPConfiguration, group: any EventLoopGroup, logger: Logger,
        bound: @escaping @Sendable (SocketAddress) -> Void = { _ in }, refuseOversized: @escaping RefuseOversized,
        receive: @escaping Receive
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.bound = bound
        self.receive = receive
        self.refuseOversized = refuseOversized
    }

    /// Throws when the port can not be opened.
    package func run() async throws {
        let (work, feed) = AsyncStream.makeStream(of: MLLPWork.self, bufferingPolicy: .unbounded)
        let connections = MLLPConnections(
            connectionsMax: configuration.limits.connectionsMax, perPeerMax: configuration.limits.connectionsPerPeerMax,
            allClosed: { feed.finish() })
        let server = try await open(connections, feed)
        if let address = server.localAddress {
            logger.info("MLLP listening", metadata: ["address": "\(address)", "tls": "\(configuration.tls != nil)"])
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
        case .message(let bytes): item.reply(await receive(bytes, item.peer))
        case .oversized(let head):
            logger.warning("MLLP frame past the limit", metadata: ["peer": "\(item.peer.address)"])
            item.reply(refuseOversized(head))
        }
    }

    private func open(_ connections: MLLPConnections, _ feed: AsyncStream<MLLPWork>.Continuation) async throws
        -> any Channel
    {
        let configuration = configuration
        let logger = logger
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls = configuration.tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        MLLPConnectionHandler(configuration: configuration, connections: connections, logger: logger) {
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
