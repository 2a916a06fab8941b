import COpenSSL
import Testing

@testable import Cryptography

/// FIPS 186-5 §6.4.2: the two ways in which a P-384 signature is verified, libcrypto's own and the one by kept multiples,
/// judge alike. The signatures at the edges are made with numbers chosen for them.
struct ECDSAVerificationTests {
    private let key: PrivateKey
    private let point: [UInt8]
    private let multiples: ECMultiples
    private let order: Number
    /// The private number.
    private let d: Number

    init() throws {
        key = try PrivateKey(.p384)
        point = try key.publicKey.point
        multiples = try #require(ECMultiples(.p384, point: point))
        order = try Number(
            hex: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973")
        var secret: OpaquePointer?
        try #require(EVP_PKEY_get_bn_param(key.key, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1)
        d = try #require(secret.map(Number.init(owning:)))
    }

    /// What libcrypto's own verification says of a signature over a digest.
    private func libcryptoTakes(_ signature: [UInt8], _ digest: [UInt8]) throws -> Bool {
        let context = try #require(EVP_PKEY_CTX_new_from_pkey(nil, key.key, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try #require(EVP_PKEY_verify_init(context) == 1)
        let der = try #require(ECDSASignature.der(signature, .p384))
        return EVP_PKEY_verify(context, der, der.count, digest, digest.count) == 1
    }

    private func expect(_ isRight: Bool, r: Number, s: Number, e: Number, _ comment: Comment) throws {
        let signature = r.bytes + s.bytes
        #expect(multiples.verifies(signature, of: e.bytes) == isRight, comment)
        #expect(try libcryptoTakes(signature, e.bytes) == isRight, comment)
    }

    /// x of a multiple of the base point, modulo the order.
    private func x(ofBaseTimes k: Number) throws -> Number {
        let group = try #require(EC_GROUP_new_by_curve_name(EllipticCurve.p384.numericID))
        defer { EC_GROUP_free(group) }
        let place = EC_POINT_new(group)
        defer { EC_POINT_free(place) }
        let x = Number()
        try #require(EC_POINT_mul(group, place, k.number, nil, nil, nil) == 1)
        try #require(EC_POINT_get_affine_coordinates(group, place, x.number, nil, nil) == 1)
        return x.times(Number(1), modulo: order)
    }

    /// A signature over a digest with a chosen secret number of its own: s = (e + r d) / k.
    private func sign(_ e: Number, k: Number) throws -> (r: Number, s: Number) {
        let r = try x(ofBaseTimes: k)
        return (r, e.plus(r.times(d, modulo: order), modulo: order).times(k.inverse(modulo: order), modulo: order))
    }

    @Test("Random signatures are taken, and none of which a bit was changed")
    func random() throws {
        for number in 0..<100 {
            let message = Array("message \(number)".utf8)
            let signature = try key.sign(message)
            let digest = message.withUnsafeBytes { HashFunction.sha384.digest($0) }
            #expect(multiples.verifies(signature, of: digest))
            #expect(try libcryptoTakes(signature, digest))
            let at = number * 7 % signature.count
            var changed = signature
            changed[at] ^= 1 << UInt8(number % 8)
            #expect(!multiples.verifies(changed, of: digest), "byte \(at)")
            #expect(try !libcryptoTakes(changed, digest), "byte \(at)")
            var other = digest
            other[at % 48] ^= 1 << UInt8(number % 8)
            #expect(!multiples.verifies(signature, of: other))
        }
    }

    @Test("FIPS 186-5 §6.4.2 step 1: r and s are numbers from 1 to the order less 1")
    func range() throws {
        let e = Number(77)
        let (r, s) = try sign(e, k: Number(123_456_789))
        try expect(true, r: r, s: s, e: e, "as it was made")
        let zero = Number(0)
        let least = Number(1)
        let most = order.minus(Number(1))
        let beyond = order.plus(Number(1))
        let full = try Number(hex: String(repeating: "ff", count: 48))
        for bad in [zero, order, beyond, full] {
            try expect(false, r: bad, s: s, e: e, "r out of range")
            try expect(false, r: r, s: bad, e: e, "s out of range")
            try expect(false, r: bad, s: bad, e: e, "both out of range")
        }
        for wrong in [least, most] {
            try expect(false, r: wrong, s: s, e: e, "another r")
            try expect(false, r: r, s: wrong, e: e, "another s")
        }
        // -s is a signature as good as s: nobody may take a signature as the name of what was signed.
        try expect(true, r: r, s: order.minus(s), e: e, "the other s")
        try expect(false, r: s, s: r, e: e, "exchanged")
    }

    @Test("A signature of another length, or over a digest of another length, is none")
    func lengths() throws {
        let e = Number(77)
        let (r, s) = try sign(e, k: Number(5))
        let signature = r.bytes + s.bytes
        #expect(multiples.verifies(signature, of: e.bytes))
        for other in [[], signature.dropLast(), [0] + signature, signature + signature] as [[UInt8]] {
            #expect(!multiples.verifies(other, of: e.bytes))
        }
        #expect(!multiples.verifies(signature, of: []))
        #expect(!multiples.verifies(signature, of: Array(e.bytes.dropFirst())))
    }

    @Test("Digests at the edges: zero, the order, and all bits set")
    func digests() throws {
        let full = try Number(hex: String(repeating: "ff", count: 48))
        for e in [Number(0), Number(1), order.minus(Number(1)), order, order.plus(Number(1)), full] {
            for k in [Number(1), Number(2), Number(3), order.minus(Number(1)), Number(0x1_0000_0001)] {
                let (r, s) = try sign(e, k: k)
                try expect(true, r: r, s: s, e: e, "a digest at an edge")
                try expect(false, r: r, s: s, e: e.plus(Number(2), modulo: order), "another digest")
            }
        }
    }

    @Test("Both products the same point, one the other's negative, and a sum at infinity")
    func points() throws {
        // e = r d makes u1 of the base the same point as u2 of the key: the sum is a doubling.
        let k = Number(987_654_321)
        let r = try x(ofBaseTimes: k)
        let e = r.times(d, modulo: order)
        let s = e.plus(e, modulo: order).times(k.inverse(modulo: order), modulo: order)
        try expect(true, r: r, s: s, e: e, "a doubling")
        // e = -r d makes them negatives of each other: the sum is infinity, which has no x.
        let negative = order.minus(e)
        for s in [s, Number(1), order.minus(Number(1)), r] {
            try expect(false, r: r, s: s, e: negative, "infinity")
        }
    }
}

/// A number of libcrypto, for tests alone: what cannot be computed traps.
private final class Number {
    let number: OpaquePointer?

