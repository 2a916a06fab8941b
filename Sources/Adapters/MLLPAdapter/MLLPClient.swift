import HL7v2
import NIOCore
import NIOPosix
import NIOSSL

/// Sends messages over one MLLP connection, one at a time, each waiting for the acknowledgment that names it.
package struct MLLPClient: Sendable {
    /// Why a message was not acknowledged. It may or may not have been taken: send it again with the same MSH-10.
    package enum Failure: Error, Sendable, Hashable {
        /// No acknowledgment with the message's control id came in time. The connection is closed, so that a late one
        /// can not be taken for the next message's.
        case timedOut
        case connectionClosed
        /// Another message is waiting for its acknowledgment.
        case busy
        /// The message does not parse, so that there is no control id to wait for.
        case messageIllegal(HL7Error)
    }

    /// An acknowledgment.
    package struct Answer: Sendable, Hashable {
        /// MSA-1: `AA`, `AE`, `AR` (`CA`, `CE`, `CR`).
        package var code: String
        package var bytes: [UInt8]
        package var isAccepted: Bool { code == "AA" || code == "CA" }
    }

    private let channel: any Channel

    /// Connects. With `tls`, `serverName` is what the server's certificate must be for.
    package static func connect(
        host: String, port: Int, tls: NIOSSLContext? = nil, serverName: String? = nil, group: any EventLoopGroup,
        timeout: TimeAmount = .seconds(10)
    ) async throws -> MLLPClient {
        let channel = try await ClientBootstrap(group: group)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: serverName))
                    }
                    try channel.pipeline.syncOperations.addHandler(MLLPClientHandler())
                }
            }
            .connect(host: host, port: port)
            .get()
        return MLLPClient(channel: channel)
    }

    /// Sends a message and waits for the acknowledgment whose MSA-2 is its MSH-10. Throws `Failure`.
    package func send(_ message: [UInt8], timeout: TimeAmount = .seconds(30)) async throws -> Answer {
        let header: MessageHeader
        do throws(HL7Error) {
            header = try Parser().parse(message).header
        } catch {
            throw Failure.messageIllegal(error)
        }
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let request = MLLPClientHandler.Request(
            frame: try MLLPEncoder.frame(message), controlID: header.controlID, timeout: timeout, promise: promise)
        channel.triggerUserOutboundEvent(request).whenFailure { _ in promise.fail(Failure.connectionClosed) }
        return try await promise.futureResult.get()
    }

    /// Closes the connection.
    package func close() async {
        try? await channel.close()
    }
}

/// Matches acknowledgments with the message that waits. Confined to its event loop.
private final class MLLPClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    struct Request: Sendable {
        let frame: [UInt8]
        let controlID: [UInt8]
        let timeout: TimeAmount
        let promise: EventLoopPromise<MLLPClient.Answer>
    }

    private var decoder = MLLPDecoder()
    private var pending: Request?
    private var deadline: Scheduled<Void>?

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
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: request.timeout) {
            let (handler, context) = bound.value
            handler.finish(.failure(.timedOut))
            context.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: request.frame)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for event in decoder.decode(unwrapInboundIn(data).readableBytesView) {
            // An acknowledgment that names another message, or none, is not ours: the deadline decides.
            guard case .message(let bytes) = event, let pending, let message = try? Parser().parse(bytes),
                let msa = message["MSA"], Array(msa[2].rawBytes) == pending.controlID
            else { continue }
            finish(.success(MLLPClient.Answer(code: msa[1].text ?? "", bytes: bytes)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(.connectionClosed))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(.connectionClosed))
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
