import COpenSSL

/// Random bytes from OpenSSL's generator, which the operating system seeds.
package enum SecureRandom {
    package static func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        precondition(RAND_bytes(&result, Int32(count)) == 1, "no randomness")
        return result
    }
}
