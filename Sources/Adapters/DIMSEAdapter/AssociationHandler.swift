import Admission
import DICOMNetwork
import NIOCore

/// What may be asked of an association from outside its pipeline.
enum AssociationCommand: Sendable {
    /// Ends the association as soon as no message is under way.
    case drain
    /// Ends it now.
    case abort(Abort)
}

/// The channel handler of one association: turns channel events into those of the state machine and performs the
/// actions that come back. PS3.8 §9.2.
///
/// Outgoing messages are queued and cut into PDUs while the channel takes them, one buffer and one write a PDU, so
/// that a slow peer holds back its sender and not our memory. Everything here runs on the channel's event loop.
final class AssociationHandler: ChannelInboundHandler {
    typealias InboundIn = PDU
    typealias OutboundOut = ByteBuffer

    private let user: any AssociationUser
    /// Set for a requestor.
    private let request: AssociateRequest?
    private let timers: DIMSETimers
    private let limits: NetworkLimits
    /// Bytes of a P-DATA-TF that a requestor sends at most; nil for as many as the peer takes.
    private let sendLengthMax: UInt32?
    private var machine = AssociationStateMachine()
    private var assembler: MessageAssembler?
    /// Once the association is accepted.
    private var outgoing: OutgoingMessages?
    private var context: ChannelHandlerContext?

    private var events = CircularBuffer<AssociationStateMachine.Event>()
    private var isHandling = false
    private var artim: Scheduled<Void>?
    private var idle: Scheduled<Void>?
    /// When the peer last made progress, and what has come since.
    private var lastActivity = NIODeadline.distantPast
    private var bytesSince = 0
    private var isDraining = false
    private var hasEnded = false
    /// The peer has aborted: it hears nothing more.
    private var isAborted = false
    /// The cause of an end of our own that is more precise than the machine's.
    private var ownEnd: AssociationEnd?

    init(
        user: any AssociationUser, request: AssociateRequest? = nil, timers: DIMSETimers, limits: NetworkLimits,
        sendLengthMax: UInt32? = nil
    ) {
        self.user = user
        self.request = request
        self.timers = timers
        self.limits = limits
        self.sendLengthMax = sendLengthMax
    }

    // MARK: for the user of the association

    /// A-ASSOCIATE response, positive.
    func accept(_ accept: AssociateAccept, _ association: NegotiatedAssociation) {
        begin(association)
        handle(.accept(accept))
    }

    /// A-ASSOCIATE response, negative.
    func reject(_ reject: AssociateReject) {
        handle(.reject(reject))
        end(.rejected(reject))
    }

    /// Sends one message; succeeds once its last PDU went to the socket, fails when the association ends before.
    func send(_ command: CommandSet, dataSet: ByteBuffer?, contextID: UInt8) -> EventLoopFuture<Void>? {
        guard let context, outgoing != nil, machine.permitsData, !hasEnded else { return nil }
        beginWriting()
        let promise = context.eventLoop.makePromise(of: Void.self)
        outgoing?.append(
            command, dataSet: dataSet, contextID: contextID, allocator: context.channel.allocator, promise: promise)
        pump()
        return promise.futureResult
    }

    /// Begins a message whose data set follows part by part; its number, and when it went to the socket.
    func begin(_ command: CommandSet, contextID: UInt8) -> (message: Int, isSent: EventLoopFuture<Void>)? {
        guard let context, outgoing != nil, machine.permitsData, !hasEnded else { return nil }
        beginWriting()
        let promise = context.eventLoop.makePromise(of: Void.self)
        guard
            let number = outgoing?.begin(
                command, contextID: contextID, allocator: context.channel.allocator, promise: promise)
        else { return nil }
        pump()
        return (number, promise.futureResult)
    }

    /// The next part of a data set, of even length unless it is the last; succeeds once it went to the socket.
    func append(_ part: ByteBuffer, isLast: Bool, to message: Int) -> EventLoopFuture<Void>? {
        guard let context, !hasEnded else { return nil }
        beginWriting()
        let promise = context.eventLoop.makePromise(of: Void.self)
        guard outgoing?.append(part, isLast: isLast, to: message, promise: promise) == true else {
            promise.fail(ChannelError.ioOnClosedChannel)
            return nil
        }
        pump()
        return promise.futureResult
    }

    func requestRelease() { handle(.release) }

    func respondToRelease() {
        handle(.releaseResponse)
        if machine.isOver { end(.released) }
    }

