import Admission
import Basics
import Cryptography
import Foundation
import NIOSSL

/// TLS of the doors: 1.2 or newer, and of TLS 1.2 only the suites with forward secrecy and authenticated encryption.
/// PS3.15 §B.12, RFC 9325 §4.1, §4.2.
enum TLSContexts {
    /// What TLS 1.2 may agree on, by name; each suite of TLS 1.3 is one of them in kind. RFC 9325 §4.2.
    static let suites: [String: NIOTLSCipher] = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// The same, the best first.
    static let suitesOfTLS12: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// What the files of a door held at one time.
    struct Material: Sendable, Equatable {
        /// Certificate with its chain, key, and those who issue certificates of peers, as PEM.
        var chain: [UInt8]
        var key: [UInt8]
        var clientAuthorities: [UInt8]?

        /// Throws ``ConfigurationError`` for a file that cannot be read, or a key that others may read.
        init(_ door: DoorConfiguration, _ folder: ServerFolder) throws {
            chain = try Self.read(door.certificate.map { folder.resolve($0) } ?? folder.serverCertificateFile)
            key = try ServerFolder.readSecret(door.key.map { folder.resolve($0) } ?? folder.serverKeyFile)
            if door.clientCertificates != .none {
                clientAuthorities = try Self.read(
                    door.clientAuthorities.map { folder.resolve($0) } ?? folder.authorityCertificateFile)
            }
        }

        fileprivate static func read(_ path: String) throws -> [UInt8] {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ConfigurationError("\(path): cannot be read")
            }
            return [UInt8](data)
        }
    }

    /// The TLS of a door and when its certificate ends, in seconds since 1970. Throws ``ConfigurationError`` where the
    /// files do not make one.
    static func context(
        _ door: DoorConfiguration, _ material: Material, _ folder: ServerFolder
    ) throws -> (context: NIOSSLContext, ends: Int64) {
        let file = door.certificate.map { folder.resolve($0) } ?? folder.serverCertificateFile
        func reading<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
            do { return try body() } catch { throw ConfigurationError("\(path): not as it must be: \(error)") }
        }
        let chain = try reading(file) { try NIOSSLCertificate.fromPEMBytes(material.chain) }
        guard let own = chain.first else { throw ConfigurationError("\(file): no certificate is in it") }
        let key = try reading(door.key.map { folder.resolve($0) } ?? folder.serverKeyFile) {
            try NIOSSLPrivateKey(bytes: material.key, format: .pem)
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = door.minimumVersion
        tls.cipherSuiteValues = door.suites
        if let authorities = material.clientAuthorities {
            tls.certificateVerification =
                door.clientCertificates == .required ? .noHostnameVerification : .optionalVerification
            tls.trustRoots = .certificates(
                try reading(door.clientAuthorities.map { folder.resolve($0) } ?? folder.authorityCertificateFile) {
                    try NIOSSLCertificate.fromPEMBytes(authorities)
                })
        }
        // Also compares the key with the certificate.
        let context = try reading("\(file) and its key") { try NIOSSLContext(configuration: tls) }
        return (context, Int64(own.notValidAfter))
    }

    /// The door whose certificate is shown to peers that are called: the first for peers.
    private static func callingDoor(_ configuration: ServerConfiguration) -> DoorConfiguration {
        configuration.doors.first { $0.kind != .http && $0.tls != .off } ?? DoorConfiguration(.dimse)
    }

    /// Whether there is a certificate to call peers with.
    static func canCall(_ configuration: ServerConfiguration, _ folder: ServerFolder) -> Bool {
        let own = callingDoor(configuration).certificate.map { folder.resolve($0) } ?? folder.serverCertificateFile
        return FileManager.default.fileExists(atPath: own)
    }

    /// What the files by which peers are called held at one time: those of the first door for peers, and the authority of
    /// `hilum init`.
    struct CallingMaterial: Sendable, Equatable {
        fileprivate var own: Material
        fileprivate var authority: [UInt8]

        /// Throws ``ConfigurationError`` for a file that cannot be read, or a key that others may read.
        init(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws {
            own = try Material(TLSContexts.callingDoor(configuration), folder)
            authority = try Material.read(folder.authorityCertificateFile)
        }
    }

    /// For calling peers: with the certificate of the first door for them, and the authorities that it and `hilum init`
    /// trust.
    ///
    /// - Parameter verification: `.none` where the certificate is compared after the handshake, `.noHostnameVerification`
    ///   where it is during it.
    ///
    /// Throws ``ConfigurationError``.
    static func calling(
        _ material: CallingMaterial, verification: CertificateVerification = .fullVerification
    ) throws -> NIOSSLContext {
        do {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(material.own.chain).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: material.own.key, format: .pem))
            tls.minimumTLSVersion = .tlsv12
            tls.cipherSuiteValues = suitesOfTLS12
            var roots = try NIOSSLCertificate.fromPEMBytes(material.authority)
            if let own = material.own.clientAuthorities { roots += try NIOSSLCertificate.fromPEMBytes(own) }
            tls.trustRoots = .certificates(roots)
            tls.certificateVerification = verification
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw ConfigurationError("TLS to call peers by: \(error)")
        }
    }

    /// SHA-256 of a certificate's DER in lower-case hex.
    static func fingerprint(_ der: [UInt8]) -> String { Hexadecimal.encode(SHA256.digest(der)) }
}
