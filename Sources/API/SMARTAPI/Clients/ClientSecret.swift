import Basics
import Cryptography
import HTTPSupport

/// The secret of a confidential client: made here, of 256 random bits, and kept as its digest. RFC 6749 §2.3.1.
package enum ClientSecret {
    /// A secret as it is shown once, and what is kept of it.
    package static func made() -> (text: String, digest: [UInt8]) {
        let text = Base64URL.encode(SecureRandom.bytes(32))
        return (text, digest(text))
    }

    /// SHA-256: nobody finds 256 random bits by trying.
    package static func digest(_ text: String) -> [UInt8] { SHA256.digest(text.utf8) }

    /// Whether a text is the secret of a digest; in a time that tells nothing of where they differ.
    static func isSecret(_ text: String, of digest: [UInt8]) -> Bool {
        ConstantTime.areEqual(Self.digest(text), digest)
    }

    /// The client id and the secret of `Basic`, each form-encoded. RFC 6749 §2.3.1. Nil for anything else.
    static func basic(_ field: String) -> (id: String, secret: String)? {
        guard field.utf8.count <= 2048, field.prefix(6).lowercased() == "basic ",
            let bytes = Base64.decode(field.dropFirst(6).utf8), let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        func text(_ part: ArraySlice<UInt8>) -> String? {
            PercentCoding.decoded(part, plusIsSpace: true).flatMap { decoded in
                decoded.contains(0) ? nil : String(validating: decoded, as: UTF8.self)
            }
        }
        guard let id = text(bytes[..<colon]), let secret = text(bytes[(colon + 1)...]), !id.isEmpty else { return nil }
        return (id, secret)
    }
}
