import Basics
import Cryptography

/// SHA-256 of a text, by which two long texts of an index are told apart. FIPS 180-4 §6.2.
enum TextDigest {
    /// 64 hexadecimal digits of the digest of the text's UTF-8.
    static func hex(_ text: String) -> String { Hexadecimal.encode(SHA256.digest(text.utf8)) }
}
