import Access
import Basics
import Cryptography
import FHIRSearch
import Workflow

/// Seals and opens the tokens of further pages.
///
/// A token carries the commit it reads at, the place where the page ended, a digest of the query, and when it ends, which
/// is counted from the first page, so that what the store keeps for it has an end; it is
/// encrypted and authenticated (AES-256-GCM) with the caller's identity as associated data, so that nobody can read it,
/// change it, or use another's. With a key of the installation tokens outlive a restart; without one they do not.
struct PageTokens: Sendable {
    /// The form of a token's content; one of an earlier form, made before an upgrade, opens nothing.
    private static let form: Int64 = 2
    /// The longest token text that is looked at, in bytes.
    static let textBytesMax = 16_384

    /// What a token says.
    struct Content: Sendable, Hashable {
        var snapshot: Int64
        var position: SearchCompiler.Position
        /// Microseconds since 1970 UTC from which on the token opens nothing.
        var expires: Int64
    }

    private let key: [UInt8]
    private let entropy: any Entropy

    /// - Parameter key: 32 bytes; nil for one that lives as long as this value.
    init(key: [UInt8]?, entropy: any Entropy) {
        precondition(key.map { $0.count == AESGCM.keyBytes } ?? true, "a page token key has 32 bytes")
        self.entropy = entropy
        self.key = key ?? entropy.bytes(AESGCM.keyBytes)
    }

    /// The token as base64url text.
    func seal(_ content: Content, query: SearchQuery, principal: Principal) -> String {
        var plain = PageTokenText()
        plain.put(Self.form)
        plain.put(content.expires)
        plain.put(content.snapshot)
        plain.put(content.position.key)
        plain.bytes += Self.digest(query)
        for value in content.position.sort { plain.put(value) }
        let nonce = entropy.bytes(AESGCM.nonceBytes)
        let sealed = AESGCM.seal(plain.bytes, key: key, nonce: nonce, associated: Self.identity(principal))
        return Base64URL.encode(nonce + sealed)
    }

    /// What a token says, or nil when it is foreign, changed, too old, or of another query.
    func open(_ text: String, query: SearchQuery, principal: Principal, now: UTCInstant) -> Content? {
        guard text.utf8.count <= Self.textBytesMax, let bytes = Base64URL.decode(text.utf8),
            bytes.count > AESGCM.nonceBytes + AESGCM.tagBytes,
            let plain = AESGCM.open(
                Array(bytes.dropFirst(AESGCM.nonceBytes)), key: key, nonce: Array(bytes.prefix(AESGCM.nonceBytes)),
                associated: Self.identity(principal))
        else { return nil }
        var reader = PageTokenText(bytes: plain)
        guard reader.takeInt() == Self.form, let expires = reader.takeInt(), expires > now.microseconds,
            let snapshot = reader.takeInt(),
            let key = reader.takeInt(), reader.take(SHA256.digestBytes) == Self.digest(query)
        else { return nil }
        var sort: [SQLValue] = []
        while !reader.isAtEnd {
            guard let value = reader.takeValue() else { return nil }
            sort.append(value)
        }
        guard sort.count == query.sort.count else { return nil }
        return Content(snapshot: snapshot, position: SearchCompiler.Position(sort: sort, key: key), expires: expires)
    }

    private static func identity(_ principal: Principal) -> [UInt8] {
        Array("\(principal.kind.rawValue)\u{0}\(principal.id)".utf8)
    }

    /// SHA-256 of the type and the parameters, each with its length, so that no two queries run together.
    private static func digest(_ query: SearchQuery) -> [UInt8] {
        var text = query.resourceType
        for parameter in query.parameters {
            text += "\n\(parameter.name.utf8.count) \(parameter.name)\(parameter.value.utf8.count) \(parameter.value)"
        }
        return SHA256.digest(text.utf8)
    }
}
