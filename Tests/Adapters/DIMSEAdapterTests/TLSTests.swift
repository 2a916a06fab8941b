import Admission
import DICOMData
import DICOMNetwork
import DIMSEAdapter
import NIOSSL
import TestSupport
import Testing
import Workflow

/// PS3.15 §B.12: TLS, with peers bound to their certificate.
@Suite(.takingTurns) struct TLSTests {
    private func contexts() throws -> (server: NIOSSLContext, client: NIOSSLContext, anonymous: NIOSSLContext) {
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)
        var server = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
        server.minimumTLSVersion = .tlsv12
        server.trustRoots = .certificates([certificate])
        server.certificateVerification = .noHostnameVerification
        var anonymous = TLSConfiguration.makeClientConfiguration()
        anonymous.trustRoots = .certificates([certificate])
        anonymous.certificateVerification = .noHostnameVerification
        var client = anonymous
        client.certificateChain = [.certificate(certificate)]
        client.privateKey = .privateKey(key)
        return (
            try NIOSSLContext(configuration: server), try NIOSSLContext(configuration: client),
            try NIOSSLContext(configuration: anonymous)
        )
    }

    private static let verification = (
        abstractSyntax: UID.verification, transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid]
    )

    /// A stand-in for SHA-256: the length and the last byte.
    @Sendable private static func fingerprint(_ bytes: [UInt8]) -> String { "\(bytes.count)-\(bytes.last ?? 0)" }

    /// It is served, or refused 1/1/3.
    private func expect(_ isServed: Bool, _ destination: SCUAssociation.Destination) async throws {
        if isServed {
            let association = try await SCUAssociation.open(destination, contexts: [Self.verification])
            #expect(try await association.echo() == .success)
            try await association.release()
        } else {
            await #expect(throws: SCUError.rejected(.callingAETitleNotRecognized)) {
                try await SCUAssociation.open(destination, contexts: [Self.verification])
            }
        }
    }

    @Test("A peer bound to a certificate is served with it, refused 1/1/3 with another or when nothing can compare")
    func boundPeer() async throws {
        let (server, client, anonymous) = try contexts()
        let own = Self.fingerprint(
            try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem).toDERBytes())
        for (bound, compares, isServed) in [(own, true, true), ("other", true, false), (own, false, false)] {
            let peer = Peer(kind: .applicationEntity, name: "CT1", certificateFingerprint: bound)
            try await TestListener.run(
                peers: [peer],
                configure: {
                    $0.tls = DoorTLS(server)
                    if compares { $0.certificateFingerprint = { Self.fingerprint($0) } }
                }
            ) { test in
                var destination = test.destination
                destination.tls = client
                try await expect(isServed, destination)
                // Without a certificate, and in clear text, nobody gets as far as an answer.
                for tls in [anonymous, nil] {
                    destination.tls = tls
                    await #expect(throws: SCUError.self) {
                        try await SCUAssociation.open(destination, contexts: [Self.verification])
                    }
                }
            }
        }
    }

    @Test(
        "On a port of both, a bound peer is served with its certificate and refused in clear text; others come either way"
    )
    func optional() async throws {
        let (_, client, _) = try contexts()
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        var lenient = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)))
        lenient.trustRoots = .certificates([certificate])
        lenient.certificateVerification = .optionalVerification
        let server = try NIOSSLContext(configuration: lenient)
        let own = Self.fingerprint(try certificate.toDERBytes())
        let peers = [
            Peer(kind: .applicationEntity, name: "CT1", certificateFingerprint: own),
            Peer(kind: .applicationEntity, name: "CT2"),
        ]
        try await TestListener.run(
            peers: peers,
            configure: {
                $0.tls = DoorTLS(server, .optional)
                $0.certificateFingerprint = { Self.fingerprint($0) }
            }
        ) { test async throws in
            for (calling, tls, isServed) in [
                ("CT1", client, true), ("CT1", nil, false), ("CT2", client, true), ("CT2", nil, true),
            ] as [(String, NIOSSLContext?, Bool)] {
                var destination = test.destination
                destination.callingAETitle = title(calling)
                destination.tls = tls
                try await expect(isServed, destination)
            }
        }
    }

    @Test(
        "A peer that is called shows a certificate of the authority for its name or address, or the one it is pinned to"
    )
    func calledPeer() async throws {
        let (server, client, _) = try contexts()
        let certificate = try NIOSSLCertificate(bytes: Array(TestCertificates.certificate.utf8), format: .pem)
        var verifying = TLSConfiguration.makeClientConfiguration()
        verifying.certificateChain = [.certificate(certificate)]
        verifying.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem))
        // No authority that issued it: only a pin lets it pass.
        verifying.trustRoots = .certificates([])
        let stranger = try NIOSSLContext(configuration: verifying)
        verifying.certificateVerification = .noHostnameVerification
        let open = try NIOSSLContext(configuration: verifying)
        verifying.certificateVerification = .fullVerification
        verifying.trustRoots = .certificates([certificate])
        let full = try NIOSSLContext(configuration: verifying)
        let own = PinnedCertificate(
            fingerprint: Self.fingerprint(try certificate.toDERBytes()), digest: Self.fingerprint)
        let other = PinnedCertificate(fingerprint: "other", digest: Self.fingerprint)
        // The certificate is for localhost and 127.0.0.1.
        let cases: [(String, NIOSSLContext, String?, PinnedCertificate?, Bool)] = [
            ("127.0.0.1", full, nil, nil, true), ("127.0.0.1", full, "pacs.example", nil, true),
            ("127.0.0.2", full, nil, nil, false), ("127.0.0.2", full, "localhost", nil, true),
            ("127.0.0.2", full, "pacs.example", nil, false), ("127.0.0.1", stranger, nil, nil, false),
            ("127.0.0.1", open, nil, own, true), ("127.0.0.2", open, "pacs.example", own, true),
            ("127.0.0.1", open, nil, other, false), ("127.0.0.2", client, nil, nil, true),
        ]
        try await TestListener.run(configure: {
            $0.host = "0.0.0.0"
            $0.tls = DoorTLS(server)
        }) { test in
            for (host, context, name, pinned, isCalled) in cases {
                var destination = test.destination
                destination.host = host
                destination.tls = context
                destination.serverName = name
                destination.pinned = pinned
                let which: Comment = "\(host) as \(name ?? "-") \(pinned?.fingerprint ?? "-")"
                if isCalled {
                    await #expect(throws: Never.self, which) {
                        let association = try await SCUAssociation.open(destination, contexts: [Self.verification])
                        #expect(try await association.echo() == .success)
                        try await association.release()
                    }
                } else {
                    await #expect(throws: SCUError.self, which) {
                        try await SCUAssociation.open(destination, contexts: [Self.verification])
                    }
                }
            }
        }
    }
}
