import COpenSSL
import Testing

@testable import Cryptography

/// RFC 5280: certificates as others read them.
struct CertificateTests {
    /// 2026-01-01T00:00:00Z.
    private static let begin: Int64 = 1_767_225_600
    private static let loopback: [UInt8] = [127, 0, 0, 1]

    /// A certificate as libcrypto reads it from PEM.
    private final class Read {
        let x509: OpaquePointer
        init(_ certificate: Certificate) throws {
            let pem = try certificate.pem
            x509 = try #require(PEMText.read(pem) { PEM_read_bio_X509($0, nil, nil, nil) })
        }
        deinit { X509_free(x509) }

        func isSigned(by key: PrivateKey) -> Bool { X509_verify(x509, key.key) == 1 }
        func isCritical(_ kind: Int32) -> Bool {
            let at = X509_get_ext_by_NID(x509, kind, -1)
            return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(x509, at)) == 1
        }
        var serialBits: Int32 {
            let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), nil)
            defer { BN_free(number) }
            return BN_is_negative(number) == 1 ? -1 : BN_num_bits(number)
        }
    }

    private func authority(_ key: PrivateKey) throws -> Certificate {
        try Certificate(
            CertificateTemplate(
                subject: [.commonName("An authority"), .organization("Test")],
                validity: Self.begin...(Self.begin + 3650 * 86400),
                extensions: [
                    .authority(pathLengthMax: 0), .keyUsage([.keyCertSign, .cRLSign]), .subjectKeyIdentifier,
                ]),
            key: key)
    }

    private func server(
        _ names: [String], addresses: [[UInt8]] = [loopback], key: PrivateKey, issuer: (Certificate, PrivateKey)
    ) throws -> Certificate {
        try Certificate(
            CertificateTemplate(
                subject: [.commonName(names.first ?? "none")], validity: Self.begin...(Self.begin + 397 * 86400),
                extensions: [
                    .noAuthority, .keyUsage([.digitalSignature]), .extendedKeyUsage([.serverAuth, .clientAuth]),
                    .subjectAlternativeNames(dns: names, addresses: addresses), .subjectKeyIdentifier,
                ]),
            key: key, issuer: issuer)
    }

    @Test("RFC 5280 §4.2.1.9: an authority signs itself and may sign others")
    func authority() throws {
        let key = try PrivateKey(.p256)
        let read = try Read(authority(key))
        #expect(X509_get_version(read.x509) == 2)
        #expect(read.isSigned(by: key))
        #expect(X509_check_ca(read.x509) == 1)
        #expect(X509_get_pathlen(read.x509) == 0)
        #expect(X509_get_key_usage(read.x509) == UInt32(KU_KEY_CERT_SIGN | KU_CRL_SIGN))
        #expect(read.isCritical(NID_basic_constraints))
        #expect(read.isCritical(NID_key_usage))
        #expect(X509_get0_subject_key_id(read.x509)?.pointee.length == 20)
        #expect(read.serialBits == 159)
        withExtendedLifetime(read) {}
    }

    @Test("RFC 5280 §4.2: a server's certificate is its authority's and names its hosts, and no others")
    func server() throws {
        let issuer = try PrivateKey(.p256)
        let key = try PrivateKey(.p256)
        let parent = try authority(issuer)
        let made = try server(["localhost", "fhir.hospital.example"], key: key, issuer: (parent, issuer))
        let read = try Read(made)
        #expect(read.isSigned(by: issuer))
        #expect(!read.isSigned(by: key))
        let above = try Read(parent)
        #expect(X509_check_issued(above.x509, read.x509) == X509_V_OK)
        withExtendedLifetime(above) {}
        #expect(X509_check_private_key(read.x509, key.key) == 1)
        #expect(X509_check_ca(read.x509) == 0)
        #expect(X509_get_key_usage(read.x509) == UInt32(KU_DIGITAL_SIGNATURE))
        #expect(X509_get_extended_key_usage(read.x509) == UInt32(XKU_SSL_SERVER | XKU_SSL_CLIENT))
        for name in ["localhost", "fhir.hospital.example"] {
            #expect(X509_check_host(read.x509, name, name.utf8.count, 0, nil) == 1)
        }
        #expect(X509_check_host(read.x509, "other.example", 13, 0, nil) == 0)
        #expect(X509_check_ip(read.x509, Self.loopback, 4, 0) == 1)
        #expect(X509_check_ip(read.x509, [127, 0, 0, 2], 4, 0) == 0)
        #expect(read.isCritical(NID_basic_constraints))
        #expect(!read.isCritical(NID_subject_alt_name))
        withExtendedLifetime(read) {}
    }

    @Test("RFC 5280 §4.1.2.5: times before and after 2050 are told as they were given")
    func validity() throws {
        let key = try PrivateKey(.p256)
        for end in [Self.begin, Self.begin + 3650 * 86400, 2_524_607_999, 2_524_608_000, 4_102_444_800] {
            let made = try Certificate(
                CertificateTemplate(subject: [.commonName("a")], validity: Self.begin...end, extensions: []), key: key)
            #expect(try made.validity == Self.begin...end)
            #expect(try Certificate(pem: made.pem).validity == Self.begin...end)
        }
    }

    @Test("Two certificates of one key have two serial numbers")
    func serials() throws {
        let key = try PrivateKey(.p256)
        #expect(try authority(key).pem != authority(key).pem)
    }

    @Test("A comma in a host name begins no second name, and what cannot be a DNS name is refused")
    func hostileNames() throws {
        let key = try PrivateKey(.p256)
        let parent = try authority(key)
        let read = try Read(server(["a,DNS:evil.example"], key: key, issuer: (parent, key)))
        #expect(X509_check_host(read.x509, "evil.example", 12, 0, nil) == 0)
        withExtendedLifetime(read) {}
        for name in ["", "a b", "a\u{0}b", "é.example", "a\n"] {
            #expect(throws: CryptographyError(.certificate, "")) {
                try server(["localhost", name], key: key, issuer: (parent, key))
            }
        }
        for address in [[], [1], [UInt8](repeating: 0, count: 5)] as [[UInt8]] {
            #expect(throws: CryptographyError(.certificate, "")) {
                try server(["localhost"], addresses: [address], key: key, issuer: (parent, key))
            }
        }
    }

    @Test("A certificate is not signed in the name of another key's certificate")
    func wrongIssuer() throws {
        let parent = try authority(PrivateKey(.p256))
        let key = try PrivateKey(.p256)
        #expect(throws: CryptographyError(.key, "")) { try server(["a"], key: key, issuer: (parent, key)) }
        #expect(throws: CryptographyError(.key, "")) { try authority(PrivateKey(pem: PEMSamples.rsa)) }
    }

    @Test("A text without a certificate is refused")
    func refused() throws {
        let key = try PrivateKey(.p256)
        for text in ["", "x", try key.pem, try String(authority(key).pem.prefix(200))] {
            #expect(throws: CryptographyError(.certificate, "")) { try Certificate(pem: text) }
        }
    }
}
