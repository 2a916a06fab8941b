import Admission
import HL7v2
import MLLPAdapter
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// MLLP over TLS with client certificates, as IHE ATNA asks (ITI-19).
@Suite struct MLLPOverTLSTests {
    /// A throwaway certificate for localhost and its key, made for this test alone.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgIUFxHcBViPWuF/4t2MG4NzdJUTCY4wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbWxscC10ZXN0MCAXDTI2MTEyMTA2NDU0OFoYDzIxMjYxMDI4
        MDY0NTQ4WjAUMRIwEAYDVQQDDAltbGxwLXRlc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASXae4CbA1rZEeCkp+P+LJ0KCHnKQvL23kMD0PnhhS2Sx+4jSFuQU0e
        Gu0Ba8fKMZjaiqUgHguajZ3pz6M6y2KKo28wbTAdBgNVHQ4EFgQUw/fexylPlR7+
        NC7OZvWITFmUmv0wHwYDVR0jBBgwFoAUw/fexylPlR7+NC7OZvWITFmUmv0wDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDSAAwRQIgBXcnGHTVeza8EkqfbdzXaLk7OENEmRQoJpYn1jAS7ZACIQDl
        LsbSsEY/7RuGSZuMkHLYsRqCYRpNU0QPBISyTZ9TFQ==
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9Gmg8Z7OFq4awfGz
        yVRo2NF5/SNTZels77cItfvGQgqhRANCAASXae4CbA1rZEeCkp+P+LJ0KCHnKQvL
        23kMD0PnhhS2Sx+4jSFuQU0eGu0Ba8fKMZjaiqUgHguajZ3pz6M6y2KK
        -----END PRIVATE KEY-----
        """

    private func contexts(requiresClientCertificate: Bool) throws -> (
        server: NIOSSLContext, client: NIOSSLContext, anonymous: NIOSSLContext
    ) {
        let certificate = try NIOSSLCertificate(bytes: Array(Self.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem)
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
        let der = try NIOSSLCertificate(bytes: Array(Self.certificate.utf8), format: .pem).toDERBytes()
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
}
