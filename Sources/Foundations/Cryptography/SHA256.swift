import COpenSSL

/// SHA-256 (FIPS 180-4): of bytes at once, or of bytes that come in parts.
package struct SHA256: ~Copyable {
    package static let digestBytes = 32

    /// The 32-byte digest of `bytes`.
    package static func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let known = bytes.withContiguousStorageIfAvailable { HashFunction.sha256.digest(UnsafeRawBufferPointer($0)) }
        return known ?? Array(bytes).withUnsafeBytes { HashFunction.sha256.digest($0) }
    }

    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
        self.context = context
        let code = EVP_DigestInit_ex(context, HashFunction.sha256.algorithm, nil)
        precondition(code == 1, "libcrypto failed to hash")
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        precondition(EVP_DigestUpdate(context, base, bytes.count) == 1, "libcrypto failed to hash")
    }

    /// The 32-byte digest of all parts.
    package consuming func finalize() -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Self.digestBytes)
        var count: UInt32 = 0
        let code = EVP_DigestFinal_ex(context, &result, &count)
        precondition(code == 1 && count == Self.digestBytes, "libcrypto failed to hash")
        return result
    }
}