    /// A-ABORT request.
    func abort(_ abort: Abort, because end: AssociationEnd? = nil) {
        ownEnd = end ?? .aborted(abort)
        guard !machine.isOver else { return }
        if machine.state == .sta2 {
            // Nobody to tell: no association was asked for.
            context?.close(promise: nil)
        } else {
            handle(.abort(abort))
        }
        self.end(ownEnd ?? .aborted(abort))
    }

    // MARK: channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        user.attach(self)
        if context.channel.isActive { opened() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(.connectionLost)
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        opened()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let pdu = Self.unwrapInboundIn(data)
        switch pdu {
        case .data: break
        case .abort:
            isAborted = true
            madeProgress()
        default: madeProgress()
        }
        handle(.pdu(pdu))
    }

    private var now: NIODeadline { context?.eventLoop.now ?? .now() }

    private func madeProgress() {
        lastActivity = now
        bytesSince = 0
    }

    /// A part of a message is progress when it is the last one, or when enough has come since the last progress; so
    /// bytes that drip, or say nothing, do not hold an association.
    private func received(_ bytes: Int, endsMessage: Bool) {
        bytesSince += bytes
        let seconds = Double(timers.idle.nanoseconds) / 1e9
        if endsMessage || Double(bytesSince) >= seconds * Double(timers.messageBytesPerSecondMin) { madeProgress() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !hasEnded, !user.isWorking { acknowledgeAtOnce(context) }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        handle(.transportClosed)
        finish(.connectionLost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? PDUError {
            handle(.invalidPDU(error))
        } else if error is PDUFrameDecoder.NoMemory, machine.state == .sta2 {
            // Not what was asked for, but that it may be asked again. PS3.8 §9.3.4.
            let reject = PDU.associateReject(.temporaryCongestion)
            context.writeAndFlush(
                Self.wrapOutboundOut(reject.encoded(allocator: context.channel.allocator)), promise: nil)
            context.close(promise: nil)
        } else if error is PDUFrameDecoder.NoMemory {
            abort(.byUser)
        } else {
            // The socket or TLS failed; nothing can be said to the peer any more.
            context.closeAtOnce()
        }
    }

    /// Commands come down the pipeline as events, from any thread.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? AssociationCommand {
        case .drain:
            isDraining = true
            scheduleIdle(in: timers.drainIdle)
        case .abort(let reason):
            abort(reason)
            context.close(promise: nil)
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    private func opened() {
        madeProgress()
        if let request {
            handle(.associate(request))
            handle(.transportConfirmed)
        } else {
            handle(.transportIndication)
        }
        scheduleIdle(in: timers.idle)
    }

    /// Asks the kernel to acknowledge what came now rather than in up to 40 ms.
    ///
    /// Many senders leave Nagle's algorithm on: they hold the data set back until the command before it is
    /// acknowledged (DCMTK even a PDU until its header is), while the kernel here holds the acknowledgement back to
    /// send it along with an answer that cannot come before the data set. Measured: 51 ms a C-STORE of pynetdicom
    /// without, 4 ms with. The option lasts for one exchange, so it is set again while it is the peer's turn.
    private func acknowledgeAtOnce(_ context: ChannelHandlerContext) {
        #if os(Linux)
            // TCP_QUICKACK. A socket that has closed meanwhile refuses, which does not matter.
            try? context.channel.syncOptions?.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: 12)), value: 1)
        #endif
    }

    // MARK: the state machine

    /// Hands an event to the machine and performs its actions; events that arise meanwhile wait their turn.
    private func handle(_ event: AssociationStateMachine.Event) {
        events.append(event)
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        while let event = events.popFirst() {
            for action in machine.handle(event) { perform(action) }
        }
    }

    private func perform(_ action: AssociationStateMachine.Action) {
        switch action {
        case .openTransport: break
        case .closeTransport: if isAborted { context?.closeAtOnce() } else { context?.close(promise: nil) }
        case .startARTIM: startARTIM()
        case .stopARTIM: stopARTIM()
        case .send(let pdu):
            guard let context else { return }
            context.writeAndFlush(
                Self.wrapOutboundOut(pdu.encoded(allocator: context.channel.allocator)), promise: nil)
        case .sendData(let bytes): context?.write(Self.wrapOutboundOut(bytes), promise: nil)
        case .indicateAssociation(let request): user.associationRequested(request)
        case .confirmAssociation(let accept): confirm(accept)
        case .confirmRejection(let reject): end(.rejected(reject))
        case .indicateData(let values): receive(values)
        case .indicateRelease: user.releaseRequested()
        case .confirmRelease: end(.released)
        case .indicateAbort(let abort): end(.abortedByPeer(abort))
        case .indicateProviderAbort(let abort): end(.aborted(abort))
        case .indicateTransportLoss: end(.connectionLost)
        }
    }

    private func begin(_ association: NegotiatedAssociation) {
        assembler = MessageAssembler(contextIDs: association.contexts.map(\.id), limits: limits)
        outgoing = OutgoingMessages(fragmenter: MessageFragmenter(sendLengthMax: association.sendLengthMax))
    }

    private func confirm(_ accept: AssociateAccept) {
        guard let request else { return }
        do throws(PDUError) {
            var association = try NegotiatedAssociation(request, accept)
            if let sendLengthMax { association.send(atMost: sendLengthMax) }
            begin(association)
            user.associationAccepted(association)
        } catch {
            abort(error.abort)
        }
    }

    private func receive(_ values: [PresentationDataValue]) {
        for value in values {
            guard !hasEnded else { return }
            do throws(DIMSEError) {
                switch try assembler?.consume(value) {
                case nil, .incomplete: received(value.fragment.readableBytes, endsMessage: false)
                case .command(let message):
                    // A cancellation asks for nothing, so it is no progress.
                    if message.field != .cCancelRequest {
                        received(value.fragment.readableBytes, endsMessage: true)
                    }
                    user.received(message)
                case .dataSet(let fragment, let isLast):
                    received(fragment.readableBytes, endsMessage: isLast)
                    user.received(dataSet: fragment, isLast: isLast)
                }
            } catch {
                abort(error.abort)
            }
        }
    }

    /// Tells the user once, and fails what still waits to be sent. The socket may linger for the peer to close it.
    private func end(_ reason: AssociationEnd) {
        guard !hasEnded else { return }
        hasEnded = true
        idle?.cancel()
        failOutgoing()
        user.associationEnded(ownEnd ?? reason)
    }

    /// The channel is gone.
    private func finish(_ reason: AssociationEnd) {
        stopARTIM()
        end(reason)
    }

    // MARK: writing

    /// The time in which the peer has to take something begins when there is something.
    private func beginWriting() {
        if outgoing?.isIdle == true { lastActivity = now }
    }

    /// Writes queued PDUs as long as the channel takes them.
    private func pump() {
        guard let context else { return }
        var wrote = false
        while context.channel.isWritable, let next = outgoing?.next(allocator: context.channel.allocator) {
            write(next, context)
            wrote = true
        }
        if wrote { context.flush() }
    }

    /// Writes one P-DATA-TF; what ends with it is told when it went to the socket.
    private func write(_ next: OutgoingMessages.Write, _ context: ChannelHandlerContext) {
        var promise: EventLoopPromise<Void>?
        if let first = next.promises.first {
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            first.futureResult.whenSuccess { bound.value.lastActivity = bound.value.now }
            for other in next.promises.dropFirst() { first.futureResult.cascade(to: other) }
            promise = first
        }
        for case .sendData(let bytes) in machine.handle(.data(next.pdu)) {
            context.write(Self.wrapOutboundOut(bytes), promise: promise)
            promise = nil
        }
        // The machine let nothing through: the association has ended meanwhile.
        promise?.fail(ChannelError.ioOnClosedChannel)
    }

    private func failOutgoing() { outgoing?.fail(ChannelError.ioOnClosedChannel) }

    // MARK: timers

    private func startARTIM() {
        stopARTIM()
        guard let context else { return }
        artim = context.eventLoop.assumeIsolated().scheduleTask(in: timers.artim) { self.handle(.artimExpired) }
    }

    private func stopARTIM() {
        artim?.cancel()
        artim = nil
    }

    /// One timer that looks at the time of the last activity when it fires, and sleeps on for what is left.
    private func scheduleIdle(in delay: TimeAmount) {
        idle?.cancel()
        guard let context, !hasEnded else { return }
        idle = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { self.checkIdle() }
    }

    private func checkIdle() {
        guard let context, !hasEnded else { return }
        let allowed = isDraining && assembler?.isInMessage != true ? timers.drainIdle : timers.idle
        let left = lastActivity + allowed - now
        // Before the request ARTIM keeps the time; while this side works, the peer has to wait, unless it is the
        // peer that does not take what was written.
        if machine.state == .sta2 || (user.isWorking && outgoing?.isIdle != false && context.channel.isWritable) {
            scheduleIdle(in: allowed)
        } else if left > .nanoseconds(0) {
            scheduleIdle(in: left)
        } else {
            abort(.byUser, because: isDraining ? .aborted(.byUser) : .timedOut)
            if !context.channel.isWritable { context.close(promise: nil) }
        }
    }
}
