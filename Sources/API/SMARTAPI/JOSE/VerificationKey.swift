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

    /// Makes a client's key of a JWK's members, for the algorithm of its kind. Nil for a kind, curve, size or exponent that is
    /// not allowed, and without an id.
    init?(jwk: JOSEValue) {
        guard let keyID = jwk["kid"]?.text, !keyID.isEmpty, keyID.utf8.count <= 255 else { return nil }
        self.init(jwk: jwk, for: jwk["kty"]?.text == "RSA" ? .rs384 : .es384)
    }

    /// The same for one algorithm, also without an id.
    init?(jwk: JOSEValue, for algorithm: SignatureAlgorithm) {
        guard Self.isOfType(jwk, algorithm) else { return nil }
        switch algorithm {
        case .rs256, .rs384, .ps256:
            guard let n = jwk["n"]?.text, let e = jwk["e"]?.text, let modulus = Base64URL.decode(n.utf8),
                let exponent = Base64URL.decode(e.utf8),
                (VerificationKey.modulusBitsMin...VerificationKey.modulusBitsMax).contains(
                    VerificationKey.bits(modulus)),
                // 65537 or a greater odd number of at most 32 bits: small exponents are weak, great ones only slow.
                (17...32).contains(VerificationKey.bits(exponent)), exponent.last.map({ $0 & 1 == 1 }) == true,
                let key = try? PublicKey(
                    modulus: modulus, exponent: exponent, hash: algorithm.hash,
                    padding: algorithm == .ps256 ? .pss : .pkcs1)
            else { return nil }
            self.key = key
        case .es256, .es384:
            let curve: EllipticCurve = algorithm == .es256 ? .p256 : .p384
            guard let x = jwk["x"]?.text, let y = jwk["y"]?.text,
                let x = Base64URL.decode(x.utf8), let y = Base64URL.decode(y.utf8), x.count == curve.coordinateBytes,
                y.count == curve.coordinateBytes, let key = try? PublicKey(curve, x: x, y: y)
            else { return nil }
            self.key = key
        case .edDSA:
            guard let x = jwk["x"]?.text, let point = Base64URL.decode(x.utf8),
                let key = try? PublicKey(ed25519: point)
            else { return nil }
            self.key = key
        }
        self.algorithm = algorithm
        keyID = jwk["kid"]?.text ?? ""
    }

    /// Whether a key of that type may sign by an algorithm at all.
    static func isOfType(_ jwk: JOSEValue, _ algorithm: SignatureAlgorithm) -> Bool {
        let type = algorithm.keyType
        return jwk["kty"]?.text == type.name && (type.curve == nil || jwk["crv"]?.text == type.curve)
    }

    private init(_ one: VerificationKey, key: PublicKey) {
        keyID = one.keyID
        algorithm = one.algorithm
        self.key = key
    }

    /// The same key, made ready to verify often.
    func prepared() -> VerificationKey { VerificationKey(self, key: key.prepared()) }

    /// Whether a signature over the encoded header and payload is this key's: of RSA as long as the modulus, of ECDSA two
    /// numbers of the curve's length, of Ed25519 64 bytes. RFC 7518 §3.3 to §3.5; RFC 8037 §3.1.
    func verifies(_ signature: [UInt8], over signingInput: some Collection<UInt8>) -> Bool {
        key.verifies(signature, of: signingInput)
    }

    private static func bits(_ number: [UInt8]) -> Int {
        guard let first = number.firstIndex(where: { $0 != 0 }) else { return 0 }
        return (number.count - first) * 8 - number[first].leadingZeroBitCount
    }
}
