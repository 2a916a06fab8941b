import DICOMNetwork
import NIOCore

/// One response with its data set.
struct DIMSEResponse: Sendable {
    let message: DIMSEMessage
    var dataSet: ByteBuffer?
}

/// What the responses to one request may be, so that a peer without an end comes to one.
struct ResponseBounds: Sendable {
    /// Pending responses after which the request is cancelled; of those that are handed on, one more than this.
    var cancelAfter: Int?
    /// Responses, with those after a cancellation; one more ends the association.
    var responsesMax = 100_000
    /// Bytes of all data sets. What is handed on as it comes is cancelled past that, else the association ends.
    var bytesMax = 64 << 20
    /// Gets each pending response as it comes, on the event loop; without it they are kept for the promise.
    var onPending: (@Sendable (DIMSEResponse) -> Void)?
    /// Tells this request from the ones before and after it; set, it is not begun.
    var cancellation: CancellationFlag?
}

/// A request of this side and what came for it.
struct Invocation {
    let messageID: UInt16
    let contextID: UInt8
    /// The command field of its responses.
    let responseField: UInt16
    let bounds: ResponseBounds
    let promise: EventLoopPromise<[DIMSEResponse]>
    /// Those that are kept, and the one whose data set is on its way.
    private(set) var responses: [DIMSEResponse] = []
    private(set) var count = 0
    /// Of all data sets.
    private var byteCount = 0
    /// The last response waits for the rest of its data set.
    private(set) var isReceiving = false
    /// What comes is more than the bounds have room for: it is dropped.
    private(set) var isOverBounds = false
    /// The request went out whole, so that the time for its responses runs.
    var isSent = false
    var isCancelled = false

    init(
        messageID: UInt16, contextID: UInt8, request: CommandSet, bounds: ResponseBounds,
        promise: EventLoopPromise<[DIMSEResponse]>
    ) {
        self.messageID = messageID
        self.contextID = contextID
        responseField = (request.uint16(.commandField) ?? 0) | 0x8000
        self.bounds = bounds
        self.promise = promise
    }

    /// Whether a message answers this request: its number, its context, its kind, and pending only where there may be
    /// many. PS3.7 §9.1.2, §9.1.3, §9.1.4.
    func isAnswered(by message: DIMSEMessage) -> Bool {
        guard messageID == message.messageID, contextID == message.contextID, !isReceiving,
            message.command.uint16(.commandField) == responseField, count < bounds.responsesMax
        else { return false }
        switch CommandField(rawValue: responseField) {
        case .cFindResponse, .cGetResponse, .cMoveResponse: return true
        default: return message.status?.isFinal == true
        }
    }

    mutating func begin(_ message: DIMSEMessage) {
        responses.append(DIMSEResponse(message: message))
        count += 1
        isReceiving = message.hasDataSet
    }

    /// More of the data set of the last response; false when there is none, or too much where all is kept.
    mutating func append(_ fragment: ByteBuffer, isLast: Bool) -> Bool {
        guard isReceiving else { return false }
        if byteCount + fragment.readableBytes > bounds.bytesMax {
            guard bounds.onPending != nil else { return false }
            isOverBounds = true
        }
        if !isOverBounds {
            byteCount += fragment.readableBytes
            let last = responses.count - 1
            var bytes = responses[last].dataSet ?? ByteBuffer()
            responses[last].dataSet = nil
            bytes.writeImmutableBuffer(fragment)
            responses[last].dataSet = bytes
        }
        isReceiving = !isLast
        return true
    }

    /// The last response is whole: it is final, or it is handed on or kept. Whether the request is to be cancelled now.
    mutating func complete() -> (isFinal: Bool, cancels: Bool) {
        guard let last = responses.last, last.message.status?.isFinal == false else { return (true, false) }
        guard let onPending = bounds.onPending else {
            return (false, bounds.cancelAfter.map { count >= $0 } ?? false)
        }
        responses.removeLast()
        if let most = bounds.cancelAfter, count > most { isOverBounds = true }
        if !isOverBounds { onPending(last) }
        return (false, isOverBounds)
    }
}
