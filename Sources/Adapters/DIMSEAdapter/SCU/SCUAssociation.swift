import Access
import DICOMData
import DICOMNetwork
import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// An association that this side asked for. One request at a time; the services by name are `…SCU`.
package struct SCUAssociation: Sendable {
    /// What is proposed beside contexts, and who answers what the peer asks.
    package struct Terms: Sendable {
        /// Roles other than that of the SCU. PS3.7 §D.3.3.4.
        package var roles: [RoleSelection] = []
        /// PS3.7 §D.3.3.5.
        package var extendedNegotiations: [ExtendedNegotiation] = []
        /// For requests of the peer; ``SCUAssociation/serve()`` runs them.
        package var services: [any ServiceClassProvider] = []
        /// Ends the association, also while it is being opened.
        package var interruption: Interruption?
        package var logger = Logger(label: "dimse.scu")
        package init() {}

        var bySyntax: [String: any ServiceClassProvider] {
            var services: [String: any ServiceClassProvider] = [:]
            for service in self.services { for uid in service.abstractSyntaxes.keys { services[uid] = service } }
            return services
        }
    }

    package let invoker: OperationInvoker
    package var negotiated: NegotiatedAssociation { invoker.negotiated }
    let channel: any Channel
    private let work: AsyncStream<DIMSEExchange.Work>
    private let logger: Logger
    private var exchange: NIOLoopBound<DIMSEExchange> { invoker.exchange }

    /// Opens a connection and an association.
    ///
    /// - contexts: Abstract syntax and transfer syntaxes of each context; the identifiers 1, 3, 5… follow their order.
    ///   At most 128.
    ///
    /// Throws ``SCUError``, NIO's error when no connection could be opened, and what fetching an identity throws.
    package static func open(
        _ destination: Destination, contexts: [(abstractSyntax: String, transferSyntaxes: [String])],
        terms: Terms = Terms(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> SCUAssociation {
        let request = try await request(destination, contexts, terms)
        let loop = group.next()
        let associated = loop.makePromise(of: NegotiatedAssociation.self)
        let (work, continuation) = AsyncStream.makeStream(of: DIMSEExchange.Work.self)
        let exchange = try await loop.submit {
            NIOLoopBound(
                DIMSEExchange(
                    services: terms.bySyntax, eventLoop: loop, timers: destination.timers, work: continuation,
                    logger: terms.logger, associated: associated, info: Self.info(destination)),
                eventLoop: loop)
        }.get()
        let channel: any Channel
        do {
            channel = try await connect(destination, request, terms, exchange)
        } catch {
            try? await loop.submit { exchange.value.associationEnded(.connectionLost) }.get()
            throw error
        }
        do {
            let negotiated = try await associated.futureResult.get()
            guard destination.identity?.mustBeConfirmed != true || negotiated.userIdentityResponse != nil else {
                throw SCUError.identityNotConfirmed
            }
            return SCUAssociation(
                invoker: OperationInvoker(negotiated, exchange), channel: channel, work: work, logger: terms.logger)
        } catch {
            // What is to be told to the peer is with the socket by now; it is not waited for.
            try? await loop.submit { exchange.value.abort() }.get()
            channel.close(promise: nil)
            throw error
        }
    }

    private static func request(
        _ destination: Destination, _ contexts: [(abstractSyntax: String, transferSyntaxes: [String])], _ terms: Terms
    ) async throws -> AssociateRequest {
        var userInformation = UserInformation(
            maximumLength: NetworkLimits().dataPDULengthOffered,
            implementationClassUID: FileMeta.implementationClassUID,
            implementationVersionName: FileMeta.implementationVersionName)
        userInformation.roleSelections = terms.roles
        userInformation.extendedNegotiations = terms.extendedNegotiations
        userInformation.userIdentity = try await destination.identity?.userIdentity()
        return AssociateRequest(
            calledAETitle: destination.calledAETitle, callingAETitle: destination.callingAETitle,
            presentationContexts: contexts.prefix(128).enumerated().map { index, context in
                ProposedPresentationContext(
                    id: UInt8(index * 2 + 1), abstractSyntax: context.abstractSyntax,
                    transferSyntaxes: context.transferSyntaxes)
            }, userInformation: userInformation)
    }

    private static func info(_ destination: Destination) -> AssociationInfo {
        AssociationInfo(
            id: "scu", calledAETitle: destination.calledAETitle, callingAETitle: destination.callingAETitle,
            access: AccessContext(
                principal: Principal(kind: .applicationEntity, id: destination.calledAETitle.value), scopes: [],
                isUnrestricted: true, requestID: "scu", sourceAddress: nil))
    }

    private static func connect(
        _ destination: Destination, _ request: AssociateRequest, _ terms: Terms, _ exchange: NIOLoopBound<DIMSEExchange>
    ) async throws -> any Channel {
        let limits = NetworkLimits()
        return try await ClientBootstrap(group: exchange.eventLoop)
            .connectTimeout(destination.timers.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(
                .writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 512 << 10)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    terms.interruption?.follow(channel)
                    let pipeline = channel.pipeline.syncOperations
                    if let tls = destination.tls {
                        let name = destination.serverName
                        try pipeline.addHandler(
                            try destination.pinned?.handler(tls, serverName: name)
                                ?? NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try pipeline.addHandler(ByteToMessageHandler(PDUFrameDecoder(limits: limits)))
                    try pipeline.addHandler(
                        AssociationHandler(
                            user: exchange.value, request: request, timers: destination.timers, limits: limits,
                            sendLengthMax: destination.sendLengthMax))
                }
            }
            .connect(host: destination.host, port: destination.port).get()
    }

    /// Performs what the peer asks on this association, until it ends. For a task beside the one that asks.
    package func serve() async {
        for await item in work {
            if case .perform(let operation, let responder) = item {
                await exchange.perform(operation, responder, logger, association: nil)
            }
        }
    }

    /// C-ECHO. Throws ``SCUError``.
    package func echo() async throws -> DIMSEStatus {
        try await invoker.status(context(UID.verification), nil) { .cEchoRequest(messageID: $0) }
    }

    /// C-STORE of a data set that is encoded in the transfer syntax of an accepted context. Throws ``SCUError``.
    package func store(
        sopClassUID: String, sopInstanceUID: String, transferSyntax: String, dataSet: ByteBuffer
    ) async throws -> DIMSEStatus {
        try await invoker.status(context(sopClassUID, transferSyntax), dataSet) {
            .cStoreRequest(messageID: $0, sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID)
        }
    }

    /// C-FIND: the matches, and the final status. With `limit` the query is cancelled after that many.
    /// Throws ``SCUError``.
    package func find(
        sopClassUID: String = UID.modalityWorklistFind, identifier: DataSet, limit: Int? = nil
    ) async throws -> (matches: [DataSet], status: DIMSEStatus) {
        let context = try context(sopClassUID)
        guard let syntax = TransferSyntax(uid: context.transferSyntax) else { throw SCUError.responseNotUnderstood }
        let keys = try context.encoded(identifier)
        let responses = try await invoker.invoke(context, keys, cancelAfter: limit) {
            .cFindRequest(messageID: $0, sopClassUID: sopClassUID)
        }
        let decoder = DataSetDecoder(transferSyntax: syntax)
        var matches: [DataSet] = []
        for case let bytes? in responses.map(\.dataSet) {
            matches.append(try decoder.decode(Array(bytes.readableBytesView)))
        }
        return (matches, responses.last?.message.status ?? .processingFailure)
    }

    /// Any request: for services without a call of their own here, and for tests. The responses with their data sets.
    package func request(
        _ context: PresentationContext, _ dataSet: ByteBuffer?,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> [(message: DIMSEMessage, dataSet: ByteBuffer?)] {
        try await invoker.invoke(context, dataSet, makeCommand).map { ($0.message, $0.dataSet) }
    }

    /// Ends the association in agreement. Throws ``SCUError`` when it ended otherwise.
    package func release() async throws {
        let end = try await channel.eventLoop.flatSubmit { exchange.value.release() }.get()
        guard end == .released else { throw SCUError(end) }
    }

    /// Ends the association in agreement, or by an abort where that takes longer or fails.
    func release(within time: TimeAmount) async {
        let exchange = exchange
        let overdue = channel.eventLoop.scheduleTask(in: time) { exchange.value.abort() }
        defer { overdue.cancel() }
        do { try await release() } catch { await abort() }
    }

    /// Waits until the association has ended, and says how; `.released` is the orderly end.
    package func ended() async -> SCUError {
        let end = try? await channel.eventLoop.flatSubmit { exchange.value.endFuture }.get()
        return SCUError(end ?? .connectionLost)
    }

    /// Ends the association at once.
    package func abort() async {
        try? await channel.eventLoop.submit { exchange.value.abort() }.get()
        channel.close(promise: nil)
    }

    // MARK: details

    /// The first accepted context of an abstract syntax on which this side is SCU. Throws ``SCUError``.
    func context(_ abstractSyntax: String, _ transferSyntax: String? = nil) throws(SCUError) -> PresentationContext {
        guard let context = negotiated.context(abstractSyntax: abstractSyntax, transferSyntax: transferSyntax) else {
            throw SCUError.noPresentationContext(abstractSyntax: abstractSyntax, transferSyntax: transferSyntax)
        }
        return context
    }
}

extension PresentationContext {
    /// A data set in the transfer syntax that was agreed on. Throws ``SCUError``, and ``DICOMDataError`` for one that
    /// cannot be encoded.
    func encoded(_ set: DataSet) throws -> ByteBuffer {
        guard let syntax = TransferSyntax(uid: transferSyntax) else { throw SCUError.responseNotUnderstood }
        return ByteBuffer(bytes: try DataSetEncoder(transferSyntax: syntax).encode(set))
    }
}
