/// SHA-1 (FIPS 180-4), for a protocol that names it and needs no secrecy of it: RFC 6455 §4.2.2.
package enum SHA1 {
    package static let digestBytes = 20

    /// The 20-byte digest of `bytes`.
    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { HashFunction.sha1.digest($0) }
    }
}
