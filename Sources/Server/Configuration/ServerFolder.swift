import Foundation
import Glibc

/// The folder that `hilum init` makes: where each file of a server lies.
struct ServerFolder: Sendable {
    /// Absolute path.
    let path: String

    init(_ path: String) {
        self.path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    var configurationFile: String { path + "/hilum.yaml" }
    var keysFolder: String { path + "/keys" }
    /// The master key, where the configuration names no other: 32 random bytes under which the store's keys are sealed.
    var masterKeyFile: String { keysFolder + "/master.key" }
    /// The ES256 key that signs access tokens, PEM.
    var tokenKeyFile: String { keysFolder + "/token.key" }
    /// The RSA key that signs id_tokens by RS256, PEM.
    var identityKeyFile: String { keysFolder + "/identity.key" }
    /// The ES256 key that signs checkpoints of the audit trail, PEM.
    var auditKeyFile: String { keysFolder + "/audit.key" }
    /// 32 random bytes that pseudonyms are made from.
    var pseudonymKeyFile: String { path + "/" + Self.pseudonymKeyName }
    static let pseudonymKeyName = "keys/pseudonym.key"
    /// Checkpoints of the audit trail.
    var auditFolder: String { path + "/audit" }
    var tlsFolder: String { path + "/tls" }
    var authorityCertificateFile: String { tlsFolder + "/ca.pem" }
    var authorityKeyFile: String { keysFolder + "/ca.key" }
    var serverCertificateFile: String { tlsFolder + "/server.pem" }
    var serverKeyFile: String { tlsFolder + "/server.key" }
    var databaseFile: String { path + "/hilum.sqlite" }
    var runFolder: String { path + "/run" }
    /// What a running server answers on, as JSON.
    var endpointsFile: String { runFolder + "/endpoints.json" }

    /// A path from the configuration: absolute, or under this folder.
    func resolve(_ name: String) -> String { name.hasPrefix("/") ? name : path + "/" + name }

    /// Writes a file that only its owner may read, into a name that is not taken.
    static func writeSecret(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            guard written > 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
            offset += written
        }
        guard fsync(descriptor) == 0 else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
    }

    /// Reads a secret, refusing one that others may read.
    static func readSecret(_ path: String) throws -> [UInt8] {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = attributes?[.posixPermissions] as? Int else {
            throw ConfigurationError("\(path): cannot be read")
        }
        guard mode & 0o077 == 0 else {
            throw ConfigurationError("\(path): others may read it; run `chmod 600 \(path)`")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path): cannot be read")
        }
        return [UInt8](data)
    }
}
