import NIOCore
import NIOPosix
import Testing

@testable import SMARTAPI

/// Fetches of key sets from a server that answers whatever a test wants.
@Suite("Outbound fetches keep their bounds")
struct OutboundTests {
    /// Answers the first bytes of each connection with a text, after a while.
    private final class Canned: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: String
        private let delay: TimeAmount

        init(_ answer: String, delay: TimeAmount) {
            self.answer = answer
            self.delay = delay
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = context.channel
            let answer = answer
            channel.eventLoop.scheduleTask(in: delay) {
                channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }

    /// What a fetch gives from a server on loopback.
    private static func fetch(
        _ answer: String, delay: TimeAmount = .zero, limits: HTTPSOutbound.Limits = HTTPSOutbound.Limits()
    ) async throws -> OutboundResponse {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Canned(answer, delay: delay))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let result: Result<OutboundResponse, any Error>
        do {
            result = .success(
                try await HTTPSOutbound(allowsLoopback: true, limits: limits).get("http://127.0.0.1:\(port)/jwks"))
        } catch {
            result = .failure(error)
        }
        try await server.close()
        return try result.get()
    }

    private static func answer(bytes: Int) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\nCache-Control: max-age=60\r\n\r\n"
            + String(repeating: "a", count: bytes)
    }

    @Test("A body at the limit is taken, one byte more is refused, by default and as configured")
    func body() async throws {
        var small = HTTPSOutbound.Limits()
        small.bodyBytesMax = 2000
        for limits in [HTTPSOutbound.Limits(), small] {
            let most = limits.bodyBytesMax
            let response = try await Self.fetch(Self.answer(bytes: most), limits: limits)
            #expect(response.status == 200)
            #expect(response.body.count == most)
            #expect(response.cacheControl == "max-age=60")
            await #expect(throws: OutboundRefusal.tooLarge) {
                _ = try await Self.fetch(Self.answer(bytes: most + 1), limits: limits)
            }
        }
        #expect(HTTPSOutbound.Limits().bodyBytesMax == 1 << 20)
    }

    @Test("An answer that does not come in time is given up")
    func time() async throws {
        var limits = HTTPSOutbound.Limits()
        limits.total = .milliseconds(200)
        let clock = ContinuousClock()
        let begin = clock.now
        await #expect(throws: (any Error).self) {
            _ = try await Self.fetch(Self.answer(bytes: 10), delay: .seconds(20), limits: limits)
        }
        #expect(clock.now - begin < .seconds(10))
    }

    @Test("Class S: a redirect is not followed")
    func redirect() async throws {
        let response = try await Self.fetch(
            "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
        #expect(response.status == 302)
    }
}
