import Basics
import Cryptography
import Foundation

/// The key that signs checkpoints: `keys/audit.key`, ES256, of this use alone. Whoever can read it can forge checkpoints,
/// but not those that the log has carried elsewhere.
struct AuditKey: Sendable {
    private let key: PrivateKey
    /// The first 16 hex digits of the SHA-256 of the public key.
    let id: String
    /// For those who check an export without this server.
    let publicKeyPEM: String

    /// Throws ``CryptographyError`` for a text that is no P-256 key in PEM.
    init(pem: String) throws {
        key = try PrivateKey(pem: pem)
        guard key.publicKey.kind == .ec(.p256) else { throw ConfigurationError("a key that is not on P-256") }
        id = Hexadecimal.encode(SHA256.digest(try key.publicKey.point).prefix(8))
        publicKeyPEM = try key.publicKey.pem
    }

    /// The key of a folder. Throws ``ConfigurationError``, also for one that others may read.
    static func load(_ folder: ServerFolder) throws -> AuditKey {
        let secret = try ServerFolder.readSecret(folder.auditKeyFile)
        do { return try AuditKey(pem: String(decoding: secret, as: UTF8.self)) } catch {
            throw ConfigurationError("\(folder.auditKeyFile): no P-256 key in PEM")
        }
    }

    /// The key of a folder, made when it has none: a folder of an earlier version.
    static func loadOrMake(_ folder: ServerFolder) throws -> AuditKey {
        if !FileManager.default.fileExists(atPath: folder.auditKeyFile) { try make(folder) }
        return try load(folder)
    }

    static func make(_ folder: ServerFolder) throws {
        try ServerFolder.writeSecret(Array(try PrivateKey(.p256).pem.utf8), to: folder.auditKeyFile)
    }

    func sign(_ text: String) throws -> [UInt8] { try key.sign(text.utf8) }

    func verifies(_ signature: [UInt8], of text: String) -> Bool { key.publicKey.verifies(signature, of: text.utf8) }
}
