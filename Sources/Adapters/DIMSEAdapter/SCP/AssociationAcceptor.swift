import DICOMNetwork
import Logging
import NIOCore

/// The acceptor's half of DIMSE on the event loop: hands requests to services, data sets to operations, and the rest
/// to the async side as one ``Work`` each.
///
/// One operation at a time: the window that was negotiated. A request before the last answer ends the association.
/// PS3.7 §D.3.3.3.
final class AssociationAcceptor: AssociationUser {
    /// What the async side does next, in order.
    enum Work: Sendable {
        case decide(AssociateRequest)
        case perform(any ServiceOperation, Responder)
        case release
    }

    private struct Current {
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
    private var handler: AssociationHandler?
    private var association: NegotiatedAssociation?
    private var info: AssociationInfo?
    private var current: Current?
    /// Between an indication and our answer to it.
    private var isDeciding = false
    private(set) var end: AssociationEnd?

    init(
        services: [String: any ServiceClassProvider], eventLoop: any EventLoop, work: AsyncStream<Work>.Continuation,
        logger: Logger
    ) {
        self.services = services
        self.eventLoop = eventLoop
        self.work = work
        self.logger = logger
    }

    // MARK: from the handler

    func attach(_ handler: AssociationHandler) { self.handler = handler }

    var isWorking: Bool { isDeciding || current?.isReceiving == false }

    func associationRequested(_ request: AssociateRequest) {
        isDeciding = true
        work.yield(.decide(request))
    }

    /// Never happens to an acceptor.
    func associationAccepted(_ association: NegotiatedAssociation) {}

    func received(_ message: DIMSEMessage) {
        if message.field == .cCancelRequest {
            // A cancellation may cross the final response; then it has no effect. PS3.7 §9.3.2.3.
            if current?.message.messageID == message.messageID { current?.cancellation.set() }
            return
        }
        // This side asks nothing of its peer here, so it waits for no response; and one operation at a time.
        guard message.field?.isResponse != true, current == nil,
            let context = association?.context(id: message.contextID), let info
        else {
            handler?.abort(.byUser)
            return
        }
        let operation: any ServiceOperation =
            if message.field == nil {
                FixedAnswer(status: .unrecognizedOperation)
            } else if !context.requestorIsSCU {
                FixedAnswer(status: .sopClassNotSupported)
            } else if let service = services[context.abstractSyntax] {
                service.begin(ServiceRequest(message: message, context: context, association: info))
            } else {
                FixedAnswer(status: .sopClassNotSupported)
            }
        current = Current(
            message: message, operation: operation, cancellation: CancellationFlag(), isReceiving: message.hasDataSet)
        if !message.hasDataSet { perform() }
    }

    func received(dataSet fragment: ByteBuffer, isLast: Bool) {
        guard let current else { return }
        fragment.withUnsafeReadableBytes { current.operation.receive($0) }
        guard isLast else { return }
        self.current?.isReceiving = false
        perform()
    }

    func releaseRequested() {
        guard current == nil else {
            // A release with an operation under way is an abort in all but name; nobody waits for the answer.
            handler?.abort(.byUser)
            return
        }
        isDeciding = true
        work.yield(.release)
    }

    func associationEnded(_ end: AssociationEnd) {
        self.end = end
        if let current {
            current.cancellation.set()
            if current.isReceiving { current.operation.abandon() }
        }
        current = nil
        handler = nil
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
        guard let current, responder.belongs(to: current.cancellation) else { return }
        _ = send(CommandSet.response(to: current.message, status: .processingFailure), nil, current.cancellation)
    }

    // MARK: details

    private func perform() {
        guard let current else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let flag = current.cancellation
        let responder = Responder(request: current.message, cancellation: flag) { command, dataSet in
            bound.eventLoop.flatSubmit {
                bound.value.send(command, dataSet, flag)
                    ?? bound.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
            }
        }
        work.yield(.perform(current.operation, responder))
    }

    /// Sends a response of the operation that `flag` was made for; nil once that one has answered for good.
    private func send(
        _ command: CommandSet, _ dataSet: ByteBuffer?, _ flag: CancellationFlag
    ) -> EventLoopFuture<Void>? {
        guard let current, current.cancellation === flag, let handler else { return nil }
        let status = DIMSEStatus(rawValue: command.uint16(.status) ?? 0)
        // The final response makes room for the next request before the peer can have seen it.
        if status.isFinal { self.current = nil }
        if status.kind == .failure { log(status, command, current.message) }
        return handler.send(command, dataSet: dataSet, contextID: current.message.contextID)
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
