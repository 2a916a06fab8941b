import Basics
import Cryptography
import Foundation
import NIOSSL

/// TLS for the three listeners from the files in the server folder: TLS 1.2 or newer, and of TLS 1.2 only the suites with
/// forward secrecy and authenticated encryption. PS3.15 §B.12, RFC 9325 §4.1, §4.2.
enum TLSContexts {
    /// What TLS 1.2 may agree on; each suite of TLS 1.3 is one of them in kind. RFC 9325 §4.2.
    static let suitesOfTLS12: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// For HTTPS: no client certificates.
    static func http(_ folder: ServerFolder) throws -> TLSConfiguration { try base(folder) }

    /// For DIMSE and MLLP: a client certificate is asked for and, when given, checked against the authority; peers can
    /// be bound to theirs.
    static func peers(_ folder: ServerFolder) throws -> NIOSSLContext {
        var configuration = try base(folder)
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .file(folder.authorityCertificateFile)
        return try NIOSSLContext(configuration: configuration)
    }

    private static func base(_ folder: ServerFolder) throws -> TLSConfiguration {
        _ = try ServerFolder.readSecret(folder.serverKeyFile)
        let chain = try NIOSSLCertificate.fromPEMFile(folder.serverCertificateFile).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: folder.serverKeyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = suitesOfTLS12
        return configuration
    }

    /// SHA-256 of a certificate's DER in lower-case hex.
    static func fingerprint(_ der: [UInt8]) -> String { Hexadecimal.encode(SHA256.digest(der)) }
}
