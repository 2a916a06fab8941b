import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes

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
        /// The audit row of the answer is being written.
        case recording(HTTPRequest, APIResponder.PreparedAnswer)
        /// So many requests passed to the connection's tasks and are not answered in full.
        case passing(Int)
    }

    /// What arrived during `recording`.
    private enum Held {
        case part(HTTPRequestPart)
        case event(any Sendable)
        case error(any Error)
    }

    private let responder: APIResponder
    private let dates: HTTPDateClock
    private let serverName: String
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var origin: APIResponder.Origin?
    private var state = State.idle
    private var held: [Held] = []
    /// A read of the socket was asked for during `recording`, when something was held already.
    private var isReadWanted = false

    init(responder: APIResponder, dates: HTTPDateClock, serverName: String, logger: Logger) {
        self.responder = responder
        self.dates = dates
        self.serverName = serverName
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
        case .recording: held.append(.part(unwrapInboundIn(data)))
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
            if Self.isPlain(head), let answer = responder.answerFromMemory(head, origin: origin(context)) {
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
        if case .recording = state { held.append(.error(error)) } else { context.fireErrorCaught(error) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .recording = state, let event = event as? ChannelEvent {
            held.append(.event(event))
        } else {
            context.fireUserInboundEventTriggered(event)
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

    private func record(_ head: HTTPRequest, _ answer: APIResponder.PreparedAnswer, _ context: ChannelHandlerContext) {
        state = .recording(head, answer)
        let loop = context.eventLoop
        let handler = NIOLoopBound(self, eventLoop: loop)
        responder.keepRecord(of: answer) { isKept in
            loop.execute { handler.value.finishRecording(isKept) }
        }
    }

    private func finishRecording(_ isKept: Bool) {
        guard let context, context.channel.isActive, case .recording(let head, let answer) = state else { return }
        if isKept {
            state = .idle
            write(answer.answer, context)
        } else {
            // The usual way tries again, and knows how to refuse.
            state = .passing(1)
            context.fireChannelRead(wrapInboundOut(.head(head)))
            context.fireChannelRead(wrapInboundOut(.end(nil)))
            context.fireChannelReadComplete()
        }
        releaseHeld(context)
    }

    private func write(_ answer: MemoryAnswer, _ context: ChannelHandlerContext) {
        var head = HTTPResponse(status: answer.status, headerFields: answer.headers)
        head.headerFields[.date] = dates.text
        head.headerFields[.server] = serverName
        if answer.status.code != 304 { head.headerFields[.contentLength] = String(answer.body.readableBytes) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if answer.body.readableBytes > 0 { context.write(wrapOutboundOut(.body(answer.body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
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
