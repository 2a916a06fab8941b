import DICOMNetwork
import NIOCore

extension DIMSEExchange {
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

    /// Sends a request and gives its responses up to the final one, those that were not handed on before. `makeCommand`
    /// gets the message ID.
    func invoke(
        contextID: UInt8, dataSet: ByteBuffer?, bounds: ResponseBounds, _ makeCommand: (UInt16) -> CommandSet
    ) -> EventLoopFuture<[DIMSEResponse]> {
        let begun = begin(contextID, bounds, makeCommand)
        guard case .success(let (command, messageID, promise)) = begun else { return failed(begun) }
        if let sent = handler?.send(command, dataSet: dataSet, contextID: contextID) {
            awaitResponses(to: messageID, once: sent)
        } else {
            failInvocation(SCUError.connectionLost)
        }
        return promise.futureResult
    }

    /// The same of a request whose data set follows by ``append(_:isLast:to:)``; the number of its message.
    func beginInvoking(
        contextID: UInt8, _ makeCommand: (UInt16) -> CommandSet
    ) -> (message: Int, responses: EventLoopFuture<[DIMSEResponse]>) {
        let begun = begin(contextID, ResponseBounds(), makeCommand)
        guard case .success(let (command, messageID, promise)) = begun else { return (0, failed(begun)) }
        guard let (number, sent) = handler?.begin(command, contextID: contextID) else {
            failInvocation(SCUError.connectionLost)
            return (0, promise.futureResult)
        }
        awaitResponses(to: messageID, once: sent)
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

    private typealias Begun = (command: CommandSet, messageID: UInt16, promise: EventLoopPromise<[DIMSEResponse]>)

    private func begin(
        _ contextID: UInt8, _ bounds: ResponseBounds, _ makeCommand: (UInt16) -> CommandSet
    ) -> Result<Begun, SCUError> {
        if let end { return .failure(SCUError(end)) }
        guard invocation == nil, handler != nil else { return .failure(.busy) }
        guard bounds.cancellation?.isSet != true else { return .failure(.cancelled) }
        lastMessageID = lastMessageID == .max ? 1 : lastMessageID + 1
        let promise = endFuture.eventLoop.makePromise(of: [DIMSEResponse].self)
        let command = makeCommand(lastMessageID)
        invocation = Invocation(
            messageID: lastMessageID, contextID: contextID, request: command, bounds: bounds, promise: promise)
        bytesSinceProgress = 0
        return .success((command, lastMessageID, promise))
    }

    private func failed<Value>(_ begun: Result<Value, SCUError>) -> EventLoopFuture<[DIMSEResponse]> {
        guard case .failure(let error) = begun else { return endFuture.eventLoop.makeFailedFuture(SCUError.busy) }
        return endFuture.eventLoop.makeFailedFuture(error)
    }

    /// While a request is being written its peer is held by the handler's idle time, then by that for a response.
    private func awaitResponses(to messageID: UInt16, once sent: EventLoopFuture<Void>) {
        sent.assumeIsolated().whenSuccess {
            guard self.invocation?.messageID == messageID else { return }
            self.invocation?.isSent = true
            self.restartInvocationTimer()
        }
    }

    /// The peer is at work on a request of this side: it has the time for a response anew. Not once it was cancelled:
    /// then it has this time to end, whatever else it sends.
    func restartInvocationTimer() {
        guard let invocation, invocation.isSent, !invocation.isCancelled else { return }
        bytesSinceProgress = 0
        restartTimer()
    }

    /// Part of a message has come. It is progress when enough has come since the last, so that bytes which drip do not
    /// hold an association.
    func noteInvocationBytes(_ count: Int, endsMessage: Bool) {
        bytesSinceProgress += count
        let seconds = Double(timers.response.nanoseconds) / 1e9
        if endsMessage || Double(bytesSinceProgress) >= seconds * Double(timers.messageBytesPerSecondMin) {
            restartInvocationTimer()
        }
    }

    // MARK: responses

    /// A response of the peer; false when nothing was asked that it answers.
    func responded(_ message: DIMSEMessage) -> Bool {
        guard invocation?.isAnswered(by: message) == true else { return false }
        restartInvocationTimer()
        invocation?.begin(message)
        if !message.hasDataSet { completeResponse() }
        return true
    }

    /// More of a response; false when there is none to which it belongs, or too much of it.
    func responded(dataSet fragment: ByteBuffer, isLast: Bool) -> Bool {
        guard invocation?.append(fragment, isLast: isLast) == true else { return false }
        noteInvocationBytes(fragment.readableBytes, endsMessage: isLast)
        if isLast {
            completeResponse()
        } else if invocation?.isOverBounds == true {
            cancelInvocation()
        }
        return true
    }

    private func completeResponse() {
        guard let (isFinal, cancels) = invocation?.complete() else { return }
        if cancels { cancelInvocation() }
        guard isFinal, let ended = invocation else { return }
        stopTimer()
        invocation = nil
        if ended.isOverBounds {
            ended.promise.fail(SCUError.responsesOverLimit)
        } else {
            ended.promise.succeed(ended.responses)
        }
        startNext()
    }

    /// Asks the peer to stop answering: any request, or the one that has the flag. PS3.7 §9.3.2.3.
    func cancelInvocation(_ flag: CancellationFlag? = nil) {
        guard let current = invocation, !current.isCancelled, flag == nil || current.bounds.cancellation === flag
        else { return }
        invocation?.isCancelled = true
        _ = handler?.send(
            .cCancelRequest(messageIDBeingRespondedTo: current.messageID), dataSet: nil, contextID: current.contextID)
        // The time that it has from here on.
        restartTimer()
    }
}
