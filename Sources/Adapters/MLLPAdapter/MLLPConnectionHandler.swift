import Access
import Admission
import HL7v2
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// One message from a connection, and the way back for its acknowledgment.
struct MLLPWork: Sendable {
    let event: MLLPDecoder.Event
    let peer: MLLPPeer
    /// Notes that the sender is one who may send: its connection is not closed for others any more.
    let isLetIn: @Sendable () -> Void
    /// Writes the answers.
    let reply: @Sendable (MLLPReply) -> Void
}

/// Frames on the event loop: bytes to messages, acknowledgments to bytes, one message in flight at a time.
///
/// While a message is in flight nothing is read, so that a sender that does not wait for its answers is held back by
/// TCP. Closes the connection when a frame stays open, when the peer is idle too long, or, once draining, as soon as
/// nothing is in flight. Confined to its event loop.
final class MLLPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Asks the handler to close as soon as nothing is in flight.
    enum Drain: Sendable { case now }

    private enum Phase {
        /// Nothing is in flight.
        case ready
        /// A message was handed over and is not answered yet.
        case working
        /// An acknowledgment is being written; a peer that does not read its answers is not read from either.
        case answering
    }

    private let configuration: MLLPConfiguration
    private let connections: MLLPConnections
    private let logger: Logger
    private let memory: MemoryReservation
    private let dispatch: @Sendable (MLLPWork) -> Bool
    private var place: Place?
    private var decoder: MLLPDecoder
    /// Messages read and not handed over yet; those before `nextWaiting` are gone.
    private var waiting: [MLLPDecoder.Event] = []
    private var nextWaiting = 0
    private var phase = Phase.ready
    private var isReadPending = false
    private var isDraining = false
    private var isAdmitted = false
    private var peer = MLLPPeer(address: "")
    private var frameDeadline: Scheduled<Void>?
    /// The frame that the deadline is of.
    private var timedFrame: UInt64 = 0
    /// Bytes of the messages that wait or are worked on.
    private var messageBytes = 0
    private var idleDeadline: Scheduled<Void>?

    init(
        configuration: MLLPConfiguration, connections: MLLPConnections, memory: MemoryReservation, logger: Logger,
        dispatch: @escaping @Sendable (MLLPWork) -> Bool
    ) {
        self.configuration = configuration
        self.connections = connections
        self.memory = memory
        self.logger = logger
        self.dispatch = dispatch
        decoder = MLLPDecoder(messageBytesMax: configuration.limits.messageBytesMax)
    }

    // MARK: Connection

    func channelActive(context: ChannelHandlerContext) {
        peer.address = context.remoteAddress?.ipAddress ?? ""
        isAdmitted = connections.admit(context.channel)
        guard isAdmitted else { return context.close(promise: nil) }
        place = Place.of(context.channel)
        scheduleIdleDeadline(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        frameDeadline?.cancel()
        idleDeadline?.cancel()
        if isAdmitted { connections.remove(context.channel) }
        isAdmitted = false
        discardWaiting()
        let tolerated = decoder.tolerated
        if tolerated != MLLPDecoder.Tolerated() {
            logger.info(
                "MLLP connection closed with faults",
                metadata: [
                    "peer": "\(peer.address)", "strayBytes": "\(tolerated.strayBytes)",
                    "restarts": "\(tolerated.restarts)",
                    "oversized": "\(tolerated.oversizedFrames)", "empty": "\(tolerated.emptyFrames)",
                ])
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.info("MLLP connection failed", metadata: ["peer": "\(peer.address)", "error": "\(error)"])
        context.closeAtOnce()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is Drain {
            isDraining = true
            if phase == .ready { context.close(promise: nil) }
        } else if case .handshakeCompleted? = event as? TLSUserEvent {
            let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
            peer.certificate = try? tls?.peerCertificate?.toDERBytes()
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isAdmitted, !isDraining else { return }
        let events = decoder.decode(unwrapInboundIn(data).readableBytesView)
        waiting += events
        reserve(for: events)
        followFrame(context)
        // Bytes that make no message do not keep a connection.
        if events.contains(where: { if case .message = $0 { true } else { false } }) { scheduleIdleDeadline(context) }
        pump(context)
    }

    /// Below this many bytes nothing is reserved: the door's connections times this are held anyhow.
    private static let freeBytes = 64 << 10
    /// A message, its parts and what is made of it take this many times its bytes.
    private static let weight = 4

    /// Has the bytes of the open frame and of the messages that wait reserved; a frame that cannot be is given up and
    /// answered as a passing failure.
    private func reserve(for events: [MLLPDecoder.Event]) {
        for case .message(let bytes) in events { messageBytes += bytes.count }
        let held = messageBytes + decoder.bufferedBytes
        guard held > Self.freeBytes, !memory.grow(to: Self.weight * held) else { return }
        if let event = decoder.giveUpFrame() { return waiting.append(event) }
        // Whole already: it is answered all the same, but not carried out.
        guard case .message(let bytes)? = waiting.last else { return }
        messageBytes -= bytes.count
        waiting[waiting.count - 1] = .givenUp(head: Array(bytes.prefix(HL7Limits.headerRecoveryBytesMax)))
    }

    func read(context: ChannelHandlerContext) {
        if phase == .ready, nextWaiting == waiting.count { context.read() } else { isReadPending = true }
    }

    private func pump(_ context: ChannelHandlerContext) {
        guard phase == .ready else { return }
        guard nextWaiting < waiting.count else {
            discardWaiting()
            if isReadPending {
                isReadPending = false
                context.read()
            }
            return
        }
        let event = waiting[nextWaiting]
        nextWaiting += 1
        phase = .working
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let work = MLLPWork(
            event: event, peer: peer, isLetIn: { [place] in place?.working() },
            reply: { reply in
                eventLoop.execute { bound.value.handler.answer(reply, bound.value.context) }
            })
        if !dispatch(work) { context.close(promise: nil) }
    }

    private func discardWaiting() {
        waiting.removeAll(keepingCapacity: waiting.capacity <= 64)
        nextWaiting = 0
    }

    // MARK: Answering

    private func answer(_ reply: MLLPReply, _ context: ChannelHandlerContext) {
        guard isAdmitted else { return }
        guard case .answers(let answers) = reply,
            let frames = try? answers.map({ answer throws(HL7Error) in try MLLPEncoder.frame(answer) })
        else {
            context.close(promise: nil)
            return
        }
        phase = .answering
        scheduleIdleDeadline(context)
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { result in bound.value.handler.answered(result, bound.value.context) }
        context.writeAndFlush(
            wrapOutboundOut(context.channel.allocator.buffer(bytes: frames.joined())), promise: written)
    }

    private func answered(_ result: Result<Void, any Error>, _ context: ChannelHandlerContext) {
        guard isAdmitted else { return }
        phase = .ready
        // What waits is worked on next, so its memory is still needed.
        if nextWaiting == waiting.count, decoder.bufferedBytes == 0 {
            messageBytes = 0
            memory.release()
        }
        if isDraining {
            context.close(promise: nil)
        } else if case .success = result {
            pump(context)
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: Deadlines

    /// The time of a frame runs from its first byte to its last, whatever comes between.
    private func followFrame(_ context: ChannelHandlerContext) {
        if !decoder.isFrameOpen {
            frameDeadline?.cancel()
            frameDeadline = nil
        } else if decoder.frameNumber != timedFrame || frameDeadline == nil {
            timedFrame = decoder.frameNumber
            frameDeadline?.cancel()
            scheduleFrameDeadline(context)
        }
    }

    private func scheduleFrameDeadline(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        frameDeadline = context.eventLoop.scheduleTask(in: configuration.limits.openFrame) {
            let (handler, context) = bound.value
            // While a message is in flight the rest of the next frame waits unread: not the peer's fault.
            if handler.phase != .ready {
                handler.scheduleFrameDeadline(context)
                return
            }
            handler.logger.warning("MLLP frame left open: closed", metadata: ["peer": "\(handler.peer.address)"])
            context.close(promise: nil)
        }
    }

    private func scheduleIdleDeadline(_ context: ChannelHandlerContext) {
        idleDeadline?.cancel()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        idleDeadline = context.eventLoop.scheduleTask(in: configuration.limits.idle) {
            let (handler, context) = bound.value
            if handler.phase == .working {
                handler.scheduleIdleDeadline(context)
            } else {
                context.close(promise: nil)
            }
        }
    }
}
