import COpenSSL

/// Keys from their numbers.
enum KeyParameters {
    /// The name of a parameter at an address that lasts: the builder keeps the address, and reads there until the parameters
    /// are made.
    struct Name: Sendable {
        static let group = Name(OSSL_PKEY_PARAM_GROUP_NAME)
        static let point = Name(OSSL_PKEY_PARAM_PUB_KEY)
        static let modulus = Name(OSSL_PKEY_PARAM_RSA_N)
        static let exponent = Name(OSSL_PKEY_PARAM_RSA_E)

        /// Never changed, never freed.
        nonisolated(unsafe) let address: UnsafePointer<CChar>

        private init(_ text: String) {
            let bytes = text.utf8CString
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
            _ = copy.initialize(fromContentsOf: bytes)
            address = UnsafePointer(copy.baseAddress.unsafelyUnwrapped)
        }
    }

    /// Makes a public key of a kind from the numbers that `fill` puts into the builder, which must stay where they are until
    /// this returns. Throws ``CryptographyError`` `.key` for numbers that libcrypto does not take.
    static func publicKey(_ kind: String, fill: (_ builder: OpaquePointer) -> Bool) throws(CryptographyError)
        -> OpaquePointer
    {
        guard let builder = OSSL_PARAM_BLD_new() else { throw CryptographyError(.unavailable, "out of memory") }
        defer { OSSL_PARAM_BLD_free(builder) }
        guard fill(builder), let parameters = OSSL_PARAM_BLD_to_param(builder) else {
            throw CryptographyError(.key, "numbers that are no public key")
        }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, kind, nil) else {
            throw CryptographyError(.unavailable, "libcrypto has no \(kind) keys")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, hilum_public_key_selection, parameters) == 1, let key
        else { throw CryptographyError(.key, "numbers that are no public key") }
        return key
    }
}
