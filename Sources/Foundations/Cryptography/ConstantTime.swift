import COpenSSL

/// Comparison that takes as long for bytes that differ early as for those that differ late.
package enum ConstantTime {
    /// Only whether the lengths are equal can be told from the time.
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
