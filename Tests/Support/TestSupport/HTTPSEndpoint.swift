import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTPS server on loopback, under ``TestCertificates``, that notes what it is sent and answers as a test wants.
package final class HTTPSEndpoint: Sendable {
    package struct Call: Sendable {
        package let method: String
        package let uri: String
        package let headers: HTTPHeaders
        package let body: [UInt8]
        /// That it was answered with; 0 for none.
        package fileprivate(set) var status = 0

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(String, String)]
        package var body: String

        package init(status: Int = 200, headers: [(String, String)] = [], body: String = "") {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// What a call is answered with, by its number from 0; nil for nothing at all.
    package typealias Answering = @Sendable (Call, _ number: Int) -> Answer?

    private struct State {
        var calls: [Call] = []
        var answer: Answering
    }
    private let state: Mutex<State>
    private let listener = Mutex<(any Channel)?>(nil)

    private init(_ answer: @escaping Answering) { state = Mutex(State(answer: answer)) }

    package var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    /// In the order in which they came.
    package var calls: [Call] { state.withLock { $0.calls } }

    /// Answers otherwise from now on.
    package func answer(_ answer: @escaping Answering) { state.withLock { $0.answer = answer } }

    /// Listens while `body` runs.
    package static func with<Value: Sendable>(
        _ answer: @escaping Answering, _ body: (HTTPSEndpoint) async throws -> Value
    ) async throws -> Value {
        let server = HTTPSEndpoint(answer)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [
                    .certificate(try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem))
                ],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem))))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(Handler(server))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        server.listener.withLock { $0 = channel }
        let result: Result<Value, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        try? await channel.close()
        return try result.get()
    }

    private func note(_ head: HTTPRequestHead, _ body: [UInt8]) -> Answer? {
        state.withLock { state in
            var call = Call(method: head.method.rawValue, uri: head.uri, headers: head.headers, body: body)
            let answer = state.answer(call, state.calls.count)
            call.status = answer?.status ?? 0
            state.calls.append(call)
            return answer
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let server: HTTPSEndpoint
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ server: HTTPSEndpoint) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let bytes): body += bytes.readableBytesView
            case .end:
                guard let head, let answer = server.note(head, body) else { return }
                var headers = HTTPHeaders(answer.headers)
                headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
                let start = HTTPResponseHead(
                    version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
                context.write(wrapOutboundOut(.head(start)), promise: nil)
                if !answer.body.isEmpty {
                    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
                }
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
