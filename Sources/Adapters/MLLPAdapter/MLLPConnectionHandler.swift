import HL7v2
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// One message from a connection, and the way back for its acknowledgment.
struct MLLPWork: Sendable {
    let event: MLLPDecoder.Event
    let peer: MLLPPeer
    /// Writes the acknowledgment; empty bytes close the connection without an answer.
    let reply: @Sendable ([UInt8]) -> Void
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
    private let dispatch: @Sendable (MLLPWork) -> Bool
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
    private var idleDeadline: Scheduled<Void>?

    init(
        configuration: MLLPConfiguration, connections: MLLPConnections, logger: Logger,
        dispatch: @escaping @Sendable (MLLPWork) -> Bool
    ) {
        self.configuration = configuration
        self.connections = connections
        self.logger = logger
        self.dispatch = dispatch
        decoder = MLLPDecoder(messageBytesMax: configuration.limits.messageBytesMax)
    }

    // MARK: Connection

    func channelActive(context: ChannelHandlerContext) {
        peer.address = context.remoteAddress?.ipAddress ?? ""
        isAdmitted = connections.admit(context.channel, address: peer.address)
        guard isAdmitted else {
            logger.warning("MLLP connection refused: too many", metadata: ["peer": "\(peer.address)"])
            context.close(promise: nil)
            return
        }
        scheduleIdleDeadline(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        frameDeadline?.cancel()
        idleDeadline?.cancel()
        if isAdmitted { connections.remove(context.channel, address: peer.address) }
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
        context.close(promise: nil)
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
        let restarts = decoder.tolerated.restarts
        let events = decoder.decode(unwrapInboundIn(data).readableBytesView)
        waiting += events
        followFrame(context, isNewFrame: !events.isEmpty || decoder.tolerated.restarts != restarts)
        scheduleIdleDeadline(context)
        pump(context)
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
        let work = MLLPWork(event: event, peer: peer) { acknowledgement in
            eventLoop.execute { bound.value.handler.answer(acknowledgement, bound.value.context) }
        }
        if !dispatch(work) { context.close(promise: nil) }
    }

    private func discardWaiting() {
        waiting.removeAll(keepingCapacity: waiting.capacity <= 64)
        nextWaiting = 0
    }

    // MARK: Answering

    private func answer(_ acknowledgement: [UInt8], _ context: ChannelHandlerContext) {
        guard isAdmitted else { return }
        guard !acknowledgement.isEmpty, let frame = try? MLLPEncoder.frame(acknowledgement) else {
            context.close(promise: nil)
            return
        }
        phase = .answering
        scheduleIdleDeadline(context)
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { result in bound.value.handler.answered(result, bound.value.context) }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: frame)), promise: written)
    }

    private func answered(_ result: Result<Void, any Error>, _ context: ChannelHandlerContext) {
        guard isAdmitted else { return }
        phase = .ready
        if isDraining {
            context.close(promise: nil)
        } else if case .success = result {
            pump(context)
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: Deadlines

    private func followFrame(_ context: ChannelHandlerContext, isNewFrame: Bool) {
        if !decoder.isFrameOpen {
            frameDeadline?.cancel()
            frameDeadline = nil
        } else if isNewFrame || frameDeadline == nil {
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