    init() { number = BN_new() }
    init(owning number: OpaquePointer) { self.number = number }
    init(_ value: UInt) {
        number = BN_new()
        precondition(BN_set_word(number, value) == 1)
    }
    init(hex: String) throws {
        var made: OpaquePointer?
        try #require(BN_hex2bn(&made, hex) == hex.utf8.count)
        number = made
    }
    deinit { BN_clear_free(number) }

    /// Big-endian, 48 bytes.
    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 48)
        precondition(BN_bn2binpad(number, &bytes, 48) == 48)
        return bytes
    }

    private func made(_ compute: (_ result: OpaquePointer?, _ context: OpaquePointer?) -> Bool) -> Number {
        let context = BN_CTX_new()
        defer { BN_CTX_free(context) }
        let result = Number()
        precondition(compute(result.number, context))
        return result
    }
    func plus(_ other: Number) -> Number { made { result, _ in BN_add(result, number, other.number) == 1 } }
    func minus(_ other: Number) -> Number { made { result, _ in BN_sub(result, number, other.number) == 1 } }
    func plus(_ other: Number, modulo n: Number) -> Number {
        made { BN_mod_add($0, number, other.number, n.number, $1) == 1 }
    }
    func times(_ other: Number, modulo n: Number) -> Number {
        made { BN_mod_mul($0, number, other.number, n.number, $1) == 1 }
    }
    func inverse(modulo n: Number) -> Number { made { BN_mod_inverse($0, number, n.number, $1) != nil } }
}
