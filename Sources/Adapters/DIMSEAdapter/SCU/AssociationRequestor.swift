import DICOMNetwork
import NIOCore

/// One response with its data set.
struct DIMSEResponse: Sendable {
    let message: DIMSEMessage
    var dataSet: ByteBuffer?
}

/// The requestor's half of DIMSE on the event loop: one request at a time, its responses collected.
final class AssociationRequestor: AssociationUser {
    /// Bytes of the data set of one response kept in memory; a query match is a few KiB.
    static let responseBytesMax = 16 << 20

    private struct Pending {
        let messageID: UInt16
        let contextID: UInt8
        let promise: EventLoopPromise<[DIMSEResponse]>
        /// Pending responses after which the request is cancelled.
        let cancelAfter: Int?
        var responses: [DIMSEResponse] = []
        var isCancelled = false
    }

    private let eventLoop: any EventLoop
    private let timers: DIMSETimers
    private let associated: EventLoopPromise<NegotiatedAssociation>
    /// Fulfilled at the end of the association.
    private let ended: EventLoopPromise<AssociationEnd>
    private var handler: AssociationHandler?
    private var pending: Pending?
    private var timer: Scheduled<Void>?
    private var lastMessageID: UInt16 = 0
    private var end: AssociationEnd?

    init(
        eventLoop: any EventLoop, timers: DIMSETimers, associated: EventLoopPromise<NegotiatedAssociation>,
        ended: EventLoopPromise<AssociationEnd>
    ) {
        self.eventLoop = eventLoop
        self.timers = timers
        self.associated = associated
        self.ended = ended
    }

    // MARK: requests

    /// Sends a request and collects its responses up to the final one. `makeCommand` gets the message ID.
    func request(
        contextID: UInt8, dataSet: ByteBuffer?, cancelAfter: Int?, _ makeCommand: (UInt16) -> CommandSet
    ) -> EventLoopFuture<[DIMSEResponse]> {
        if let end { return eventLoop.makeFailedFuture(SCUError(end)) }
        guard pending == nil, let handler else { return eventLoop.makeFailedFuture(SCUError.busy) }
        lastMessageID = lastMessageID == .max ? 1 : lastMessageID + 1
        let promise = eventLoop.makePromise(of: [DIMSEResponse].self)
        pending = Pending(
            messageID: lastMessageID, contextID: contextID, promise: promise, cancelAfter: cancelAfter)
        if handler.send(makeCommand(lastMessageID), dataSet: dataSet, contextID: contextID) == nil {
            pending = nil
            promise.fail(SCUError.connectionLost)
        } else {
            restartTimer()
        }
        return promise.futureResult
    }

    /// Asks for the end; the future is that of the end itself.
    func release() -> EventLoopFuture<AssociationEnd> {
        if end == nil {
            handler?.requestRelease()
            restartTimer(timers.associate)
        }
        return ended.futureResult
    }

    func abort() { handler?.abort(.byUser) }

    /// Fulfilled when the association has ended, however.
    var endFuture: EventLoopFuture<AssociationEnd> { ended.futureResult }

    // MARK: from the handler

    func attach(_ handler: AssociationHandler) {
        self.handler = handler
        restartTimer(timers.associate)
    }

    /// The idle timer is not wanted here: an SCU may hold an association open, and waits by a timer of its own.
    var isWorking: Bool { true }

    func associationRequested(_ request: AssociateRequest) { handler?.reject(.noReason) }

    func associationAccepted(_ association: NegotiatedAssociation) {
        timer?.cancel()
        associated.succeed(association)
    }

    func received(_ message: DIMSEMessage) {
        guard message.field?.isResponse == true, pending?.messageID == message.messageID else {
            // No service of ours is offered on this association, and nothing else was asked.
            handler?.abort(.byUser)
            return
        }
        restartTimer()
        pending?.responses.append(DIMSEResponse(message: message))
        if !message.hasDataSet { completeResponse() }
    }

    func received(dataSet fragment: ByteBuffer, isLast: Bool) {
        guard let count = pending?.responses.count, count > 0 else { return }
        restartTimer()
        var bytes = pending?.responses[count - 1].dataSet ?? ByteBuffer()
        pending?.responses[count - 1].dataSet = nil
        bytes.writeImmutableBuffer(fragment)
        guard bytes.readableBytes <= Self.responseBytesMax else {
            handler?.abort(.byUser)
            return
        }
        pending?.responses[count - 1].dataSet = bytes
        if isLast { completeResponse() }
    }

    func releaseRequested() { handler?.respondToRelease() }

    func associationEnded(_ end: AssociationEnd) {
        self.end = end
        timer?.cancel()
        handler = nil
        associated.fail(SCUError(end))
        pending?.promise.fail(SCUError(end))
        pending = nil
        ended.succeed(end)
    }

    // MARK: details

    private func completeResponse() {
        guard let current = pending, let last = current.responses.last else { return }
        guard last.message.status?.isFinal == false else {
            timer?.cancel()
            pending = nil
            current.promise.succeed(current.responses)
            return
        }
        if let limit = current.cancelAfter, current.responses.count >= limit, !current.isCancelled {
            pending?.isCancelled = true
            _ = handler?.send(
                .cCancelRequest(messageIDBeingRespondedTo: current.messageID), dataSet: nil,
                contextID: current.contextID)
        }
    }

    private func restartTimer(_ delay: TimeAmount? = nil) {
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(in: delay ?? timers.response) {
            self.handler?.abort(.byUser, because: .timedOut)
        }
    }
}
