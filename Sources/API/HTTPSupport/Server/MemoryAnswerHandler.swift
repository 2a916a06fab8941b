import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Answers requests that a route has in memory on the connection's event loop, without a task of their own.
///
/// Stands before the connection's tasks. A request that is not answered here, and all that comes while such a request
/// is being answered, passes to them unchanged; so answers leave in the order of their requests (RFC 9112 §9.3.2).
/// What arrives while an audit row is being written waits for the answer.
final class MemoryAnswerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private enum State {
        /// No request is open.
        case idle
        /// The head of a request was read whose answer is known, and not yet its end.
        case known(HTTPRequest, APIResponder.PreparedAnswer)
        /// The audit row of the answer is being written, and its body made ready.
        case recording(HTTPRequest, APIResponder.PreparedAnswer)
        /// The answer waits for the peer to take it.
        case sending
        /// So many requests passed to the connection's tasks and are not answered in full.
        case passing(Int)
    }

    /// What arrived during `recording` or `sending`.
    private enum Held {
        case part(HTTPRequestPart)
        case event(any Sendable)
        case error(any Error)
    }

    private let memory: HTTPListener.Memory
    private let parts: ResponsePartHandler
    private let files: FileConnection?
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var origin: APIResponder.Origin?
    private var state = State.idle
    private var held: [Held] = []
    /// A read of the socket was asked for when something was held already.
    private var isReadWanted = false

    /// - Parameters:
    ///   - parts: of the same connection, writes bodies.
    ///   - files: where the connection can send ranges of files.
    init(_ memory: HTTPListener.Memory, parts: ResponsePartHandler, files: FileConnection?, logger: Logger) {
        self.memory = memory
        self.parts = parts
        self.files = files
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        held = []
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .recording, .sending: held.append(.part(unwrapInboundIn(data)))
        case .known(let head, let answer):
            guard case .end = unwrapInboundIn(data) else {
                // A body after all: not for here.
                state = .passing(1)
                context.fireChannelRead(wrapInboundOut(.head(head)))
                return context.fireChannelRead(data)
            }
            record(head, answer, context)
        case .idle:
            guard case .head(let head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
            if Self.isPlain(head),
                let answer = memory.responder.answerFromMemory(head, origin: origin(context), files: files)
            {
                state = .known(head, answer)
            } else {
                state = .passing(1)
                context.fireChannelRead(data)
            }
        case .passing(let count):
            if case .head = unwrapInboundIn(data) { state = .passing(count + 1) }
            context.fireChannelRead(data)
        }
    }

    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { isReadWanted = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isAnswering { held.append(.error(error)) } else { context.fireErrorCaught(error) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isAnswering, let event = event as? ChannelEvent {
            held.append(.event(event))
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private var isAnswering: Bool {
        switch state {
        case .recording, .sending: true
        case .idle, .known, .passing: false
        }
    }

    /// A GET without a body that wants nothing of the connection.
    private static func isPlain(_ head: HTTPRequest) -> Bool {
        guard head.method == .get else { return false }
        for field in head.headerFields {
            switch field.name {
            case .connection, .contentLength, .transferEncoding, .expect, .upgrade: return false
            default: continue
            }
        }
        return true
    }

    private func origin(_ context: ChannelHandlerContext) -> APIResponder.Origin {
        if let origin { return origin }
        let made = APIResponder.Origin(
            sourceAddress: context.channel.remoteAddress?.ipAddress, isLoopback: false, logger: logger)
        origin = made
        return made
    }

    // MARK: Answers

    /// What an answer waits for. Both ends come from other threads; the later one calls the loop.
    private final class Ready: Sendable {
        private struct State {
            var isKept: Bool?
            var body: Result<[FileConnection.Piece], any Error>?
        }
        private let state = Mutex(State())
        private let completion: @Sendable ([FileConnection.Piece]?) -> Void

        /// - Parameter completion: called once with the body, or with nil when the answer cannot be given.
        init(_ completion: @escaping @Sendable ([FileConnection.Piece]?) -> Void) { self.completion = completion }

        func recorded(_ isKept: Bool) { finish { $0.isKept = isKept } }
        func prepared(_ body: Result<[FileConnection.Piece], any Error>) { finish { $0.body = body } }

        private func finish(_ change: (inout State) -> Void) {
            let (isKept, body) = state.withLock { state in
                change(&state)
                return (state.isKept, state.body)
            }
            if let isKept, let body { completion(isKept ? try? body.get() : nil) }
        }
    }

    private func record(_ head: HTTPRequest, _ answer: APIResponder.PreparedAnswer, _ context: ChannelHandlerContext) {
        state = .recording(head, answer)
        let loop = context.eventLoop
        let handler = NIOLoopBound(self, eventLoop: loop)
        let ready = Ready { body in
            loop.execute { handler.value.finishRecording(body) }
        }
        memory.responder.keepRecord(of: answer) { ready.recorded($0) }
        switch answer.answer.body {
        case .bytes(let bytes): ready.prepared(.success(bytes.readableBytes == 0 ? [] : [.bytes(bytes)]))
        case .prepared(_, let prepare): prepare { ready.prepared($0) }
        }
    }

    private func finishRecording(_ body: [FileConnection.Piece]?) {
        guard let context, context.channel.isActive, case .recording(let head, let answer) = state else { return }
        if let body {
            memory.responder.observe(answer)
            send(answer.answer, body, context)
        } else {
            // The usual way tries again, and knows how to refuse.
            state = .passing(1)
            context.fireChannelRead(wrapInboundOut(.head(head)))
            context.fireChannelRead(wrapInboundOut(.end(nil)))
            context.fireChannelReadComplete()
        }
        releaseHeld(context)
    }

    private func send(_ answer: MemoryAnswer, _ body: [FileConnection.Piece], _ context: ChannelHandlerContext) {
        var head = HTTPResponse(status: answer.status, headerFields: answer.headers)
        head.headerFields[.date] = memory.dates.text
        head.headerFields[.server] = memory.serverName
        if answer.status.code != 304 { head.headerFields[.contentLength] = String(answer.length) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if case .prepared = answer.body {
            parts.write(body, promise: context.eventLoop.makePromise())
        } else if case .bytes(let bytes)? = body.first {
            context.write(wrapOutboundOut(.body(bytes)), promise: nil)
        }
        if context.channel.isWritable {
            state = .idle
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        state = .sending
        let end = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: end)
        end.futureResult.assumeIsolated().whenComplete { [permit = answer.permit] _ in
            withExtendedLifetime(permit) {}
            guard let context = self.context, context.channel.isActive, case .sending = self.state else { return }
            self.state = .idle
            self.releaseHeld(context)
        }
    }

    /// Goes on with what waited for an answer.
    private func releaseHeld(_ context: ChannelHandlerContext) {
        if !held.isEmpty {
            let waiting = held
            held = []
            for item in waiting {
                switch item {
                case .part(let part): channelRead(context: context, data: wrapInboundOut(part))
                case .event(let event): userInboundEventTriggered(context: context, event: event)
                case .error(let error): errorCaught(context: context, error: error)
                }
            }
            context.fireChannelReadComplete()
        }
        if isReadWanted, held.isEmpty {
            isReadWanted = false
            context.read()
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .passing(let count) = state, case .end = unwrapOutboundIn(data) {
            state = count > 1 ? .passing(count - 1) : .idle
        }
        context.write(data, promise: promise)
    }
}

@available(*, unavailable)
extension MemoryAnswerHandler: Sendable {}
