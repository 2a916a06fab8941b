import Admission
import HL7v2
import NIOCore
import NIOSSL
import NIOTLS

/// Matches acknowledgments with the message that waits. Confined to its event loop.
///
/// A peer that sends what nobody asked for is closed after a while: nothing it sends is kept beyond one answer.
final class MLLPClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    struct Request: Sendable {
        let frame: [UInt8]
        let controlID: [UInt8]
        let timeout: TimeAmount
        let promise: EventLoopPromise<MLLPClient.Answer>
    }

    private let ready: EventLoopPromise<Void>
    private let isTLS: Bool
    private let isTrusted: @Sendable ([UInt8]) -> Bool
    private var decoder = MLLPDecoder(messageBytesMax: MLLPClient.answerBytesMax)
    private var pending: Request?
    private var deadline: Scheduled<Void>?
    /// Frames that were no answer to the message that waits, and bytes beside frames before it.
    private var strays = 0
    private var strayBytesBefore = 0

    /// - Parameters:
    ///   - ready: Kept once messages can be sent.
    ///   - isTrusted: Whether the peer's certificate (DER) is the right one.
    init(ready: EventLoopPromise<Void>, isTLS: Bool, isTrusted: @escaping @Sendable ([UInt8]) -> Bool) {
        self.ready = ready
        self.isTLS = isTLS
        self.isTrusted = isTrusted
    }

    // MARK: Opening

    func channelActive(context: ChannelHandlerContext) {
        if !isTLS { ready.succeed(()) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            let certificate = try? handler?.peerCertificate?.toDERBytes()
            if isTrusted(certificate ?? []) {
                ready.succeed(())
            } else {
                ready.fail(MLLPClient.Failure.notTrusted)
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Sending

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let request = event as? Request else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        promise?.succeed(())
        guard pending == nil else {
            request.promise.fail(MLLPClient.Failure.busy)
            return
        }
        guard context.channel.isActive else {
            request.promise.fail(MLLPClient.Failure.connectionClosed)
            return
        }
        pending = request
        strays = 0
        strayBytesBefore = decoder.tolerated.strayBytes
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: request.timeout) {
            let (handler, context) = bound.value
            handler.finish(.failure(.timedOut))
            context.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: request.frame)), promise: nil)
    }

    // MARK: Answers

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for event in decoder.decode(unwrapInboundIn(data).readableBytesView) {
            guard case .message(let bytes) = event else { return fail(.answerTooLarge, context) }
            // An acknowledgment that names another message, or none, is not ours: the deadline decides.
            if let pending, let message = try? Parser().parse(bytes), let msa = message["MSA"],
                Array(msa[2].rawBytes) == pending.controlID
            {
                finish(.success(MLLPClient.Answer(code: msa[1].text ?? "", bytes: bytes)))
            } else {
                strays += 1
            }
        }
        let beside = decoder.tolerated.strayBytes - strayBytesBefore
        if strays > MLLPClient.straysMax || beside > MLLPClient.straysMax { fail(.answersIllegal, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        ready.fail(isTLS ? MLLPClient.Failure.handshakeFailed : .connectionClosed)
        finish(.failure(.connectionClosed))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ready.fail(isTLS ? MLLPClient.Failure.handshakeFailed : .connectionClosed)
        finish(.failure(.connectionClosed))
        context.closeAtOnce()
    }

    private func fail(_ failure: MLLPClient.Failure, _ context: ChannelHandlerContext) {
        finish(.failure(failure))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<MLLPClient.Answer, MLLPClient.Failure>) {
        deadline?.cancel()
        deadline = nil
        let request = pending
        pending = nil
        switch result {
        case .success(let answer): request?.promise.succeed(answer)
        case .failure(let failure): request?.promise.fail(failure)
        }
    }
}
