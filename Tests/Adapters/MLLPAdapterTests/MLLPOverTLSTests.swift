import Admission
import HL7v2
import MLLPAdapter
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport
import Testing
import Workflow

/// MLLP over TLS with client certificates, as IHE ATNA asks (ITI-19).
@Suite(.takingTurns) struct MLLPOverTLSTests {
    private func contexts(requiresClientCertificate: Bool) throws -> (
        server: NIOSSLContext, client: NIOSSLContext, anonymous: NIOSSLContext
    ) {
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)
        var server = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
        server.minimumTLSVersion = .tlsv12
        server.trustRoots = .certificates([certificate])
        server.certificateVerification = requiresClientCertificate ? .noHostnameVerification : .none
        var anonymous = TLSConfiguration.makeClientConfiguration()
        anonymous.trustRoots = .certificates([certificate])
        var client = anonymous
        client.certificateChain = [.certificate(certificate)]
        client.privateKey = .privateKey(key)
        return (
            try NIOSSLContext(configuration: server), try NIOSSLContext(configuration: client),
            try NIOSSLContext(configuration: anonymous)
        )
    }

    @Test("With a client certificate the peer is served, and its certificate is handed over")
    func clientCertificate() async throws {
        let (server, client, anonymous) = try contexts(requiresClientCertificate: true)
        let seen = Promised<MLLPPeer>()
        try await TestListener.run(
            MLLPConfiguration(tls: DoorTLS(server)),
            receive: { bytes, peer in
                seen.set(peer)
                return TestListener.answer(to: bytes)
            }
        ) { port, _ in
            let group = MultiThreadedEventLoopGroup.singleton
            let served = try await MLLPClient.connect(
                host: "127.0.0.1", port: port, tls: client, serverName: "localhost", group: group)
            #expect(try await served.send(TestListener.message("M1")).isAccepted)
            await served.close()
            // Without a certificate, and in clear text, nobody is answered.
            for tls in [anonymous, nil] {
                let refused = try await MLLPClient.connect(
                    host: "127.0.0.1", port: port, tls: tls, serverName: tls == nil ? nil : "localhost", group: group)
                await #expect(throws: (any Error).self) { try await refused.send(TestListener.message("M2")) }
                await refused.close()
            }
        }
        let der = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem).toDERBytes()
        #expect(await seen.value.certificate == der)
    }

    @Test("Without the requirement a client without a certificate is served over TLS")
    func withoutClientCertificate() async throws {
        let (server, _, anonymous) = try contexts(requiresClientCertificate: false)
        try await TestListener.run(
            MLLPConfiguration(tls: DoorTLS(server)), receive: { bytes, _ in TestListener.answer(to: bytes) }
        ) { port, _ in
            let client = try await MLLPClient.connect(
                host: "127.0.0.1", port: port, tls: anonymous, serverName: "localhost",
                group: MultiThreadedEventLoopGroup.singleton)
            #expect(try await client.send(TestListener.message("M1")).isAccepted)
            await client.close()
        }
    }

    @Test("On a port of both, TLS hands its certificate over, and clear text is served without one")
    func optional() async throws {
        let (server, client, _) = try contexts(requiresClientCertificate: true)
        let der = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem).toDERBytes()
        for (tls, certificate) in [(client, der), (nil, nil)] as [(NIOSSLContext?, [UInt8]?)] {
            let seen = Promised<MLLPPeer>()
            try await TestListener.run(
                MLLPConfiguration(tls: DoorTLS(server, .optional)),
                receive: { bytes, peer in
                    seen.set(peer)
                    return TestListener.answer(to: bytes)
                }
            ) { port, _ in
                let peer = try await MLLPClient.connect(
                    host: "127.0.0.1", port: port, tls: tls, serverName: tls == nil ? nil : "localhost",
                    group: MultiThreadedEventLoopGroup.singleton)
                #expect(try await peer.send(TestListener.message("M1")).isAccepted)
                await peer.close()
            }
            #expect(await seen.value == MLLPPeer(address: "127.0.0.1", certificate: certificate))
        }
    }

    @Test("A receiver is called as is said of it: in clear text, verified, or by the one certificate that counts")
    func calledAsSaid() async throws {
        let (server, client, _) = try contexts(requiresClientCertificate: false)
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        var open = TLSConfiguration.makeClientConfiguration()
        open.certificateVerification = .none
        let digest: @Sendable ([UInt8]) -> String = { "\($0.count)-\($0.last ?? 0)" }
        var terms = MLLPSender.Terms(fingerprint: digest)
        let comparing = try NIOSSLContext(configuration: open)
        terms.verifying = { client }
        terms.comparing = { comparing }
        terms.serverName = "localhost"
        let own = digest(try certificate.toDERBytes())
        try await TestListener.run(
            MLLPConfiguration(tls: DoorTLS(server, .optional)), receive: { bytes, _ in TestListener.answer(to: bytes) }
        ) { [terms] port, _ async throws in
            let sender = MLLPSender(terms, group: MultiThreadedEventLoopGroup.singleton)
            for tls in [.off, .on, .pinned(fingerprint: own)] as [Peer.TLS] {
                let address = MLLPSender.Address(host: "127.0.0.1", port: port, tls: tls)
                #expect(try await sender.send(TestListener.message("M1"), to: address).isAccepted)
            }
            let other = MLLPSender.Address(host: "127.0.0.1", port: port, tls: .pinned(fingerprint: "other"))
            await #expect(throws: MLLPClient.Failure.notTrusted) {
                try await sender.send(TestListener.message("M2"), to: other)
            }
            await sender.close()
            // Without TLS of its own this server does not fall back to clear text.
            let bare = MLLPSender(MLLPSender.Terms(fingerprint: digest), group: MultiThreadedEventLoopGroup.singleton)
            for tls in [.on, .pinned(fingerprint: own)] as [Peer.TLS] {
                await #expect(throws: MLLPClient.Failure.handshakeFailed) {
                    try await bare.send(
                        TestListener.message("M3"), to: .init(host: "127.0.0.1", port: port, tls: tls))
                }
            }
            await bare.close()
        }
    }
}
