import Basics
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
        "hilum-audit-1:\(kind.rawValue):\(number):\(Hexadecimal.encode(hash)):\(time):\(keyID)"
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
            let number = Int64(parts[2]), let hash = Hexadecimal.decode(parts[3].utf8), hash.count == 32,
            let time = Int64(parts[4]), let signature = Base64URL.decode(parts[6].utf8)
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
            + Base64URL.encode(signature)
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
}
