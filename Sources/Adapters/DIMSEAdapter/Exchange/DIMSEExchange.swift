import DICOMNetwork
import Logging
import NIOCore

/// DIMSE on one association, on its event loop: performs what the peer asks and asks the peer, whichever side opened the
/// association.
///
/// Requests of the peer go to services, their data sets to operations, and the rest to the async side as one ``Work``
/// each. Requests of this side are messages whose responses are collected. Each side has one operation under way at a
/// time, the window that is negotiated: more requests of this side wait for their turn, and a request of the peer before
/// the answer to its last ends the association. PS3.7 §D.3.3.3.
final class DIMSEExchange: AssociationUser {
    /// What the async side does next, in order.
    enum Work: Sendable {
        case decide(AssociateRequest)
        case perform(any ServiceOperation, Responder)
        case release
    }

    /// A request of the peer.
    private struct Performance {
        let message: DIMSEMessage
        let operation: any ServiceOperation
        let cancellation: CancellationFlag
        /// The data set has not ended.
        var isReceiving: Bool
    }

    private let services: [String: any ServiceClassProvider]
    private let eventLoop: any EventLoop
    private let work: AsyncStream<Work>.Continuation
    private let logger: Logger
    let timers: DIMSETimers
    /// Of the side that asked for the association: fulfilled with the answer.
    private let associated: EventLoopPromise<NegotiatedAssociation>?
    /// Fulfilled at the end of the association.
    private let ended: EventLoopPromise<AssociationEnd>
    private(set) var handler: AssociationHandler?
    private(set) var association: NegotiatedAssociation?
    private var info: AssociationInfo?
    private var performance: Performance?
    /// The request of this side that waits for its responses.
    var invocation: Invocation?
    /// What begins the requests of this side that wait for it.
    var waiting = CircularBuffer<() -> Void>()
    var lastMessageID: UInt16 = 0
    /// Of answers to this side since its peer last had the time for one anew.
    var bytesSinceProgress = 0
    /// Between an indication and our answer to it.
    private var isDeciding = false
    private var timer: Scheduled<Void>?
    private(set) var end: AssociationEnd?
    private var isRequestor: Bool { associated != nil }

    /// The side that is asked for an association, or with `associated` the one that asks.
    ///
    /// - info: Of an association that this side asks for, as its services see it.
    init(
        services: [String: any ServiceClassProvider], eventLoop: any EventLoop, timers: DIMSETimers,
        work: AsyncStream<Work>.Continuation, logger: Logger,
        associated: EventLoopPromise<NegotiatedAssociation>? = nil, info: AssociationInfo? = nil
    ) {
        self.services = services
        self.eventLoop = eventLoop
        self.timers = timers
        self.work = work
        self.logger = logger
        self.associated = associated
        self.info = info
        ended = eventLoop.makePromise()
    }

    // MARK: from the handler

    func attach(_ handler: AssociationHandler) {
        self.handler = handler
        if isRequestor { restartTimer(timers.associate) }
    }

    /// An association of this side may be held open without work, and what it waits for has a timer of its own.
    var isWorking: Bool {
        isRequestor || isDeciding || performance?.isReceiving == false || invocation != nil
    }

    func associationRequested(_ request: AssociateRequest) {
        guard !isRequestor else {
            handler?.reject(.noReason)
            return
        }
        isDeciding = true
        work.yield(.decide(request))
    }

    func associationAccepted(_ association: NegotiatedAssociation) {
        timer?.cancel()
        self.association = association
        associated?.succeed(association)
    }

    func received(_ message: DIMSEMessage) {
        guard message.field != .cCancelRequest else {
            // A cancellation may cross the final response; then it has no effect. PS3.7 §9.3.2.3.
            if performance?.message.messageID == message.messageID { performance?.cancellation.set() }
            return
        }
        let isUnderstood = message.isResponse ? responded(message) : requested(message)
        if !isUnderstood { handler?.abort(.byUser) }
    }

    func received(dataSet fragment: ByteBuffer, isLast: Bool) {
        if performance?.isReceiving == true {
            fragment.withUnsafeReadableBytes { performance?.operation.receive($0) }
            // What comes for a request of this side, the objects of a C-GET, shows that its peer is at work.
            noteInvocationBytes(fragment.readableBytes, endsMessage: isLast)
            guard isLast else { return }
            performance?.isReceiving = false
            perform()
        } else if !responded(dataSet: fragment, isLast: isLast) {
            handler?.abort(.byUser)
        }
    }

    func releaseRequested() {
        guard performance == nil else {
            // A release with an operation under way is an abort in all but name; nobody waits for the answer.
            handler?.abort(.byUser)
            return
        }
        guard !isRequestor else {
            handler?.respondToRelease()
            return
        }
        isDeciding = true
        work.yield(.release)
    }

    func associationEnded(_ end: AssociationEnd) {
        self.end = end
        timer?.cancel()
        if let performance {
            performance.cancellation.set()
            if performance.isReceiving { performance.operation.abandon() }
        }
        performance = nil
        handler = nil
        associated?.fail(SCUError(end))
        failInvocation(SCUError(end))
        ended.succeed(end)
        work.finish()
    }

