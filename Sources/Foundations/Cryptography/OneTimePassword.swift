import COpenSSL

/// One-time passwords by time, of six digits and steps of 30 seconds, by HMAC with SHA-1 as authenticator apps have them.
/// RFC 6238 §4, RFC 4226 §5.3.
package enum OneTimePassword {
    package static let digits = 6
    package static let stepSeconds: Int64 = 30
    /// Bytes of a new secret, as long as the digest. RFC 4226 §4 R6.
    package static let secretBytes = 20
    /// Steps before and after the one of now that are taken as well: clocks differ, and people type.
    private static let window: Int64 = 1

    /// The code of a step, with leading zeros.
    package static func code(secret: [UInt8], step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian) { Array($0) }
        var digest = [UInt8](repeating: 0, count: 20)
        var count = 0
        let done = EVP_Q_mac(
            nil, "HMAC", nil, "SHA1", nil, secret, secret.count, counter, counter.count, &digest, digest.count, &count)
        precondition(done != nil && count == 20, "libcrypto has no HMAC with SHA-1")
        let offset = Int(digest[19] & 15)
        let word = digest[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let number = String(word % 1_000_000)
        return String(repeating: "0", count: digits - number.utf8.count) + number
    }

    /// The step whose code this is, of those around a time; nil for none. Every step is compared, whichever fits.
    /// - Parameter seconds: since 1970 UTC.
    package static func step(of code: String, secret: [UInt8], at seconds: Int64) -> Int64? {
        let now = seconds / stepSeconds
        var found: Int64?
        for step in (now - window)...(now + window)
        where ConstantTime.areEqual(Array(self.code(secret: secret, step: step).utf8), Array(code.utf8)) {
            found = step
        }
        return found
    }
}
