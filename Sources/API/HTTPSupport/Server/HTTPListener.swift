import Admission
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// One HTTP/1 connection of the listener, in clear text or inside TLS.
///
/// Hummingbird's own connection with a ``ResponsePartHandler`` in it; in clear text its requests can send files.
package struct HTTPListener: ServerChildChannel, HTTPChannelHandler {
    /// A connection that was set up.
    package struct Value: ServerChildChannelValue {
        fileprivate let http1: HTTP1Channel.Value
        /// Where the connection can send ranges of files.
        fileprivate let files: FileConnection?
        fileprivate let socket: SocketSlot
        /// The connection itself.
        package var channel: any Channel { http1.channel }
    }

    private let http1: HTTP1Channel
    private let isTLS: Bool
    private let tls: DoorTLS?
    private let memory: Memory?
    private let limits: HTTPLimits
    /// What answers the requests that are not answered from memory.
    package var responder: Responder { http1.responder }

    /// What answers from memory, and what the server says of itself in such answers.
    package struct Memory: Sendable {
        let responder: APIResponder
        let serverName: String
        let dates: HTTPDateClock

        /// - Parameter now: microseconds since 1970 UTC, for the Date header.
        package init(_ responder: APIResponder, serverName: String, now: @escaping @Sendable () -> Int64) {
            self.responder = responder
            self.serverName = serverName
            dates = HTTPDateClock(now: now)
        }
    }

    /// - Parameters:
    ///   - memory: nil where every request takes the usual way.
    ///   - isTLS: whether a TLS handler stands before this one, which takes bytes only.
    ///   - tls: puts one there.
    ///   - limits: how long peers are waited for.
    package init(
        responder: @escaping Responder, memory: Memory? = nil, isTLS: Bool = false, tls: DoorTLS? = nil,
        limits: HTTPLimits = HTTPLimits()
    ) {
        http1 = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [
                    ConnectionDeadlineHandler(firstRequest: limits.firstRequest, write: limits.write),
                    PlaceUseHandler(), BodyPaceHandler(limits: limits),
                ], idleTimeout: limits.idle,
                // The responder refuses first, and says what is too large.
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headBytesMax, maxHeaderListSize: limits.headBytesMax,
                    maxHeaderFieldCount: 4 * limits.headerFieldsMax)))
        self.memory = memory
        self.limits = limits
        self.isTLS = isTLS || tls != nil
        self.tls = tls
    }

    /// Puts the handlers of a new connection in place, on its event loop.
    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            if let tls {
                try tls.addHandlers(to: channel)
            } else if isTLS {
                try channel.pipeline.syncOperations.addHandler(HandshakeHandler())
            }
        }.flatMap {
            http1.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.handler(type: HTTPResponseEncoder.self)
            let parts = ResponsePartHandler()
            try pipeline.addHandler(parts, position: .after(encoder))
            let socket = SocketSlot()
            let exchange = HTTPExchangeHandler(limits: limits, socket: socket, refuse: refusal)
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(HTTPWireHandler(exchange), position: .before(decoder))
            try pipeline.addHandler(exchange, position: .after(decoder))
            let files = !isTLS ? FileConnection(parts, loop: channel.eventLoop) : nil
            if let memory {
                let states = try pipeline.handler(type: HTTPConnectionStateHandler.self)
                try pipeline.addHandler(
                    MemoryAnswerHandler(memory, parts: parts, files: files, logger: logger), position: .after(states))
            }
            return Value(http1: value, files: files, socket: socket)
        }
    }

    /// The answer to what never became a request.
    @Sendable private func refusal(
        _ failure: HTTPFailure, target: String?, sourceAddress: String?
    ) -> (HTTPResponseHead, [UInt8]) {
        var answer =
            memory?.responder.refusal(failure, target: target, sourceAddress: sourceAddress)
            ?? APIResponder.bareRefusal(failure)
        if let memory {
            answer.headers[.date] = memory.dates.text
            answer.headers[.server] = memory.serverName
        }
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: answer.status.code, reasonPhrase: answer.status.reasonPhrase),
            headers: HTTPHeaders(answer.headers.map { ($0.name.rawName, $0.value) }))
        return (head, answer.body)
    }

    /// Serves a connection until it ends; brief work runs on its event loop.
    package func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(ConnectionExecutor(value.channel.eventLoop)) {
            await SocketSlot.$current.withValue(value.socket) {
                await FileConnection.$current.withValue(value.files) {
                    await http1.handle(value: value.http1, logger: logger)
                }
            }
        }
    }
}