    // MARK: from the async side

    /// The answer to `.decide`; an accepted association has its `info`.
    func answer(_ decision: AcceptorPolicy.Decision, _ info: AssociationInfo?) {
        isDeciding = false
        switch decision {
        case .accept(let accept, let association):
            self.association = association
            self.info = info
            handler?.accept(accept, association)
        case .reject(let reject): handler?.reject(reject)
        }
    }

    /// The answer to `.release`.
    func answerRelease() {
        isDeciding = false
        handler?.respondToRelease()
    }

    /// An operation has returned; without a final response the peer is told of a failure, so that it never hangs.
    ///
    /// Its message ID would not tell it from the next one: many SCUs use 1 in every request, and the next request may
    /// be here before the operation that answered the last one has returned.
    func returned(from responder: Responder) {
        guard let performance, responder.belongs(to: performance.cancellation) else { return }
        _ = send(
            CommandSet.response(to: performance.message, status: .processingFailure), nil, performance.cancellation)
    }

    /// Asks for the end; the future is that of the end itself.
    func release() -> EventLoopFuture<AssociationEnd> {
        if end == nil {
            handler?.requestRelease()
            restartTimer(timers.associate)
        }
        return ended.futureResult
    }

    func abort(because end: AssociationEnd? = nil) { handler?.abort(.byUser, because: end) }

    /// Whether nothing is under way, so that somebody else may ask.
    var isIdle: Bool { end == nil && association != nil && invocation == nil && waiting.isEmpty && performance == nil }

    /// Fulfilled when the association has ended, however.
    var endFuture: EventLoopFuture<AssociationEnd> { ended.futureResult }

    /// Aborts the association when `delay`, as a rule the time for a response, is over.
    func restartTimer(_ delay: TimeAmount? = nil) {
        timer?.cancel()
        guard end == nil else { return }
        timer = eventLoop.assumeIsolated().scheduleTask(in: delay ?? timers.response) {
            // A peer that waits for this side to store what it sent is not late with its response.
            if self.invocation != nil, self.performance?.isReceiving == false { return self.restartTimer() }
            self.handler?.abort(.byUser, because: .timedOut)
        }
    }

    func stopTimer() { timer?.cancel() }

    // MARK: what the peer asks

    /// A request of the peer; false when it may not come now.
    private func requested(_ message: DIMSEMessage) -> Bool {
        guard performance == nil, let context = association?.context(id: message.contextID), let info,
            !isRequestor || !services.isEmpty
        else { return false }
        let operation: any ServiceOperation =
            if let field = message.field {
                if let service = services[context.abstractSyntax],
                    context.permits(field, byRequestor: !isRequestor)
                {
                    service.begin(
                        DIMSERequest(
                            message: message, context: context, association: info,
                            invoker: association.map {
                                OperationInvoker($0, NIOLoopBound(self, eventLoop: eventLoop))
                            }))
                } else {
                    FixedAnswer(status: .sopClassNotSupported)
                }
            } else {
                FixedAnswer(status: .unrecognizedOperation)
            }
        performance = Performance(
            message: message, operation: operation, cancellation: CancellationFlag(), isReceiving: message.hasDataSet)
        if !message.hasDataSet { perform() }
        return true
    }

    private func perform() {
        guard let performance else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let flag = performance.cancellation
        let responder = Responder(request: performance.message, cancellation: flag) { command, dataSet in
            bound.eventLoop.flatSubmit {
                bound.value.send(command, dataSet, flag)
                    ?? bound.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
            }
        }
        switch work.yield(.perform(performance.operation, responder)) {
        case .enqueued: break
        // Nobody serves this association any more: what has come is undone.
        case .dropped, .terminated: performance.operation.abandon()
        @unknown default: performance.operation.abandon()
        }
    }

    /// Sends a response of the operation that `flag` was made for; nil once that one has answered for good.
    private func send(
        _ command: CommandSet, _ dataSet: ByteBuffer?, _ flag: CancellationFlag
    ) -> EventLoopFuture<Void>? {
        guard let performance, performance.cancellation === flag, let handler else { return nil }
        let status = DIMSEStatus(rawValue: command.uint16(.status) ?? 0)
        // The final response makes room for the next request before the peer can have seen it.
        if status.isFinal {
            self.performance = nil
            restartInvocationTimer()
        }
        if status.kind == .failure { log(status, command, performance.message) }
        return handler.send(command, dataSet: dataSet, contextID: performance.message.contextID)
    }

    private func log(_ status: DIMSEStatus, _ command: CommandSet, _ request: DIMSEMessage) {
        logger.info(
            "request failed",
            metadata: [
                "association": "\(info?.id ?? "")", "calling": "\(info?.callingAETitle.value ?? "")",
                "request": "\(request.field.map { "\($0)" } ?? "unknown")", "status": "\(status)",
                "comment": "\(command.text(.errorComment) ?? "")",
            ])
    }
}
