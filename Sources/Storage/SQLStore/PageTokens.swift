import Access
import COpenSSL
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
    private static let keyBytes = 32
    private static let nonceBytes = 12
    private static let tagBytes = 16

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
        precondition(key.map { $0.count == Self.keyBytes } ?? true, "a page token key has 32 bytes")
        self.entropy = entropy
        self.key = key ?? entropy.bytes(Self.keyBytes)
    }

    /// The token as base64url text.
    func seal(_ content: Content, query: SearchQuery, principal: Principal) throws -> String {
        var plain = PageTokenText()
        plain.put(Self.form)
        plain.put(content.expires)
        plain.put(content.snapshot)
        plain.put(content.position.key)
        plain.bytes += Self.digest(query)
        for value in content.position.sort { plain.put(value) }
        let nonce = entropy.bytes(Self.nonceBytes)
        guard let sealed = AEAD.seal(plain.bytes, key: key, nonce: nonce, associated: Self.identity(principal)) else {
            throw StoreError(.unavailable, "a page token could not be made")
        }
        return PageTokenText.base64URL(nonce + sealed)
    }

    /// What a token says, or nil when it is foreign, changed, too old, or of another query.
    func open(_ text: String, query: SearchQuery, principal: Principal, now: UTCInstant) -> Content? {
        guard text.utf8.count <= Self.textBytesMax, let bytes = PageTokenText.bytes(base64URL: text),
            bytes.count > Self.nonceBytes + Self.tagBytes,
            let plain = AEAD.open(
                Array(bytes.dropFirst(Self.nonceBytes)), key: key, nonce: Array(bytes.prefix(Self.nonceBytes)),
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

/// AES-256-GCM of short texts by OpenSSL. NIST SP 800-38D.
enum AEAD {
    private static let tagBytes = 16

    /// The ciphertext followed by its tag.
    static func seal(_ plain: [UInt8], key: [UInt8], nonce: [UInt8], associated: [UInt8]) -> [UInt8]? {
        guard key.count == 32, nonce.count == 12, let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: plain.count + tagBytes)
        var (count, rest): (Int32, Int32) = (0, 0)
        var tag = [UInt8](repeating: 0, count: tagBytes)
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &rest, associated, Int32(associated.count)) == 1,
            EVP_EncryptUpdate(context, &out, &count, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, &tag, &rest) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1
        else { return nil }
        out.replaceSubrange(Int(count)..., with: tag)
        return out
    }

    /// The plain text; nil when the tag does not fit.
    static func open(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associated: [UInt8]) -> [UInt8]? {
        guard key.count == 32, nonce.count == 12, sealed.count >= tagBytes, let context = EVP_CIPHER_CTX_new() else {
            return nil
        }
        defer { EVP_CIPHER_CTX_free(context) }
        let cipher = Array(sealed.dropLast(tagBytes))
        var tag = Array(sealed.suffix(tagBytes))
        var out = [UInt8](repeating: 0, count: cipher.count + tagBytes)
        var (count, rest): (Int32, Int32) = (0, 0)
        var last = [UInt8](repeating: 0, count: tagBytes)
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &rest, associated, Int32(associated.count)) == 1,
            EVP_DecryptUpdate(context, &out, &count, cipher, Int32(cipher.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1,
            EVP_DecryptFinal_ex(context, &last, &rest) == 1
        else { return nil }
        return Array(out.prefix(Int(count)))
    }
}
