#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif
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
        /// The message does not parse, so that there is no control id to wait for, or holds a byte that no frame can.
        case messageIllegal(HL7Error)
        /// The TLS handshake failed, or did not end in time.
        case handshakeFailed
        /// The certificate is another than the one that the peer is bound to.
        case notTrusted
        /// An answer is longer than `MLLPClient.answerBytesMax`.
        case answerTooLarge
        /// More than `MLLPClient.straysMax` answers, or bytes beside frames, that are no answer to a message of ours.
        case answersIllegal
    }

    /// An acknowledgment.
    package struct Answer: Sendable, Hashable {
        /// MSA-1: `AA`, `AE`, `AR` (`CA`, `CE`, `CR`).
        package var code: String
        package var bytes: [UInt8]
        package var isAccepted: Bool { code == "AA" || code == "CA" }
    }

    /// The longest answer, in bytes without its frame. An answer to an order holds the order again.
    package static let answerBytesMax = 256 << 10
    /// The most frames beside the answer that is waited for, and the most bytes beside frames, of one message.
    package static let straysMax = 64

    /// Seconds of silence before the first probe, by the name that the system gives the option.
    private static var keepAliveIdle: CInt {
        #if canImport(Darwin)
            TCP_KEEPALIVE
        #else
            TCP_KEEPIDLE
        #endif
    }

    private let channel: any Channel

    /// Connects, and waits for the end of the TLS handshake. Throws `Failure` and what the system says of a connection.
    ///
    /// - Parameters:
    ///   - tls: nil for clear text; else `serverName` is what the server's certificate must be for.
    ///   - timeout: until the connection is open, and once more until the handshake has ended.
    ///   - isTrusted: whether a certificate (DER) that is valid is the right one.
    package static func connect(
        host: String, port: Int, tls: NIOSSLContext? = nil, serverName: String? = nil, group: any EventLoopGroup,
        timeout: TimeAmount = .seconds(10), isTrusted: @escaping @Sendable ([UInt8]) -> Bool = { _ in true }
    ) async throws -> MLLPClient {
        let ready = group.next().makePromise(of: Void.self)
        let channel: any Channel
        do {
            channel = try await open(host, port, tls, serverName, group, timeout) {
                MLLPClientHandler(ready: ready, isTLS: tls != nil, isTrusted: isTrusted)
            }
        } catch {
            ready.fail(error)
            throw error
        }
        let deadline = channel.eventLoop.scheduleTask(in: timeout) {
            ready.fail(Failure.handshakeFailed)
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        try await ready.futureResult.get()
        return MLLPClient(channel: channel)
    }

    private static func open(
        _ host: String, _ port: Int, _ tls: NIOSSLContext?, _ serverName: String?, _ group: any EventLoopGroup,
        _ timeout: TimeAmount, _ handler: @escaping @Sendable () -> MLLPClientHandler
    ) async throws -> any Channel {
        try await ClientBootstrap(group: group)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            // A receiver that is gone without a word is noticed while nothing is sent, within some minutes.
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: keepAliveIdle)), value: 60)
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)), value: 20)
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)), value: 3)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: serverName))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .connect(host: host, port: port)
            .get()
    }

    /// Whether the connection is open, as far as is known.
    package var isOpen: Bool { channel.isActive }

    /// Sends a message and waits for the acknowledgment whose MSA-2 is its MSH-10. Throws `Failure`; after all but `busy`
    /// and `messageIllegal` the connection is closed, as it is when the task is cancelled.
    package func send(_ message: [UInt8], timeout: TimeAmount = .seconds(30)) async throws -> Answer {
        let header: MessageHeader
        let frame: [UInt8]
        do throws(HL7Error) {
            header = try Parser().parse(message).header
            frame = try MLLPEncoder.frame(message)
        } catch {
            throw Failure.messageIllegal(error)
        }
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        let request = MLLPClientHandler.Request(
            frame: frame, controlID: header.controlID, timeout: timeout, promise: promise)
        channel.triggerUserOutboundEvent(request).whenFailure { _ in promise.fail(Failure.connectionClosed) }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            // Its answer must not be taken for another message's.
            channel.close(promise: nil)
        }
    }

    /// Closes the connection without waiting for it.
    func abandon() { channel.close(promise: nil) }

    /// Closes the connection.
    package func close() async {
        try? await channel.close()
    }
}
