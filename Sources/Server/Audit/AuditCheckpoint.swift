import Crypto
import Foundation
import SQLStore

/// A signed statement of where the audit trail's chain had come to: a row's number and hash. It stands outside of the
/// database, so that rows cut from the end, or all of them, are found out.
///
/// As text one word without spaces, the same in the folder, in the log and in an export:
/// `hilum-audit-1:kind:number:hash:time:key:signature`; hash in hex, time in microseconds since 1970 UTC, key the first
/// 16 hex digits of the SHA-256 of the public key (X9.63), signature ES256 (64 bytes) in base64url over all before it.
struct AuditCheckpoint: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        /// The newest row when it was made.
        case head
        /// The last of the rows that were exported and removed: the chain goes on from it.
        case cut
        /// As `head`; an operator has accepted that checkpoints before it name rows that are gone, after a restore.
        case accepted
    }

    let kind: Kind
    let number: Int64
    let hash: [UInt8]
    /// When it was made.
    let time: Int64
    let keyID: String
    let signature: [UInt8]

    /// What is signed.
    private static func statement(_ kind: Kind, _ number: Int64, _ hash: [UInt8], _ time: Int64, _ keyID: String)
        -> String
    {
        "hilum-audit-1:\(kind.rawValue):\(number):\(hex(hash)):\(time):\(keyID)"
    }

    init(_ kind: Kind, at link: AuditChain.Link, time: Int64, key: AuditKey) throws {
        self.kind = kind
        number = link.number
        hash = link.hash
        self.time = time
        keyID = key.id
        signature = try key.sign(Self.statement(kind, link.number, link.hash, time, key.id))
    }

    /// Nil for a text that is none.
    init?(_ text: some StringProtocol) {
        let parts = String(text).split(separator: ":" as Character, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 7, parts[0] == "hilum-audit-1", let kind = Kind(rawValue: parts[1]),
            let number = Int64(parts[2]), let hash = Self.bytes(hex: parts[3]), hash.count == 32,
            let time = Int64(parts[4]), let signature = Self.bytes(base64URL: parts[6])
        else { return nil }
        self.kind = kind
        self.number = number
        self.hash = hash
        self.time = time
        keyID = parts[5]
        self.signature = signature
    }

    var text: String {
        Self.statement(kind, number, hash, time, keyID) + ":"
            + Data(signature).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    var link: AuditChain.Link { AuditChain.Link(number: number, hash: hash) }

    /// Whether the key has signed it.
    func isSigned(by key: AuditKey) -> Bool {
        keyID == key.id && key.verifies(signature, of: Self.statement(kind, number, hash, time, keyID))
    }

    /// Every checkpoint in a text, wherever in a line: a log, for example.
    static func all(in text: String) -> [AuditCheckpoint] {
        text.split { $0 == "\n" || $0 == " " || $0 == "\"" || $0 == "=" || $0 == "," }.compactMap { word in
            word.hasPrefix("hilum-audit-1:") ? AuditCheckpoint(word) : nil
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func bytes(hex: String) -> [UInt8]? {
        let digits = hex.utf8.map { byte -> UInt8? in
            switch byte {
            case 48...57: byte - 48
            case 97...102: byte - 87
            default: nil
            }
        }
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    private static func bytes(base64URL text: String) -> [UInt8]? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: padded).map { [UInt8]($0) }
    }
}

/// The key that signs checkpoints: `keys/audit.key`, ES256, of this use alone. Whoever can read it can forge checkpoints,
/// but not those that the log has carried elsewhere.
struct AuditKey: Sendable {
    private let key: P256.Signing.PrivateKey
    /// The first 16 hex digits of the SHA-256 of the public key.
    let id: String

    init(pem: String) throws {
        key = try P256.Signing.PrivateKey(pemRepresentation: pem)
        id = SHA256.hash(data: key.publicKey.x963Representation).prefix(8)
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
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
        try ServerFolder.writeSecret(
            Array((P256.Signing.PrivateKey().pemRepresentation + "\n").utf8), to: folder.auditKeyFile)
    }

    /// For those who check an export without this server.
    var publicKeyPEM: String { key.publicKey.pemRepresentation + "\n" }

    func sign(_ text: String) throws -> [UInt8] { [UInt8](try key.signature(for: Data(text.utf8)).rawRepresentation) }

    func verifies(_ signature: [UInt8], of text: String) -> Bool {
        guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
        return key.publicKey.isValidSignature(signature, for: Data(text.utf8))
    }
}
