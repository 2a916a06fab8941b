import COpenSSL

/// A private key, which signs as its ``publicKey`` verifies.
package final class PrivateKey: Sendable {
    package let publicKey: PublicKey
    private let owned: LibcryptoObject
    /// For libcrypto, as long as the key is held.
    var key: OpaquePointer { owned.address }
    /// Of signatures by RSA.
    let rsaHash: SignatureHash
    let rsaPadding: RSAPadding

    /// Takes over a key, and frees it with itself. Throws ``CryptographyError`` `.key` for one of another kind.
    private init(
        owning key: OpaquePointer, rsaHash: SignatureHash = .sha384, rsaPadding: RSAPadding = .pkcs1
    ) throws(CryptographyError) {
        owned = LibcryptoObject(key, freedBy: EVP_PKEY_free)
        self.rsaHash = rsaHash
        self.rsaPadding = rsaPadding
        publicKey = try PrivateKey.publicKey(of: owned.address, rsaHash, rsaPadding)
    }

    /// A new key on a curve.
    package convenience init(_ curve: EllipticCurve) throws(CryptographyError) {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else {
            throw CryptographyError(.unavailable, "libcrypto has no EC keys")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, curve.name) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw CryptographyError(.unavailable, "no key could be made") }
        try self.init(owning: key)
    }

    /// A new RSA key of a modulus of so many bits, 2048 to 8192, with the exponent 65537. Takes a tenth of a second and more.
    package convenience init(rsaBits bits: Int32, hash: SignatureHash) throws(CryptographyError) {
        guard (2048...8192).contains(bits), let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else {
            throw CryptographyError(.unavailable, "libcrypto has no RSA keys of that size")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw CryptographyError(.unavailable, "no key could be made") }
        try self.init(owning: key, rsaHash: hash)
    }

    /// Reads a PEM private key that no password protects: PKCS #8, SEC 1 or PKCS #1. Throws ``CryptographyError`` `.key`
    /// for anything else, and for a key that is neither RSA nor on one of the curves.
    /// - Parameters:
    ///   - rsaHash: over which a key of RSA signs.
    ///   - rsaPadding: by which a key of RSA signs.
    package convenience init(
        pem: String, rsaHash: SignatureHash = .sha384, rsaPadding: RSAPadding = .pkcs1
    ) throws(CryptographyError) {
        guard let key = PEMText.read(pem, { PEM_read_bio_PrivateKey($0, nil, PEMText.noPassword, nil) }) else {
            throw CryptographyError(.key, "no private key in PEM")
        }
        try self.init(owning: key, rsaHash: rsaHash, rsaPadding: rsaPadding)
    }

    /// A key of Ed25519 from its 32 secret bytes. Nothing of this server signs by one. RFC 8032 §5.1.5. Throws
    /// ``CryptographyError`` `.key` for another length.
    package init(ed25519 secret: [UInt8]) throws(CryptographyError) {
        guard let key = EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, secret, secret.count) else {
            throw CryptographyError(.key, "no secret of Ed25519")
        }
        owned = LibcryptoObject(key, freedBy: EVP_PKEY_free)
        (rsaHash, rsaPadding) = (.sha384, .pkcs1)
        var point = [UInt8](repeating: 0, count: KeyParameters.ed25519PointBytes)
        var count = point.count
        guard EVP_PKEY_get_raw_public_key(owned.address, &point, &count) == 1, count == point.count else {
            throw CryptographyError(.unavailable, "a key does not tell its point")
        }
        publicKey = try PublicKey(ed25519: point)
    }

    /// As PKCS #8 in PEM, with a line end. RFC 7468 §10.
    package var pem: String {
        get throws(CryptographyError) {
            try PEMText.write("a private key cannot be written") {
                PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil)
            }
        }
    }

    /// The signature of a message in the form that ``PublicKey/verifies(_:of:)`` takes. Throws ``CryptographyError``
    /// `.unavailable`.
    package func sign(_ message: some Collection<UInt8>) throws(CryptographyError) -> [UInt8] {
        let bytes = Array(message)
        let signature: [UInt8]?
        switch publicKey.kind {
        case .ec(let curve): signature = sign(bytes, curve.hash).flatMap { ECDSASignature.numbers(der: $0, curve) }
        case .rsa: signature = sign(bytes, rsaHash.function)
        case .ed25519: signature = sign(bytes, nil)
        }
        guard let signature else { throw CryptographyError(.unavailable, "a key could not sign") }
        return signature
    }

    private func sign(_ message: [UInt8], _ hash: HashFunction?) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        // The most that a signature of this key has.
        var count = Int(EVP_PKEY_get_size(key))
        var signature = [UInt8](repeating: 0, count: count)
        var settings: OpaquePointer?
        guard EVP_DigestSignInit(context, &settings, hash?.algorithm, nil, key) == 1, rsaPadding.isSet(settings),
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        else { return nil }
        return Array(signature.prefix(count))
    }

    /// The public half, from its DER, so that it holds nothing of the private one.
    private static func publicKey(
        of key: OpaquePointer, _ rsaHash: SignatureHash, _ rsaPadding: RSAPadding
    ) throws(CryptographyError) -> PublicKey {
        let kind: PublicKey.Kind
        if EVP_PKEY_is_a(key, "EC") == 1 {
            var name = [CChar](repeating: 0, count: 64)
            var count = 0
            guard EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1,
                let curve = EllipticCurve.allCases.first(where: {
                    $0.groupName.utf8.elementsEqual(name.prefix(count).map(UInt8.init(bitPattern:)))
                })
            else { throw CryptographyError(.key, "a key on another curve than P-256 and P-384") }
            kind = .ec(curve)
        } else if EVP_PKEY_is_a(key, "RSA") == 1 {
            kind = .rsa(modulusBytes: Int(EVP_PKEY_get_size(key)))
        } else {
            throw CryptographyError(.key, "a key that is neither EC nor RSA")
        }
        var der: UnsafeMutablePointer<UInt8>?
        let count = i2d_PUBKEY(key, &der)
        defer { hilum_openssl_free(der) }
        var position = UnsafePointer(der)
        guard count > 0, let copy = d2i_PUBKEY(nil, &position, Int(count)) else {
            throw CryptographyError(.key, "a private key without a public one")
        }
        return PublicKey(owning: copy, kind, rsaHash: rsaHash, rsaPadding: rsaPadding)
    }
}
