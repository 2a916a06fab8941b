import Basics
import Cryptography

/// A public key that was checked when it was read, with the one algorithm it may be used for.
package struct VerificationKey: Sendable {
    package let keyID: String
    package let algorithm: SignatureAlgorithm
    private let key: PublicKey

    /// The least RSA modulus. RFC 7518 §3.3.
    static let modulusBitsMin = 2048
    /// More than this only costs time.
    static let modulusBitsMax = 8192

    /// Makes a key of a JWK's members. Nil for a kind, curve, size or exponent that is not allowed.
    init?(jwk: JOSEValue) {
        guard let keyID = jwk["kid"]?.text, !keyID.isEmpty, keyID.utf8.count <= 255 else { return nil }
        switch jwk["kty"]?.text {
        case "RSA":
            guard let n = jwk["n"]?.text, let e = jwk["e"]?.text, let modulus = Base64URL.decode(n.utf8),
                let exponent = Base64URL.decode(e.utf8),
                (VerificationKey.modulusBitsMin...VerificationKey.modulusBitsMax).contains(
                    VerificationKey.bits(modulus)),
                // 65537 or a greater odd number of at most 32 bits: small exponents are weak, great ones only slow.
                (17...32).contains(VerificationKey.bits(exponent)), exponent.last.map({ $0 & 1 == 1 }) == true,
                let key = try? PublicKey(modulus: modulus, exponent: exponent)
            else { return nil }
            algorithm = .rs384
            self.key = key
        case "EC":
            guard jwk["crv"]?.text == "P-384", let x = jwk["x"]?.text, let y = jwk["y"]?.text,
                let x = Base64URL.decode(x.utf8), let y = Base64URL.decode(y.utf8), x.count == 48, y.count == 48,
                let key = try? PublicKey(.p384, x: x, y: y)
            else { return nil }
            algorithm = .es384
            self.key = key
        default: return nil
        }
        self.keyID = keyID
    }

    private init(_ one: VerificationKey, key: PublicKey) {
        keyID = one.keyID
        algorithm = one.algorithm
        self.key = key
    }

    /// The same key, made ready to verify often.
    func prepared() -> VerificationKey { VerificationKey(self, key: key.prepared()) }

    /// Whether a signature over the encoded header and payload is this key's: of RS384 as long as the modulus, of ES384 two
    /// 48-byte numbers. RFC 7518 §3.3, §3.4.
    func verifies(_ signature: [UInt8], over signingInput: some Collection<UInt8>) -> Bool {
        key.verifies(signature, of: signingInput)
    }

    private static func bits(_ number: [UInt8]) -> Int {
        guard let first = number.firstIndex(where: { $0 != 0 }) else { return 0 }
        return (number.count - first) * 8 - number[first].leadingZeroBitCount
    }
}
