import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Answers requests that a route has in memory on the connection's event loop, without a task of their own: does what a
/// ``MemoryAnswerMachine`` says. Stands before the connection's tasks.
final class MemoryAnswerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What arrives.
    private enum Message {
        case part(HTTPRequestPart)
        case event(any Sendable)
        case error(any Error)
    }
    private typealias Machine = MemoryAnswerMachine<APIResponder.PreparedAnswer, Message>

    private let memory: HTTPListener.Memory
    private let parts: ResponsePartHandler
    private let files: FileConnection?
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var origin: APIResponder.Origin?
    private var machine = Machine()
    /// Of the answer that is being recorded, once it is ready.
    private var body: [FileConnection.Piece] = []

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
        machine.close()
    }

    // MARK: Events

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        let kind: Machine.Kind =
            switch part {
            case .head: .head
            case .body: .body
            case .end: .end
            }
        perform(machine.receive(.part(part), kind, find: find), context)
    }

    func read(context: ChannelHandlerContext) { perform(machine.read(), context) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        perform(machine.receive(.error(error), .other, find: find), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // What is no event of the channel itself waits for nothing.
        guard let event = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        perform(machine.receive(.event(event), .other, find: find), context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { machine.answered() }
        context.write(data, promise: promise)
    }

    // MARK: Actions

    private func perform(_ actions: [Machine.Action], _ context: ChannelHandlerContext) {
        for action in actions {
            switch action {
            case .pass(.part(let part)): context.fireChannelRead(wrapInboundOut(part))
            case .pass(.event(let event)): context.fireUserInboundEventTriggered(event)
            case .pass(.error(let error)): context.fireErrorCaught(error)
            case .passed: context.fireChannelReadComplete()
            case .record(let answer): record(answer, context)
            case .send(let answer): send(answer, context)
            case .read: context.read()
            }
        }
    }

    /// The answer to a GET without a body that wants nothing of the connection.
    private func find(_ message: Message) -> APIResponder.PreparedAnswer? {
        guard case .part(.head(let head)) = message, Self.isPlain(head), let context else { return nil }
        return memory.responder.answerFromMemory(head, origin: origin(context), files: files)
    }

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

    private func record(_ answer: APIResponder.PreparedAnswer, _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let handler = NIOLoopBound(self, eventLoop: loop)
        let ready = Readiness { body in
            loop.execute { handler.value.recorded(body) }
        }
        memory.responder.keepRecord(of: answer) { ready.recorded($0) }
        switch answer.answer.body {
        case .bytes(let bytes): ready.prepared(.success(bytes.readableBytes == 0 ? [] : [.bytes(bytes)]))
        case .prepared(_, let prepare): prepare { ready.prepared($0) }
        }
    }

    private func recorded(_ body: [FileConnection.Piece]?) {
        guard let context, context.channel.isActive else { return }
        self.body = body ?? []
        perform(machine.recorded(isReady: body != nil, find: find), context)
    }

    private func send(_ prepared: APIResponder.PreparedAnswer, _ context: ChannelHandlerContext) {
        let answer = prepared.answer
        memory.responder.observe(prepared)
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
        body = []
        if context.channel.isWritable {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            return perform(machine.sent(isTaken: true, find: find), context)
        }
        let end = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: end)
        end.futureResult.assumeIsolated().whenComplete { [permit = answer.permit] _ in
            withExtendedLifetime(permit) {}
            guard let context = self.context, context.channel.isActive else { return }
            self.perform(self.machine.taken(find: self.find), context)
        }
        perform(machine.sent(isTaken: false, find: find), context)
    }
}

@available(*, unavailable)
extension MemoryAnswerHandler: Sendable {}

/// What an answer waits for: its audit row and its body. Both come from other threads; the later one tells.
private final class Readiness: Sendable {
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
