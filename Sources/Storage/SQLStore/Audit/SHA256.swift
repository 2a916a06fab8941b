import COpenSSL

/// SHA-256 (FIPS 180-4) by OpenSSL.
enum SHA256 {
    static let digestBytes = 32

    /// The 32-byte digest of `bytes`.
    static func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var input = [UInt8](bytes)
        // An address is needed also for no bytes.
        let count = input.count
        if input.isEmpty { input = [0] }
        var result = [UInt8](repeating: 0, count: digestBytes)
        var size: UInt32 = 0
        let code = EVP_Digest(input, count, &result, &size, EVP_sha256(), nil)
        precondition(code == 1 && size == 32, "libcrypto has no SHA-256")
        return result
    }
}
