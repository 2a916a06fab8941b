import COpenSSL

/// A hash function of libcrypto, looked up once. FIPS 180-4.
struct HashFunction: Sendable {
    static let sha256 = HashFunction("SHA256", digestBytes: 32)
    static let sha1 = HashFunction("SHA1", digestBytes: 20)
    static let sha384 = HashFunction("SHA384", digestBytes: 48)
    static let sha512 = HashFunction("SHA512", digestBytes: 64)

    /// Fetched once for all threads. OpenSSL 3 manual, `crypto` §ALGORITHM FETCHING.
    private let owned: LibcryptoObject
    var algorithm: OpaquePointer { owned.address }
    let digestBytes: Int

    private init(_ name: String, digestBytes: Int) {
        guard let algorithm = EVP_MD_fetch(nil, name, nil) else { preconditionFailure("libcrypto has no \(name)") }
        owned = LibcryptoObject(algorithm, freedBy: EVP_MD_free)
        self.digestBytes = digestBytes
    }

    func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: digestBytes)
        var count: UInt32 = 0
        // An address is needed also for no bytes.
        let code = withUnsafeBytes(of: 0) { none in
            EVP_Digest(bytes.baseAddress ?? none.baseAddress, bytes.count, &result, &count, algorithm, nil)
        }
        precondition(code == 1 && count == digestBytes, "libcrypto failed to hash")
        return result
    }
}
