import COpenSSL

/// An ECDSA signature in its two spellings: r and s as numbers of full length, one after the other (RFC 7518 §3.4), and
/// the DER that libcrypto and certificates speak (RFC 3279 §2.2.3).
enum ECDSASignature {
    /// DER of a signature of the curve's length; nil when libcrypto has no memory for it.
    static func der(_ signature: [UInt8], _ curve: EllipticCurve) -> [UInt8]? {
        let half = curve.coordinateBytes
        precondition(signature.count == 2 * half)
        guard let pair = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(pair) }
        let (r, s) = signature.withUnsafeBufferPointer { bytes in
            (
                BN_bin2bn(bytes.baseAddress, Int32(half), nil),
                BN_bin2bn(bytes.baseAddress.map { $0 + half }, Int32(half), nil)
            )
        }
        guard ECDSA_SIG_set0(pair, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            return nil
        }
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_ECDSA_SIG(pair, &output)
        guard count > 0, let output else { return nil }
        defer { hilum_openssl_free(output) }
        return Array(UnsafeBufferPointer(start: output, count: Int(count)))
    }

    /// r and s of a signature that libcrypto made; nil for what is none of this curve.
    static func numbers(der: [UInt8], _ curve: EllipticCurve) -> [UInt8]? {
        let half = Int32(curve.coordinateBytes)
        return der.withUnsafeBufferPointer { bytes -> [UInt8]? in
            var position = bytes.baseAddress
            guard let pair = d2i_ECDSA_SIG(nil, &position, der.count) else { return nil }
            defer { ECDSA_SIG_free(pair) }
            return [UInt8](unsafeUninitializedCapacity: Int(2 * half)) { target, count in
                let wrote =
                    BN_bn2binpad(ECDSA_SIG_get0_r(pair), target.baseAddress, half) == half
                    && BN_bn2binpad(ECDSA_SIG_get0_s(pair), target.baseAddress.map { $0 + Int(half) }, half) == half
                count = wrote ? Int(2 * half) : 0
            }
        }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
