import COpenSSL

/// Keys from their numbers.
enum KeyParameters {
    /// The name of a parameter at an address that lasts: the builder keeps the address, and reads there until the parameters
    /// are made.
    struct Name: Sendable {
        /// As `OSSL_PKEY_PARAM_GROUP_NAME`, `_PUB_KEY`, `_RSA_N` and `_RSA_E` spell them. OpenSSL 3 manual, `EVP_PKEY-EC` and
        /// `EVP_PKEY-RSA`.
        static let group = Name(text: "group")
        static let point = Name(text: "pub")
        static let modulus = Name(text: "n")
        static let exponent = Name(text: "e")

        /// A literal, which the program holds for ever, with a zero behind it.
        let text: StaticString
        var address: UnsafePointer<CChar> { UnsafePointer(OpaquePointer(text.utf8Start)) }
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

    /// The key of a point that is told in octets, on a curve by its name or of a kind that has one curve alone.
    static func publicKey(_ kind: String, group: String?, point: [UInt8]) throws(CryptographyError) -> OpaquePointer {
        // The builder keeps addresses, not copies.
        try (group ?? "").utf8CString.withUnsafeBufferPointer { name throws(CryptographyError) in
            try point.withUnsafeBufferPointer { point throws(CryptographyError) in
                try publicKey(kind) { builder in
                    (group == nil
                        || OSSL_PARAM_BLD_push_utf8_string(
                            builder, Name.group.address, name.baseAddress, name.count - 1) == 1)
                        && OSSL_PARAM_BLD_push_octet_string(
                            builder, Name.point.address, point.baseAddress, point.count) == 1
                }
            }
        }
    }

    static let ed25519PointBytes = 32
    static let ed25519SignatureBytes = 64

    /// The points of Ed25519 whose order divides 8, in every spelling that is read, without the sign of x: 0 and 1, the two
    /// of order 8, p - 1, and p and p + 1 for 0 and 1. By such a key a signature that holds for any message is found at once.
    private static let smallOrder: [[UInt8]] = {
        func field(_ low: UInt8, _ rest: UInt8, _ high: UInt8) -> [UInt8] {
            [low] + Array(repeating: rest, count: 30) + [high]
        }
        let order8: [UInt8] = [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ]
        // p minus the other: p is 2^255 - 19, so all bits but those of the lowest byte turn.
        let other8 = [0xED - order8[0]] + order8[1..<31].map { ~$0 } + [0x7F - order8[31]]
        return [
            field(0, 0, 0), field(1, 0, 0), order8, other8, field(0xEC, 0xFF, 0x7F), field(0xED, 0xFF, 0x7F),
            field(0xEE, 0xFF, 0x7F),
        ]
    }()

    /// The key of a point of Ed25519. Throws ``CryptographyError`` `.key` for another length and for a point of small order.
    static func ed25519(_ point: [UInt8]) throws(CryptographyError) -> OpaquePointer {
        guard point.count == ed25519PointBytes else { throw CryptographyError(.key, "no point of Ed25519") }
        var unsigned = point
        unsigned[ed25519PointBytes - 1] &= 0x7F
        guard !smallOrder.contains(unsigned) else { throw CryptographyError(.key, "a point of small order") }
        return try publicKey("ED25519", group: nil, point: point)
    }

    /// The RSA key of a modulus and an exponent, big-endian.
    static func publicKey(modulus: [UInt8], exponent: [UInt8]) throws(CryptographyError) -> OpaquePointer {
        let n = BN_bin2bn(modulus, Int32(clamping: modulus.count), nil)
        let e = BN_bin2bn(exponent, Int32(clamping: exponent.count), nil)
        defer {
            BN_free(n)
            BN_free(e)
        }
        return try publicKey("RSA") { builder in
            OSSL_PARAM_BLD_push_BN(builder, Name.modulus.address, n) == 1
                && OSSL_PARAM_BLD_push_BN(builder, Name.exponent.address, e) == 1
        }
    }
}
