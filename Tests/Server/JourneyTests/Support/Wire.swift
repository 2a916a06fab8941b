import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A bare connection: any bytes out, any bytes in.
struct Wire {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    /// What came and was not taken yet.
    var received = ByteBuffer()

    /// Connects, plays and closes.
    static func connect<T: Sendable>(
        port: Int, tls: NIOSSLContext? = nil, _ body: @Sendable (inout Wire) async throws -> T
    ) async throws -> T {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var wire = Wire(outbound: outbound, inbound: inbound.makeAsyncIterator())
            return try await body(&wire)
        }
    }

    /// A TLS context that trusts the authority of a server folder.
    static func tls(_ folder: ServerFolder) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(folder.authorityFile)
        return try NIOSSLContext(configuration: configuration)
    }

    /// Whether a door agrees with a client on TLS.
    static func shakesHands(port: Int, _ tls: NIOSSLContext) async throws -> Bool {
        let group = MultiThreadedEventLoopGroup.singleton
        let agreed = group.next().makePromise(of: Bool.self)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: tls, serverHostname: "localhost"), HandshakeEnd(agreed))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let isAgreed = try await agreed.futureResult.get()
        try? await channel.close()
        return isAgreed
    }

    /// Notes whether a handshake ended well or the connection did.
    private final class HandshakeEnd: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let agreed: EventLoopPromise<Bool>
        private var isDone = false

        init(_ agreed: EventLoopPromise<Bool>) { self.agreed = agreed }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { end(true) }
        }
        func channelInactive(context: ChannelHandlerContext) { end(false) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            end(false)
            context.close(promise: nil)
        }

        private func end(_ isAgreed: Bool) {
            guard !isDone else { return }
            isDone = true
            agreed.succeed(isAgreed)
        }
    }

    private init(
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    ) {
        self.outbound = outbound
        self.inbound = inbound
    }

    func send(_ bytes: some Sequence<UInt8>) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }
    func send(_ buffer: ByteBuffer) async throws { try await outbound.write(buffer) }

    /// Waits for more bytes; false when the peer has closed, by a reset too.
    mutating func more() async -> Bool {
        guard var bytes = try? await inbound.next() else { return false }
        received.writeBuffer(&bytes)
        return true
    }

    /// The status of the HTTP answer that comes, and its text, up to the close or the end of a body of known length.
    mutating func httpAnswer() async -> (status: Int, text: String) {
        while true {
            let text = String(decoding: received.readableBytesView, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = text[..<end.lowerBound].lowercased().split(separator: "\r\n")
                let length = head.first { $0.hasPrefix("content-length:") }.flatMap {
                    Int($0.dropFirst(15).filter { $0 != " " })
                }
                let body = received.readableBytes - text[..<end.upperBound].utf8.count
                if let length, body >= length { break }
            }
            guard await more() else { break }
        }
        let text = String(decoding: received.readableBytesView, as: UTF8.self)
        received.clear()
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0, text)
    }

    /// Sends the head of a request as it stands and gives the answer.
    static func http(_ server: HilumServer, _ head: String, body: [UInt8] = []) async throws -> (
        status: Int, text: String
    ) {
        try await connect(port: server.httpPort) { wire in
            // The server may answer and close before all is sent.
            try? await wire.send(Array(head.utf8) + body)
            return await wire.httpAnswer()
        }
    }
}
