import DICOMNetwork
import NIOCore

/// One response with its data set.
struct DIMSEResponse: Sendable {
    let message: DIMSEMessage
    var dataSet: ByteBuffer?
}

extension DIMSEExchange {
    /// A request of this side and what came for it.
    struct Invocation {
        let messageID: UInt16
        let contextID: UInt8
        let promise: EventLoopPromise<[DIMSEResponse]>
        /// Pending responses after which the request is cancelled.
        let cancelAfter: Int?
        var responses: [DIMSEResponse] = []
        /// Of all data sets.
        var byteCount = 0
        /// The last response waits for the rest of its data set.
        var isReceiving = false
        /// The request went out whole, so that the time for its responses runs.
        var isSent = false
        var isCancelled = false
    }

    /// What the responses to one request may hold in memory, in bytes, and how many there may be: a query with more is
    /// one whose peer has no end.
    static let responseBytesMax = 64 << 20
    static let responsesMax = 100_000

    /// Requests of this side that wait for the one under way; one more is refused as `.busy`.
    static let waitingMax = 64

    /// Does `start`, which begins a request, when no other request of this side is under way: at once, or in the order of
    /// asking when those before it have their final responses. At the end of the association it does all that wait, which
    /// then fail with that end.
    func inTurn<Value: Sendable>(
        _ start: @escaping () -> EventLoopFuture<Value>
    ) -> EventLoopFuture<Value> {
        guard end == nil, invocation != nil || !waiting.isEmpty else { return start() }
        let loop = endFuture.eventLoop
        guard waiting.count < Self.waitingMax else { return loop.makeFailedFuture(SCUError.busy) }
        let promise = loop.makePromise(of: Value.self)
        waiting.append { start().cascade(to: promise) }
        return promise.futureResult
    }

    private func startNext() {
        while invocation == nil, let start = waiting.popFirst() { start() }
    }

    /// Sends a request and collects its responses up to the final one. `makeCommand` gets the message ID.
    func invoke(
        contextID: UInt8, dataSet: ByteBuffer?, cancelAfter: Int?, _ makeCommand: (UInt16) -> CommandSet
    ) -> EventLoopFuture<[DIMSEResponse]> {
        let begun = begin(contextID, cancelAfter)
        guard case .success(let (messageID, promise)) = begun else { return failed(begun) }
        if let sent = handler?.send(makeCommand(messageID), dataSet: dataSet, contextID: contextID) {
            awaitResponses(to: messageID, once: sent, promise)
        } else {
            failInvocation(SCUError.connectionLost)
        }
        return promise.futureResult
    }

    /// The same of a request whose data set follows by ``append(_:isLast:to:)``; the number of its message.
    func beginInvoking(
        contextID: UInt8, _ makeCommand: (UInt16) -> CommandSet
    ) -> (message: Int, responses: EventLoopFuture<[DIMSEResponse]>) {
        let begun = begin(contextID, nil)
        guard case .success(let (messageID, promise)) = begun else { return (0, failed(begun)) }
        guard let (number, sent) = handler?.begin(makeCommand(messageID), contextID: contextID) else {
            failInvocation(SCUError.connectionLost)
            return (0, promise.futureResult)
        }
        awaitResponses(to: messageID, once: sent, promise)
        return (number, promise.futureResult)
    }

    /// The next part of a data set; succeeds once it went to the socket.
    func append(_ part: ByteBuffer, isLast: Bool, to message: Int) -> EventLoopFuture<Void> {
        handler?.append(part, isLast: isLast, to: message)
            ?? endFuture.flatMapThrowing { throw SCUError($0) }
    }

    func failInvocation(_ error: any Error) {
        let promise = invocation?.promise
        invocation = nil
        promise?.fail(error)
        startNext()
    }

    private func begin(
        _ contextID: UInt8, _ cancelAfter: Int?
    ) -> Result<(UInt16, EventLoopPromise<[DIMSEResponse]>), SCUError> {
        if let end { return .failure(SCUError(end)) }
        guard invocation == nil, handler != nil else { return .failure(.busy) }
        lastMessageID = lastMessageID == .max ? 1 : lastMessageID + 1
        let promise = endFuture.eventLoop.makePromise(of: [DIMSEResponse].self)
        invocation = Invocation(
            messageID: lastMessageID, contextID: contextID, promise: promise, cancelAfter: cancelAfter)
        return .success((lastMessageID, promise))
    }

    private func failed<Value>(_ begun: Result<Value, SCUError>) -> EventLoopFuture<[DIMSEResponse]> {
        guard case .failure(let error) = begun else { return endFuture.eventLoop.makeFailedFuture(SCUError.busy) }
        return endFuture.eventLoop.makeFailedFuture(error)
    }

    /// While a request is being written its peer is held by the handler's idle time, then by that for a response.
    private func awaitResponses(
        to messageID: UInt16, once sent: EventLoopFuture<Void>, _ promise: EventLoopPromise<[DIMSEResponse]>
    ) {
        sent.assumeIsolated().whenSuccess {
            guard self.invocation?.messageID == messageID else { return }
            self.invocation?.isSent = true
            self.restartInvocationTimer()
        }
    }

    /// The peer is at work on a request of this side.
    func restartInvocationTimer() {
        if invocation?.isSent == true { restartTimer() }
    }

    // MARK: responses

    /// A response of the peer; false when nothing was asked that it answers.
    func responded(_ message: DIMSEMessage) -> Bool {
        guard let current = invocation, current.messageID == message.messageID,
            current.contextID == message.contextID, current.responses.count < Self.responsesMax
        else { return false }
        restartInvocationTimer()
        invocation?.responses.append(DIMSEResponse(message: message))
        invocation?.isReceiving = message.hasDataSet
        if !message.hasDataSet { completeResponse() }
        return true
    }

    /// More of a response; false when there is none to which it belongs, or too much of it.
    func responded(dataSet fragment: ByteBuffer, isLast: Bool) -> Bool {
        guard let current = invocation, current.isReceiving,
            current.byteCount + fragment.readableBytes <= Self.responseBytesMax
        else { return false }
        restartInvocationTimer()
        let last = current.responses.count - 1
        var bytes = current.responses[last].dataSet ?? ByteBuffer()
        invocation?.responses[last].dataSet = nil
        bytes.writeImmutableBuffer(fragment)
        invocation?.responses[last].dataSet = bytes
        invocation?.byteCount += fragment.readableBytes
        invocation?.isReceiving = !isLast
        if isLast { completeResponse() }
        return true
    }

    private func completeResponse() {
        guard let current = invocation, let last = current.responses.last else { return }
        guard last.message.status?.isFinal == false else {
            stopTimer()
            invocation = nil
            current.promise.succeed(current.responses)
            startNext()
            return
        }
        if let limit = current.cancelAfter, current.responses.count >= limit, !current.isCancelled {
            cancelInvocation()
        }
    }

    /// Asks the peer to stop answering. PS3.7 §9.3.2.3.
    private func cancelInvocation() {
        guard let current = invocation, !current.isCancelled else { return }
        invocation?.isCancelled = true
        _ = handler?.send(
            .cCancelRequest(messageIDBeingRespondedTo: current.messageID), dataSet: nil, contextID: current.contextID)
    }
}
