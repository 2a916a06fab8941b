import DICOMNetwork
import NIOCore

/// The asking side of one association, for any task: requests to the peer, one at a time in the order of asking.
/// PS3.7 §7.
package struct OperationInvoker: Sendable {
    package let negotiated: NegotiatedAssociation
    let exchange: NIOLoopBound<DIMSEExchange>
    private var eventLoop: any EventLoop { exchange.eventLoop }

    init(_ negotiated: NegotiatedAssociation, _ exchange: NIOLoopBound<DIMSEExchange>) {
        self.negotiated = negotiated
        self.exchange = exchange
    }

    /// Sends a request, and gives its responses up to the final one. With `cancelAfter` it is cancelled after that many
    /// pending ones. Throws ``SCUError``.
    func invoke(
        _ context: PresentationContext, _ dataSet: ByteBuffer?, cancelAfter: Int? = nil,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> [DIMSEResponse] {
        let exchange = exchange
        var bounds = ResponseBounds()
        bounds.cancelAfter = cancelAfter
        return try await eventLoop.flatSubmit { [bounds] in
            exchange.value.inTurn {
                exchange.value.invoke(contextID: context.id, dataSet: dataSet, bounds: bounds, makeCommand)
            }
        }.get()
    }

    /// Sends a request, and gives its responses as they come, the final one last. Who stops reading has it cancelled.
    /// What comes faster than it is read waits in memory, within the bounds. Throws ``SCUError``.
    func responses(
        _ context: PresentationContext, _ dataSet: ByteBuffer?, bounds: ResponseBounds,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) -> AsyncThrowingStream<DIMSEResponse, any Error> {
        let (exchange, eventLoop) = (exchange, eventLoop)
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: DIMSEResponse.self)
        let flag = CancellationFlag()
        continuation.onTermination = { reason in
            guard case .cancelled = reason else { return }
            flag.set()
            eventLoop.execute { exchange.value.cancelInvocation(flag) }
        }
        var bounds = bounds
        bounds.cancellation = flag
        bounds.onPending = { continuation.yield($0) }
        eventLoop.execute { [bounds] in
            exchange.value.inTurn {
                exchange.value.invoke(contextID: context.id, dataSet: dataSet, bounds: bounds, makeCommand)
            }.whenComplete { result in
                switch result {
                case .success(let rest):
                    for response in rest { continuation.yield(response) }
                    continuation.finish()
                case .failure(let error): continuation.finish(throwing: error)
                }
            }
        }
        return stream
    }

    /// Sends a request whose data set is written while it is made. When `content` throws the association is aborted:
    /// half a data set cannot be taken back. Throws ``SCUError``, and what `content` throws.
    func invoke(
        _ context: PresentationContext, content: (DataSetWriter) async throws -> Void,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> [DIMSEResponse] {
        let exchange = exchange
        let begun = try await eventLoop.flatSubmit {
            exchange.value.inTurn {
                exchange.eventLoop.makeSucceededFuture(
                    exchange.value.beginInvoking(contextID: context.id, makeCommand))
            }
        }.get()
        do {
            let writer = DataSetWriter(exchange: exchange, message: begun.message, fragmentBytesMax: fragmentBytesMax)
            if begun.message > 0 { try await content(writer) }
        } catch {
            abort()
            _ = try? await begun.responses.get()
            throw error
        }
        return try await begun.responses.get()
    }

    /// The final status of a request. Throws ``SCUError``.
    func status(
        _ context: PresentationContext, _ dataSet: ByteBuffer?,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> DIMSEStatus {
        try await invoke(context, dataSet, makeCommand).last?.message.status ?? .processingFailure
    }

    /// Bytes of a data set that go into one PDU.
    var fragmentBytesMax: Int { MessageFragmenter(sendLengthMax: negotiated.sendLengthMax).fragmentBytesMax }

    /// Whether the association is over.
    var hasEnded: Bool {
        get async {
            let exchange = exchange
            return (try? await eventLoop.submit { exchange.value.end != nil }.get()) ?? true
        }
    }

    /// Whether the association lives and nothing is under way on it.
    var isIdle: Bool {
        get async {
            let exchange = exchange
            return (try? await eventLoop.submit { exchange.value.isIdle }.get()) ?? false
        }
    }

    /// Ends the association at once.
    package func abort() {
        let exchange = exchange
        eventLoop.execute { exchange.value.abort() }
    }
}

/// Writes the data set of a request part by part, one being made while the one before it goes to the socket.
struct DataSetWriter: Sendable {
    /// Bytes of one part, about: whole fragments, so that no PDU goes out half full.
    private static let partBytes = 256 << 10

    let exchange: NIOLoopBound<DIMSEExchange>
    let message: Int
    let fragmentBytesMax: Int

    /// Bytes of a part that is not the last.
    var partBytes: Int { max(1, Self.partBytes / fragmentBytesMax) * fragmentBytesMax }

    /// Queues a part, of even length unless it is the last; the future succeeds once it went to the socket. Wait for the
    /// future of one part before queueing the second after it.
    func append(_ part: ByteBuffer, isLast: Bool) -> EventLoopFuture<Void> {
        let (exchange, message) = (exchange, message)
        return exchange.eventLoop.flatSubmit { exchange.value.append(part, isLast: isLast, to: message) }
    }
}
