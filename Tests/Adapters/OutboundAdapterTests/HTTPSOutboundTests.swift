import Access
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import OutboundAdapter

/// Case X9: fetches from a server that answers whatever a test wants, over TLS on loopback.
@Suite("Outbound fetches keep their bounds", .takingTurns)
struct HTTPSOutboundTests {
    /// Answers the first bytes of each connection with a text, after a while.
    private final class Canned: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: String
        private let delay: TimeAmount
        /// Whether a byte follows the answer every few milliseconds, as long as somebody is there.
        private let drips: Bool

        init(_ answer: String, delay: TimeAmount, drips: Bool) {
            self.answer = answer
            self.delay = delay
            self.drips = drips
        }

        private static func drip(_ channel: any Channel) {
            channel.writeAndFlush(ByteBuffer(string: "a")).whenSuccess {
                channel.eventLoop.scheduleTask(in: .milliseconds(5)) { drip(channel) }
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = context.channel
            let answer = answer
            if drips {
                channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
                Self.drip(channel)
                return
            }
            channel.eventLoop.scheduleTask(in: delay) {
                channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }

    /// Runs a test against a server of one answer, with a file that holds its authority.
    @discardableResult
    static func serving<Value>(
        _ answer: String, delay: TimeAmount = .zero, drips: Bool = false,
        _ test: (_ port: Int, _ authority: String) async throws -> Value
    ) async throws -> Value {
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(certificate)],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem))))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.addHandler(Canned(answer, delay: delay, drips: drips))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        let file = NSTemporaryDirectory() + "hilum-outbound-\(UUID().uuidString).pem"
        try TestCertificates.certificate.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let port = try #require(server.localAddress?.port)
        do {
            let value = try await test(port, file)
            try await server.close()
            return value
        } catch {
            try await server.close()
            throw error
        }
    }

    private static let loopback = OutboundPolicy(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })

    private static func fetch(
        _ answer: String, delay: TimeAmount = .zero, limits: HTTPSOutbound.Limits = HTTPSOutbound.Limits()
    ) async throws -> OutboundResponse {
        // The event loops are shared with all other tests, which may keep them for long.
        var limits = limits
        (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
        if delay == .zero { limits.total = .minutes(10) }
        return try await serving(answer, delay: delay) { [limits] port, authority in
            try await HTTPSOutbound(policy: loopback, limits: limits, authoritiesFile: authority)
                .get("https://127.0.0.1:\(port)/jwks")
        }
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
            _ = try await Self.fetch(Self.answer(bytes: 10), delay: .hours(1), limits: limits)
        }
        // Far from the answer, however loaded the machine is.
        #expect(clock.now - begin < .seconds(60))
    }

    @Test("An answer whose bytes come one by one is given up in time as well: the head alone is not all of it")
    func drip() async throws {
        var limits = HTTPSOutbound.Limits()
        (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
        limits.total = .milliseconds(500)
        let clock = ContinuousClock()
        let begin = clock.now
        await #expect(throws: (any Error).self) {
            // At a byte every five milliseconds it would take hours.
            try await Self.serving("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", drips: true) {
                [limits] port, authority in
                _ = try await HTTPSOutbound(policy: Self.loopback, limits: limits, authoritiesFile: authority)
                    .get("https://127.0.0.1:\(port)/jwks")
            }
        }
        #expect(clock.now - begin < .seconds(60))
    }

    @Test("X9: a redirect is not followed")
    func redirect() async throws {
        let response = try await Self.fetch(
            "HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
        #expect(response.status == 302)
    }

    @Test(
        "X9: the address that was asked about is the one that is dialled, however the name is written; nobody asks twice",
        arguments: ["localhost", "LocalHost", "localhost.", "LOCALHOST."])
    func pinned(_ host: String) async throws {
        try await Self.serving(Self.answer(bytes: 3)) { (port: Int, authority: String) async throws in
            // The first answer is allowed; every later one would lead to an address that is refused, and so would the
            // system's own.
            let asked = Mutex<[String]>([])
            let outbound = HTTPSOutbound(
                policy: OutboundPolicy(allowedNetworks: ["127.0.0.1"].compactMap { IPNetwork($0) }),
                authoritiesFile: authority
            ) { name in
                let count = asked.withLock {
                    $0.append(name)
                    return $0.count
                }
                return [IPAddress(count == 1 ? "127.0.0.1" : "127.0.0.9")].compactMap(\.self)
            }
            let answer = try await outbound.get("https://\(host):\(port)/jwks")
            #expect(answer.body == Array("aaa".utf8))
            #expect(asked.withLock { $0 } == ["localhost"])
            await #expect(throws: OutboundRefusal.addressNotAllowed) {
                _ = try await outbound.get("https://\(host):\(port)/jwks")
            }
        }
    }

    @Test("X9: of several addresses one that is allowed is taken, and with none nothing is dialled")
    func several() async throws {
        func outbound(_ addresses: [String]) -> HTTPSOutbound {
            HTTPSOutbound(policy: OutboundPolicy()) { _ in addresses.compactMap { IPAddress($0) } }
        }
        await #expect(throws: OutboundRefusal.addressNotAllowed) {
            try await outbound(["10.0.0.1", "::1"]).check("https://keys.example/")
        }
        await #expect(throws: OutboundRefusal.unresolvable) { try await outbound([]).check("https://keys.example/") }
        try await outbound(["10.0.0.1", "8.8.8.8"]).check("https://keys.example/")
    }

    @Test(
        "X9: this machine is refused by default, whatever the name, when registered and when fetched",
        arguments: [
            ("https://localhost/jwks", OutboundRefusal.addressNotAllowed), ("https://127.0.0.1/", .addressNotAllowed),
            ("https://[::1]/", .addressNotAllowed), ("https://[::ffff:127.0.0.1]/", .addressNotAllowed),
            ("https://169.254.169.254/latest/meta-data", .addressNotAllowed), ("https://0x7f000001/", .malformedURL),
            ("https://2130706433/", .malformedURL), ("http://127.0.0.1/jwks", .schemeNotAllowed),
            ("https://user@127.0.0.1/", .malformedURL),
        ])
    func refused(_ url: String, _ reason: OutboundRefusal) async throws {
        let outbound = HTTPSOutbound(policy: OutboundPolicy())
        await #expect(throws: reason) { try await outbound.check(url) }
        await #expect(throws: reason) { _ = try await outbound.get(url) }
    }

    @Test("A server whose authority is not trusted is not asked")
    func untrusted() async throws {
        try await Self.serving(Self.answer(bytes: 1)) { (port: Int, _: String) async throws in
            await #expect(throws: (any Error).self) {
                _ = try await HTTPSOutbound(policy: Self.loopback).get("https://127.0.0.1:\(port)/")
            }
        }
    }
}
