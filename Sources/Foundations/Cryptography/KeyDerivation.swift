import COpenSSL

/// HKDF with SHA-256 (RFC 5869), and the HMAC (RFC 2104) under it.
package enum KeyDerivation {
    /// - Parameter count: bytes wanted, at most 255 * 32.
    package static func hkdf(_ secret: [UInt8], salt: [UInt8] = [], info: [UInt8], count: Int) -> [UInt8] {
        precondition(count <= 255 * 32)
        let pseudorandom = hmac(salt.isEmpty ? [UInt8](repeating: 0, count: 32) : salt, secret)
        var result: [UInt8] = []
        var block: [UInt8] = []
        var counter: UInt8 = 1
        while result.count < count {
            block = hmac(pseudorandom, block + info + [counter])
            result += block
            counter &+= 1
        }
        return Array(result.prefix(count))
    }

    /// HMAC with SHA-256: 32 bytes.
    package static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var count = 0
        let done = EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &result, result.count, &count)
        precondition(done != nil && count == 32, "libcrypto has no HMAC with SHA-256")
        return result
    }
}
