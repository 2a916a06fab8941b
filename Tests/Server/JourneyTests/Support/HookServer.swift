import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// A rest-hook endpoint: HTTPS on loopback that notes what it is told and answers as a test wants.
final class HookServer: Sendable {
    struct Call: Sendable {
        let method: String
        let uri: String
        let headers: HTTPHeaders
        let body: [UInt8]
        let status: Int

        var text: String { String(decoding: body, as: UTF8.self) }
        var eventID: String { headers.first(name: "Hilum-Event-Id") ?? "" }
        var isHandshake: Bool { headers.first(name: "Hilum-Event") == "handshake" }
    }
    /// What a call is answered with; nil: nothing at all.
    typealias Answer = @Sendable (Call, _ number: Int) -> (status: Int, headers: [(String, String)])?

    private struct State {
        var calls: [Call] = []
        var answer: Answer
    }
    private let state: Mutex<State>
    private let listener = Mutex<(any Channel)?>(nil)

    private init(_ answer: @escaping Answer) { state = Mutex(State(answer: answer)) }

    var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    var url: String { "https://127.0.0.1:\(port)/hook" }
    /// In the order in which they came.
    var calls: [Call] { state.withLock { $0.calls } }
    /// The notifications that were taken.
    var taken: [Call] { calls.filter { !$0.isHandshake && $0.status / 100 == 2 } }

    func answer(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }

    static func with<Value: Sendable>(
        _ answer: @escaping Answer = { _, _ in (200, []) }, _ body: (HookServer) async throws -> Value
    ) async throws -> Value {
        let server = HookServer(answer)
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

    /// Waits for a condition on the calls; throws after a while.
    func wait(
        _ what: String, patience: Duration = .seconds(60), _ condition: @Sendable ([Call]) -> Bool
    ) async throws {
        let end = ContinuousClock.now + patience
        while !condition(calls) {
            guard ContinuousClock.now < end else {
                let seen = calls.map { "\($0.status) \($0.eventID) \($0.text.prefix(60))" }.joined(separator: "\n")
                throw JourneyFailure("the hook waited in vain: \(what); it was called:\n\(seen)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func note(_ head: HTTPRequestHead, _ body: [UInt8]) -> (status: Int, headers: [(String, String)])? {
        state.withLock { state in
            func call(_ status: Int) -> Call {
                Call(
                    method: head.method.rawValue, uri: head.uri, headers: head.headers, body: body, status: status)
            }
            let answer = state.answer(call(0), state.calls.count)
            state.calls.append(call(answer?.status ?? 0))
            return answer
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let server: HookServer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ server: HookServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let bytes): body += bytes.readableBytesView
            case .end:
                guard let head, let answer = server.note(head, body) else { return }
                var headers = HTTPHeaders(answer.headers)
                headers.add(name: "Content-Length", value: "0")
                context.write(
                    wrapOutboundOut(
                        .head(
                            HTTPResponseHead(
                                version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status),
                                headers: headers))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

extension ServerFolder {
    /// A folder whose server may tell hooks on loopback, and trusts their certificate.
    static func withHooks(_ more: String = "") async throws -> ServerFolder {
        let folder = try await make()
        try TestCertificates.certificate.write(
            toFile: folder.path + "/tls/hooks.pem", atomically: true, encoding: .utf8)
        let file = folder.path + "/hilum.yaml"
        try
            (String(contentsOfFile: file, encoding: .utf8)
            + "\noutbound: { allow-networks: [127.0.0.0/8], authorities: tls/hooks.pem }\n" + more).write(
                toFile: file, atomically: true, encoding: .utf8)
        return folder
    }
}
