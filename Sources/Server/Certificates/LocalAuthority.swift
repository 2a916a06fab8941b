import Crypto
import Foundation
import SwiftASN1
import X509

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

    /// Makes an authority and a certificate for the host names given, beside localhost and its addresses.
    static func make(hostNames: [String], now: Date) throws -> Files {
        let authorityKey = P256.Signing.PrivateKey()
        let authorityName = try DistinguishedName {
            CommonName("Hilum local authority")
            OrganizationName("Hilum")
        }
        let authorityPublicKey = Certificate.PublicKey(authorityKey.publicKey)
        let authority = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: authorityPublicKey,
            notValidBefore: now.addingTimeInterval(-3600),
            notValidAfter: now.addingTimeInterval(Double(authorityDays) * 86400), issuer: authorityName,
            subject: authorityName, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: authorityPublicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(authorityKey))
        let server = try serverCertificate(
            hostNames: hostNames, authority: authority, authorityKey: Certificate.PrivateKey(authorityKey), now: now)
        return Files(
            authorityCertificate: try authority.serializeAsPEM().pemString + "\n",
            authorityKey: authorityKey.pemRepresentation + "\n",
            serverCertificate: server.certificate, serverKey: server.key)
    }

    private static func serverCertificate(
        hostNames: [String], authority: Certificate, authorityKey: Certificate.PrivateKey, now: Date
    ) throws -> (certificate: String, key: String) {
        let key = P256.Signing.PrivateKey()
        var names: [GeneralName] = []
        for host in ["localhost"] + hostNames.filter({ $0 != "localhost" }) { names.append(.dnsName(host)) }
        names.append(.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])))
        names.append(.ipAddress(ASN1OctetString(contentBytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])))
        let publicKey = Certificate.PublicKey(key.publicKey)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: now.addingTimeInterval(-3600),
            notValidAfter: now.addingTimeInterval(Double(serverDays) * 86400), issuer: authority.subject,
            subject: try DistinguishedName { CommonName(hostNames.first ?? "localhost") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: authorityKey)
        return (try certificate.serializeAsPEM().pemString + "\n", key.pemRepresentation + "\n")
    }

    /// When the certificate in a PEM text ends.
    static func expiry(ofPEM text: String) throws -> Date {
        try Certificate(pemEncoded: text).notValidAfter
    }
}
