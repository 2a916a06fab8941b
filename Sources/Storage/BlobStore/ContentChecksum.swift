import Cryptography

/// A checksum of 128 bits that finds every usual kind of damage and costs a fraction of a hash: GMAC under a key that
/// everybody knows. It says nothing about who wrote the content.
enum ContentChecksum {
    static let bytes = GMAC.codeBytes
    private static let key = SHA256.digest("hilum content checksum v1".utf8)

    /// Begins one.
    /// - Parameter nonce: 12 bytes, the blob's own.
    static func begin(nonce: [UInt8]) -> GMAC { GMAC(key: key, nonce: nonce) }
}
