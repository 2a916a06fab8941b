import COpenSSL

/// A public key that was checked when it was read, with the one way in which it verifies: ECDSA over SHA-256 for P-256,
/// over SHA-384 for P-384, EdDSA for Ed25519, and for RSA the one padding and hash that were named with it, those of
/// RSASSA-PKCS1-v1_5 over SHA-384 where none were. RFC 7518 §3.3 to §3.5; RFC 8032 §5.1.
package final class PublicKey: Sendable {
    package enum Kind: Sendable, Hashable {
        case ec(EllipticCurve)
        /// With the bytes of its modulus, which a signature has too.
        case rsa(modulusBytes: Int)
        case ed25519
    }

    package let kind: Kind
    private let owned: LibcryptoObject
    private var key: OpaquePointer { owned.address }
    /// Nil for a key that was not prepared.
    private let multiples: ECMultiples?
    /// Of signatures by RSA.
    private let rsaHash: SignatureHash
    private let rsaPadding: RSAPadding

    /// Takes over a key, and frees it with itself.
    init(
        owning key: OpaquePointer, _ kind: Kind, rsaHash: SignatureHash = .sha384, rsaPadding: RSAPadding = .pkcs1,
        multiples: ECMultiples? = nil
    ) {
        owned = LibcryptoObject(key, freedBy: EVP_PKEY_free)
        self.kind = kind
        self.rsaHash = rsaHash
        self.rsaPadding = rsaPadding
        self.multiples = multiples
    }

    /// A point on a curve. Throws ``CryptographyError`` `.key` for coordinates that are not of the curve's length or not on
    /// the curve.
    package convenience init(_ curve: EllipticCurve, x: [UInt8], y: [UInt8]) throws(CryptographyError) {
        guard x.count == curve.coordinateBytes, y.count == curve.coordinateBytes else {
            throw CryptographyError(.key, "coordinates of another length than the curve's")
        }
        // Looks whether the point is on the curve, which is all there is to check: the cofactor is 1, and infinity has no
        // coordinates.
        let key = try KeyParameters.publicKey("EC", group: curve.name, point: [0x04] + x + y)
        self.init(owning: key, .ec(curve))
    }

    /// A point of Ed25519 as RFC 8032 §5.1.2 writes it, in 32 bytes. Throws ``CryptographyError`` `.key` for another length,
    /// and for a point of small order, by which everybody can sign. RFC 8725 §3.4.
    package convenience init(ed25519 point: [UInt8]) throws(CryptographyError) {
        self.init(owning: try KeyParameters.ed25519(point), .ed25519)
    }

    /// The most bytes of a modulus and of an exponent that libcrypto computes with.
    static let modulusBytesMax = 2048

    /// A modulus and an exponent, big-endian. Which sizes are strong enough is for the caller to say. Throws
    /// ``CryptographyError`` `.key` for even numbers, and for numbers that libcrypto does not take.
    /// - Parameters:
    ///   - hash: over which alone the key verifies.
    ///   - padding: by which alone the key verifies.
    package convenience init(
        modulus: [UInt8], exponent: [UInt8], hash: SignatureHash = .sha384, padding: RSAPadding = .pkcs1
    ) throws(CryptographyError) {
        for number in [modulus, exponent] {
            guard number.count <= Self.modulusBytesMax, let last = number.last, last & 1 == 1 else {
                throw CryptographyError(.key, "numbers that are no RSA key")
            }
        }
        let key = try KeyParameters.publicKey(modulus: modulus, exponent: exponent)
        self.init(
            owning: key, .rsa(modulusBytes: Int(EVP_PKEY_get_size(key))), rsaHash: hash, rsaPadding: padding)
    }

    /// Whether a signature is this key's over a message: r and s one after the other for ECDSA, the octets for RSA and
    /// EdDSA. False, too, for a signature of another length than the key's.
    package func verifies(_ signature: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
        switch kind {
        case .ec(let curve):
            guard signature.count == 2 * curve.coordinateBytes else { return false }
            if let multiples { return multiples.verifies(signature, of: curve.hash.digest(message)) }
            guard let der = ECDSASignature.der(signature, curve) else { return false }
            return Self.verifies(der, of: message, curve.hash, by: key)
        case .rsa(let modulusBytes):
            return signature.count == modulusBytes
                && Self.verifies(signature, of: message, rsaHash.function, rsaPadding, by: key)
        case .ed25519:
            return signature.count == KeyParameters.ed25519SignatureBytes
                && Self.verifies(signature, of: message, nil, by: key)
        }
    }

    /// Whether a signature is this key's over a message.
    package func verifies(_ signature: [UInt8], of message: some Collection<UInt8>) -> Bool {
        let known = message.withContiguousStorageIfAvailable { verifies(signature, of: UnsafeRawBufferPointer($0)) }
        return known ?? Array(message).withUnsafeBytes { verifies(signature, of: $0) }
    }

    /// Whether a signature, as libcrypto reads those of the key's kind, is the key's over a message.
    /// - Parameters:
    ///   - hash: nil for a kind that takes none.
    ///   - padding: of RSA.
    static func verifies(
        _ signature: [UInt8], of message: UnsafeRawBufferPointer, _ hash: HashFunction?, _ padding: RSAPadding = .pkcs1,
        by key: OpaquePointer
    ) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let bytes = message.bindMemory(to: UInt8.self).baseAddress
        // Of the context, which frees it.
        var settings: OpaquePointer?
        let isRight =
            EVP_DigestVerifyInit(context, &settings, hash?.algorithm, nil, key) == 1 && padding.isSet(settings)
            && EVP_DigestVerify(context, signature, signature.count, bytes, message.count) == 1
        if !isRight { ERR_clear_error() }
        return isRight
    }

    /// The same key, made ready to verify many signatures: on P-384 each then takes less than half the time, for a
    /// millisecond now and 140 kB as long as it lives. The key itself where nothing is won.
    package func prepared() -> PublicKey {
        guard kind == .ec(.p384), multiples == nil, let point = try? point,
            let multiples = ECMultiples(.p384, point: point), EVP_PKEY_up_ref(key) == 1
        else { return self }
        return PublicKey(owning: key, kind, multiples: multiples)
    }

    /// The point of an EC key without compression: 0x04, x, y. SEC 1 §2.3.3. Throws ``CryptographyError`` `.key` for a
    /// key of another kind.
    package var point: [UInt8] {
        get throws(CryptographyError) {
            guard case .ec(let curve) = kind else { throw CryptographyError(.key, "only a key of ECDSA has a point") }
            var point = [UInt8](repeating: 0, count: 1 + 2 * curve.coordinateBytes)
            var count = 0
            let code = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, &point, point.count, &count)
            guard code == 1, count == point.count, point[0] == 0x04 else {
                throw CryptographyError(.unavailable, "a key does not tell its point")
            }
            return point
        }
    }

    /// The coordinates of a key on a curve, each of the curve's length. Throws ``CryptographyError`` `.key` for a key that
    /// is not on it.
    package func coordinates(on curve: EllipticCurve) throws(CryptographyError) -> (x: [UInt8], y: [UInt8]) {
        guard kind == .ec(curve) else { throw CryptographyError(.key, "a key that is not on \(curve.name)") }
        let point = try point
        return (Array(point[1...curve.coordinateBytes]), Array(point[(curve.coordinateBytes + 1)...]))
    }

    /// The modulus and the exponent of an RSA key, big-endian without leading zeros. Throws ``CryptographyError`` `.key`
    /// for a key of another kind.
    package var modulusAndExponent: (modulus: [UInt8], exponent: [UInt8]) {
        get throws(CryptographyError) {
            guard case .rsa = kind else { throw CryptographyError(.key, "a key that is not of RSA has no modulus") }
            return (try number(OSSL_PKEY_PARAM_RSA_N), try number(OSSL_PKEY_PARAM_RSA_E))
        }
    }

    private func number(_ name: String) throws(CryptographyError) -> [UInt8] {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(key, name, &number) == 1 else {
            throw CryptographyError(.unavailable, "a key does not tell its numbers")
        }
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
        _ = BN_bn2bin(number, &bytes)
        return bytes
    }

    /// As SubjectPublicKeyInfo in PEM, with a line end. RFC 7468 §13.
    package var pem: String {
        get throws(CryptographyError) {
            try PEMText.write("a public key cannot be written") { PEM_write_bio_PUBKEY($0, key) }
        }
    }
}

extension RSAPadding {
    /// Asks libcrypto for it; false when that fails. PKCS #1 v1.5 is what it does when no other is asked for.
    func isSet(_ settings: OpaquePointer?) -> Bool {
        switch self {
        case .pkcs1: true
        case .pss:
            EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1
        }
    }
}
