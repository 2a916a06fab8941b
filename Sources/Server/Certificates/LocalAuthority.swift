import Cryptography
import Foundation

/// The certificate authority that `hilum init` makes, so that a new server speaks TLS from its first minute.
///
/// A site replaces `server.pem` and `server.key` by its own when it has a public key infrastructure.
/// *Shape:* ECDSA P-256 keys, PEM. *Spec:* RFC 5280, PS3.15 §B.12.
struct LocalAuthority {
    /// The PEM texts of a new authority and the server certificate it signed.
    struct Files {
        var authorityCertificate: String
        var authorityKey: String
        var serverCertificate: String
        var serverKey: String
    }

    /// Life of the authority, in days.
    static let authorityDays = 3650
    /// Life of a server certificate, in days: what common TLS clients accept.
    static let serverDays = 397
    /// Clocks of clients may be so much behind, in seconds.
    private static let clockSkew: Int64 = 3600
    private static let loopback: [[UInt8]] = [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]

    /// Makes an authority and a certificate for the host names given, beside localhost and its addresses. Throws
    /// ``CryptographyError`` `.certificate` for a name that is not in ASCII.
    static func make(hostNames: [String], now: Date) throws -> Files {
        let authorityKey = try PrivateKey(.p256)
        let authority = try Certificate(
            CertificateTemplate(
                subject: [.commonName("Hilum local authority"), .organization("Hilum")],
                validity: validity(from: now, days: authorityDays),
                extensions: [
                    .authority(pathLengthMax: 0), .keyUsage([.keyCertSign, .cRLSign]), .subjectKeyIdentifier,
                ]),
            key: authorityKey)
        let serverKey = try PrivateKey(.p256)
        let server = try Certificate(
            CertificateTemplate(
                subject: [.commonName(hostNames.first ?? "localhost")],
                validity: validity(from: now, days: serverDays),
                extensions: [
                    .noAuthority, .keyUsage([.digitalSignature]), .extendedKeyUsage([.serverAuth, .clientAuth]),
                    .subjectAlternativeNames(
                        dns: ["localhost"] + hostNames.filter { $0 != "localhost" }, addresses: loopback),
                    .subjectKeyIdentifier,
                ]),
            key: serverKey, issuer: (authority, authorityKey))
        return Files(
            authorityCertificate: try authority.pem, authorityKey: try authorityKey.pem,
            serverCertificate: try server.pem, serverKey: try serverKey.pem)
    }

    private static func validity(from now: Date, days: Int) -> ClosedRange<Int64> {
        let seconds = Int64(now.timeIntervalSince1970)
        return seconds - clockSkew...seconds + Int64(days) * 86400
    }

    /// When the certificate in a PEM text ends.
    static func expiry(ofPEM text: String) throws -> Date {
        Date(timeIntervalSince1970: Double(try Certificate(pem: text).validity.upperBound))
    }
}
