import HTTPTypes
import NIOCore
import NIOHTTP1

/// Holds an HTTP/1 connection to the rules of its exchanges: every answer in its turn, one way in which a request that
/// is not HTTP is refused, 100 before a body that is waited for, and an end that the peer can read.
///
/// Stands directly behind the decoder. A head that ``RequestHeadCheck`` refuses, and whatever the decoder cannot read,
/// is answered here when nothing is being answered; inside a body it reaches whoever reads the body as ``HTTPFailure``.
/// When an answer is complete before its request is, the rest is dropped, within bounds of bytes and time, and the
/// connection closed (RFC 9112 §9.6); only a short rest of known length is read so that the connection can go on.
final class HTTPExchangeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A refusal as it is sent.
    typealias Refuse =
        @Sendable (_ failure: HTTPFailure, _ target: String?, _ sourceAddress: String?) -> (HTTPResponseHead, [UInt8])

    /// Of a request that passed on and whose answer is not complete.
    private struct Answer {
        let isHead: Bool
        let version: HTTPVersion
        /// The connection ends with it.
        var isLast: Bool
    }

    /// The request whose end has not arrived.
    private struct Reading {
        /// Bytes that the body still has; nil when it is chunked.
        var rest: Int64?
        /// The client waits for 100 and has sent nothing of the body.
        var waitsForContinue: Bool
        /// The body broke off: what follows cannot be read.
        var isBroken = false
        /// Its answer is complete.
        var isAnswered = false
    }

    private enum State {
        case open
        /// Answers in progress end, then this refusal is sent and the connection closed.
        case refusing(HTTPFailure, target: String?)
        /// The answer was 101: what still arrives is the socket's.
        case switched
        /// All is answered; what still arrives is dropped.
        case closing(dropped: Int)
    }

    private let refuse: Refuse
    /// Whose the connection becomes with an answer of 101.
    private let socket: SocketSlot?
    private let limits: HTTPLimits
    private var state = State.open
    private var answers = CircularBuffer<Answer>(initialCapacity: 2)
    private var reading: Reading?
    /// Bytes of the wire since the last request began, and those of them that were its body.
    private var received = 0
    private var delivered = 0
    /// Of a head that may be too large to be read.
    private var line = RequestLineBegin()
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameters:
    ///   - socket: the place of the socket whose the connection becomes with an answer of 101.
    ///   - refuse: the form of an answer to what never became a request.
    init(limits: HTTPLimits, socket: SocketSlot? = nil, refuse: @escaping Refuse) {
        self.limits = limits
        self.socket = socket
        self.refuse = refuse
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    // MARK: Requests

    /// What the bytes of the wire that come next are.
    enum Expected {
        case head
        /// So many bytes of a body, at least 1.
        case bytes(Int64)
        case chunks
        /// Those of a WebSocket.
        case frames
        /// Nobody will read them any more.
        case nothing
    }

    var expected: Expected {
        if case .switched = state { return .frames }
        guard case .open = state, reading?.isBroken != true else { return .nothing }
        guard let reading else { return .head }
        guard let rest = reading.rest else { return .chunks }
        return rest > 0 ? .bytes(rest) : .head
    }

    /// Notes bytes of the wire that the decoder will read.
    func receives(_ count: Int) { received += count }

    /// Notes bytes of a head that is long, before the decoder reads them.
    func readsLongHead(_ bytes: ByteBufferView) { line.append(bytes) }

    /// Notes bytes that nobody reads.
    func drops(_ count: Int) {
        if case .closing(let dropped) = state { state = .closing(dropped: dropped + count) }
    }

    /// Takes bytes of a WebSocket.
    func takesFrames(_ bytes: ByteBuffer) { socket?.made?.receive(bytes) }

    /// Gives up a body that is not what it may be.
    func refuseBody(_ failure: HTTPFailure) {
        if let context { broken(failure, context) }
    }

    /// The decoder has read what was received: too much of it that is neither head nor body is refused, such as empty
    /// lines, chunk extensions or trailers without an end.
    func wasDecoded() {
        guard let context, case .open = state else { return }
        let allowance = limits.framingBytesMax + 16 * delivered
        if received - delivered > allowance {
            broken(RequestHeadCheck.failure(.headersTooLarge, "Too many bytes that are no body"), context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .open = state, reading?.isBroken != true else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begins(head, context)
        case .body(let bytes):
            delivered += bytes.readableBytes
            reading?.waitsForContinue = false
            if let rest = reading?.rest { reading?.rest = rest - Int64(bytes.readableBytes) }
            context.fireChannelRead(data)
        case .end:
            received = 0
            delivered = 0
            if reading?.isAnswered == true { stopTimer() }
            reading = nil
            context.fireChannelRead(data)
        }
    }

    private func begins(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        received = 0
        delivered = 0
        line = RequestLineBegin()
        do throws(HTTPFailure) {
            let facts = try RequestHeadCheck.facts(head)
            var head = head
            head.uri = facts.target
            // RFC 9110 §7.8.
            if head.version.minor == 0 { head.headers.remove(name: "upgrade") }
            answers.append(Answer(isHead: head.method == .HEAD, version: head.version, isLast: facts.isLast))
            let rest: Int64? =
                switch facts.body {
                case .none: 0
                case .length(let length): length
                case .chunked: nil
                }
            reading = Reading(rest: rest, waitsForContinue: facts.expectsContinue)
            context.fireChannelRead(wrapInboundOut(.head(head)))
        } catch {
            refuse(error, target: head.uri, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as HTTPParserError: broken(RequestHeadCheck.failure(for: error), context)
        // What the decoder says of each further read after an error.
        case is ByteToMessageDecoderError: return
        default: context.fireErrorCaught(error)
        }
    }

    /// What arrives cannot be read any further.
    private func broken(_ failure: HTTPFailure, _ context: ChannelHandlerContext) {
        guard case .open = state, reading?.isBroken != true else { return }
        guard let open = reading else {
            // Of a request line that is too long nearly all is the target.
            let isOfTarget = failure.code == .headersTooLarge && line.count > limits.targetBytesMax
            let told =
                isOfTarget
                ? RequestHeadCheck.failure(
                    .targetTooLong, "The request target is longer than \(limits.targetBytesMax) bytes") : failure
            return refuse(told, target: line.path, context)
        }
        guard !open.isAnswered else { return close(context) }
        reading?.isBroken = true
        // Whoever reads the body answers.
        context.fireErrorCaught(failure)
    }

    private func refuse(_ failure: HTTPFailure, target: String?, _ context: ChannelHandlerContext) {
        state = .refusing(failure, target: target)
        sendRefusal(context)
    }

    /// Sends the refusal that waits, in its turn.
    private func sendRefusal(_ context: ChannelHandlerContext) {
        guard case .refusing(let failure, let target) = state, answers.isEmpty else { return }
        var (head, bytes) = refuse(failure, target, context.channel.remoteAddress?.ipAddress)
        head.headers.replaceOrAdd(name: "connection", value: "close")
        head.headers.replaceOrAdd(name: "content-length", value: String(bytes.count))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        close(context)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let answer = answers.first else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        // Behind a request without a body, and the last one: nothing of HTTP follows.
        case .head(let head) where head.status == .switchingProtocols && socket?.made != nil && reading == nil:
            state = .switched
            context.write(data, promise: promise)
        case .head(var head) where head.status.code >= 200:
            let isLast = isLast(answer, head)
            guard isLast || head.version != answer.version else { return context.write(data, promise: promise) }
            answers[answers.startIndex].isLast = isLast
            if isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
            // An answer to HTTP/1.0 is not chunked: its end is the connection's.
            head.version = answer.version
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body where answer.isHead: context.write(Self.nothing, promise: promise)
        case .head, .body: context.write(data, promise: promise)
        case .end:
            // The end of an answer to HEAD is its head's, also where GET's would be chunked.
            context.write(answer.isHead ? Self.nothing : data, promise: promise)
            answers.removeFirst()
            answered(answer, context)
        }
    }

    /// Passes the encoder without a trace and keeps its promise in turn.
    private static var nothing: NIOAny { NIOAny(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer()))) }

    /// Whether the connection ends with an answer whose head is about to leave.
    private func isLast(_ answer: Answer, _ head: HTTPResponseHead) -> Bool {
        if answer.isLast { return true }
        if head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "close" }) { return true }
        guard answers.count == 1, let reading else { return false }
        // A client that waits for 100 may leave the body out after this answer, or send it: nobody can tell.
        if reading.isBroken || reading.waitsForContinue { return true }
        guard let rest = reading.rest else { return true }
        return rest > Int64(limits.drainBytesMax)
    }

    private func answered(_ answer: Answer, _ context: ChannelHandlerContext) {
        if answer.isLast { return close(context) }
        if answers.isEmpty, reading != nil {
            // The rest is short, and is read by whoever reads the requests.
            reading?.isAnswered = true
            startTimer(context)
        }
        sendRefusal(context)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if reading?.waitsForContinue == true, answers.count == 1 {
            reading?.waitsForContinue = false
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    // MARK: The end

    /// Ends our side of the connection, so that the peer sees the end of the answer, and soon the other one.
    private func close(_ context: ChannelHandlerContext) {
        state = .closing(dropped: 0)
        context.flush()
        startTimer(context)
        context.close(mode: .output, promise: nil)
        read(context: context)
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        stopTimer()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limits.drain) {
            self.timer = nil
            context.close(promise: nil)
        }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    func read(context: ChannelHandlerContext) {
        // A peer that goes on and on is left to its own buffers.
        switch state {
        case .open where reading?.isBroken == true: return
        case .refusing: return
        case .closing(let dropped) where dropped >= limits.drainBytesMax: return
        case .open, .switched, .closing: break
        }
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if case .closing = state { read(context: context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .closing = state, event as? ChannelEvent == .inputClosed { return context.close(promise: nil) }
        if case .switched = state, event as? ChannelEvent == .inputClosed { socket?.made?.gone() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopTimer()
        if case .switched = state { socket?.made?.gone() }
        context.fireChannelInactive()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // Those who ask for the end while the peer may still read its answer get it a little later.
        guard mode == .all, case .closing = state, timer != nil else {
            return context.close(mode: mode, promise: promise)
        }
        if let promise { context.channel.closeFuture.cascade(to: promise) }
    }
}

@available(*, unavailable)
extension HTTPExchangeHandler: Sendable {}

/// Whoever waits for a body triggers this on the connection; a client that waits to be asked is then told to send it.
/// RFC 9110 §10.1.1.
struct BodyWanted: Sendable {}
