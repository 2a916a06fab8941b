import Access
import Admission
import DICOMData
import DICOMNetwork
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Workflow

/// The DIMSE port of the server: accepts associations and serves them until it is told to stop.
///
/// On graceful shutdown no connection is accepted any more, associations end by themselves or once nothing is under
/// way on them, and after `timers.drain` the rest is aborted.
package struct DIMSEListener: Service, CustomStringConvertible {
    private let context: ListenerContext
    private let group: any EventLoopGroup
    private let onListening: @Sendable (Int) -> Void

    /// - services: Each provides its abstract syntaxes; of two that provide the same one the first counts.
    /// - admission: Which connections are let in.
    /// - strangers: Holds back addresses from which titles are guessed.
    /// - memory: What PDUs and identifiers of all associations may hold.
    /// - places: Counts associations; one for all listeners whose associations count together.
    /// - onListening: Called once with the port.
    package init(
        configuration: DIMSEConfiguration, services: [any ServiceClassProvider], peers: any PeerDirectory,
        audit: any AuditTrail, entropy: any Entropy, logger: Logger, admission: Admission = Admission(),
        strangers: CallerThrottle = CallerThrottle(now: Descriptors.monotonicMicroseconds),
        memory: MemoryBudget = .unlimited, places: AssociationPlaces? = nil,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        var bySyntax: [String: any ServiceClassProvider] = [:]
        var supported: [String: SupportedAbstractSyntax] = [:]
        for service in services {
            for (uid, support) in service.abstractSyntaxes where bySyntax[uid] == nil {
                bySyntax[uid] = service
                supported[uid] = support
            }
        }
        context = ListenerContext(
            configuration: configuration,
            policy: AcceptorPolicy(
                aeTitles: configuration.aeTitles, abstractSyntaxes: supported,
                maximumLength: configuration.networkLimits.dataPDULengthOffered,
                implementationClassUID: FileMeta.implementationClassUID,
                implementationVersionName: FileMeta.implementationVersionName),
            services: bySyntax, providers: services, peers: peers, audit: audit, entropy: entropy,
            admission: admission, strangers: strangers, memory: memory,
            registry: AssociationRegistry(places ?? AssociationPlaces(limits: configuration.limits)), logger: logger)
        self.group = group
        self.onListening = onListening
    }

    /// Short: a service group prints its services as it starts, and what a listener holds takes seconds to print.
    package var description: String { "DIMSEListener(\(context.configuration.host):\(context.configuration.port))" }

    /// Associations now, with those that count together with them.
    package var associations: Int { context.registry.associations }

    /// Listens until graceful shutdown or cancellation. Throws when the port cannot be bound.
    package func run() async throws {
        let context = context
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(
                            context.admission, door: .dimse, isTLS: context.configuration.tls?.use == .required,
                            networks: context.configuration.networks))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(
                .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 512 << 10)
            )
            .bind(host: context.configuration.host, port: context.configuration.port) { channel in
                channel.eventLoop.makeCompletedFuture { try Self.configure(channel, context) }
            }
        let port = server.channel.localAddress?.port ?? context.configuration.port
        context.logger.info(
            "DIMSE listening", metadata: ["port": "\(port)", "tls": "\(context.configuration.tls?.use.word ?? "off")"])
        onListening(port)
        try await withGracefulShutdownHandler {
            try await withTaskExecutorPreference(EventLoopTaskExecutor(server.channel.eventLoop)) {
                try await serve(server)
            }
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
    }

    private func serve(_ server: NIOAsyncChannel<AcceptedConnection?, Never>) async throws {
        let registry = context.registry
        let loop = server.channel.eventLoop
        let drain = context.configuration.timers.drain
        try await server.executeThenClose { connections in
            let deadline = try await withThrowingDiscardingTaskGroup { group in
                for try await case let connection? in connections {
                    let executor = EventLoopTaskExecutor(connection.channel.eventLoop)
                    group.addTask(executorPreference: executor) { await connection.run() }
                }
                registry.drain()
                return loop.scheduleTask(in: drain) { registry.abortAll() }
            }
            deadline.cancel()
        }
    }

    /// The pipeline of one connection; nil for one that is turned away.
    private static func configure(_ channel: any Channel, _ context: ListenerContext) throws -> AcceptedConnection? {
        guard context.registry.admit(channel) else {
            channel.close(promise: nil)
            return nil
        }
        let (work, continuation) = AsyncStream.makeStream(of: DIMSEExchange.Work.self)
        let exchange = DIMSEExchange(
            services: context.services, eventLoop: channel.eventLoop, timers: context.configuration.timers,
            work: continuation, logger: context.logger)
        let pipeline = channel.pipeline.syncOperations
        try context.configuration.tls?.addHandlers(to: channel)
        try pipeline.addHandler(
            ByteToMessageHandler(
                PDUFrameDecoder(
                    limits: context.configuration.networkLimits, memory: context.memory.reservation())))
        try pipeline.addHandler(
            AssociationHandler(
                user: exchange, timers: context.configuration.timers, limits: context.configuration.networkLimits))
        return AcceptedConnection(
            channel: channel, exchange: NIOLoopBound(exchange, eventLoop: channel.eventLoop), work: work,
            listener: context, place: Place.of(channel))
    }
}
