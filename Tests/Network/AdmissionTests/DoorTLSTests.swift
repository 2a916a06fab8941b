import Access
import Admission
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

/// Doors that take TLS and clear text on one port (PS3.15 §B, RFC 8446 §5.1), and doors of some networks.
@Suite(.takingTurns) struct DoorTLSTests {
    private static func contexts() throws -> (server: NIOSSLContext, client: NIOSSLContext) {
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates([certificate])
        client.certificateVerification = .noHostnameVerification
        return (
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))),
            try NIOSSLContext(configuration: client)
        )
    }

    /// Sends back what it reads.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }
    }

    private static func listening(
        _ admission: Admission, _ tls: DoorTLS?, networks: [IPNetwork] = [], _ body: (Int) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(admission, door: .mllp, isTLS: tls?.use == .required, networks: networks))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls?.addHandlers(to: channel)
                    try channel.pipeline.syncOperations.addHandler(Echo())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await body(server.localAddress?.port ?? 0)
        try await server.close()
    }

    /// Sends bytes and reads as many back, in TLS with a context; fewer when the connection ends before.
    private static func echo(_ port: Int, _ bytes: [UInt8], tls: NIOSSLContext? = nil) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var read: [UInt8] = []
            do {
                try await outbound.write(ByteBuffer(bytes: bytes))
                for try await part in inbound {
                    read += part.readableBytesView
                    if read.count >= bytes.count { break }
                }
            } catch {}
            return read
        }
    }

    @Test("One port takes TLS and clear text; where TLS is required, clear text is not answered")
    func optional() async throws {
        let (server, client) = try Self.contexts()
        let hello = Array("\u{0B}MSH|".utf8)
        try await Self.listening(Admission(), DoorTLS(server, .optional)) { port async throws in
            #expect(try await Self.echo(port, hello, tls: client) == hello)
            #expect(try await Self.echo(port, hello) == hello)
            #expect(try await Self.echo(port, [1]) == [1])
        }
        try await Self.listening(Admission(), DoorTLS(server)) { port async throws in
            #expect(try await Self.echo(port, hello, tls: client) == hello)
            #expect(try await Self.echo(port, hello) != hello)
        }
    }

    @Test("X7: a connection that begins with TLS and goes on no further is closed in time, one that is silent is not")
    func deadline() async throws {
        var limits = AdmissionLimits()
        limits.handshakeSeconds = 1
        let timedOut = Atomic<Int>(0)
        let admission = Admission(
            limits: limits,
            observer: { event in
                if case .handshakeTimedOut = event { timedOut.add(1, ordering: .relaxed) }
            })
        let (server, _) = try Self.contexts()
        try await Self.listening(admission, DoorTLS(server, .optional)) { port async throws in
            let silent = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            let begun = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            try await begun.writeAndFlush(ByteBuffer(bytes: [22, 3, 1]))
            try await begun.closeFuture.get()
            #expect(timedOut.load(ordering: .relaxed) == 1)
            #expect(silent.isActive)
            try await silent.close()
        }
    }

    @Test("A replaced certificate is that of the next connection; those that are open go on")
    func replaced() async throws {
        let (server, client) = try Self.contexts()
        let tls = DoorTLS(server)
        try await Self.listening(Admission(), tls) { port async throws in
            let open = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: client, serverHostname: nil))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            try await open.writeAndFlush(ByteBuffer(bytes: [1]))
            // One that asks for a certificate, which this client does not have.
            let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
            var strict = TLSConfiguration.makeServerConfiguration(
                certificateChain: [.certificate(certificate)],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)))
            strict.certificateVerification = .noHostnameVerification
            strict.trustRoots = .certificates([certificate])
            tls.replace(with: try NIOSSLContext(configuration: strict))
            #expect(try await Self.echo(port, [1], tls: client).isEmpty)
            #expect(open.isActive)
            tls.replace(with: server)
            #expect(try await Self.echo(port, [1], tls: client) == [1])
            try await open.close()
        }
    }

    @Test("A door of some networks lets nobody else in, and tells the observer")
    func networks() async throws {
        let refused = Mutex<[Admission.Event]>([])
        let admission = Admission(observer: { event in
            if case .refused = event { refused.withLock { $0.append(event) } }
        })
        let here = ["127.0.0.0/8"].compactMap { IPNetwork($0) }
        let elsewhere = ["10.0.0.0/8", "fd00::/8"].compactMap { IPNetwork($0) }
        try await Self.listening(admission, nil, networks: here) { port async throws in
            #expect(try await Self.echo(port, [7]) == [7])
        }
        #expect(refused.withLock { $0 }.isEmpty)
        try await Self.listening(admission, nil, networks: elsewhere) { port async throws in
            #expect(try await Self.echo(port, [7]).isEmpty)
        }
        #expect(refused.withLock { $0 } == [.refused(.mllp, .network)])
        #expect(admission.connections(.mllp) == 0)
    }
}
