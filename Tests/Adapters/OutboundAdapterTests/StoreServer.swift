import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// A DICOMweb server with a token endpoint, as tests want it: HTTPS on loopback that keeps what it is sent.
final class StoreServer: Sendable {
    struct Call: Sendable {
        let uri: String
        let headers: HTTPHeaders
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }
    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body = ""
    }

    private let calls_ = Mutex<[Call]>([])
    private let answer: @Sendable (Call, Int) -> Answer

    private init(_ answer: @escaping @Sendable (Call, Int) -> Answer) { self.answer = answer }

    var calls: [Call] { calls_.withLock { $0 } }

    /// - Parameter answer: to each call, by its number from 0.
    static func run(
        _ answer: @escaping @Sendable (Call, Int) -> Answer,
        _ test: (_ server: StoreServer, _ port: Int, _ authority: String) async throws -> Void
    ) async throws {
        let server = StoreServer(answer)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [
                    .certificate(try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem))
                ],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem))))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(Handler(server))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let file = NSTemporaryDirectory() + "hilum-stow-\(UUID().uuidString).pem"
        try TestCertificates.certificate.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let result: Result<Void, any Error>
        do {
            result = .success(try await test(server, channel.localAddress?.port ?? 0, file))
        } catch { result = .failure(error) }
        try await channel.close()
        try result.get()
    }

    private func taken(_ head: HTTPRequestHead, _ body: [UInt8]) -> Answer {
        let call = Call(uri: head.uri, headers: head.headers, body: body)
        let number = calls_.withLock { calls in
            calls.append(call)
            return calls.count - 1
        }
        return answer(call, number)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let server: StoreServer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ server: StoreServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let bytes): body += bytes.readableBytesView
            case .end:
                guard let head else { return }
                let answer = server.taken(head, body)
                var headers = HTTPHeaders(answer.headers)
                headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
                context.write(
                    wrapOutboundOut(
                        .head(
                            HTTPResponseHead(
                                version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status),
                                headers: headers))), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
