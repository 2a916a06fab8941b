import JWTKit

/// The algorithms in which a client may sign. Nothing else is ever tried. SMART 2.2 client-confidential-asymmetric §Signing.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rs384 = "RS384"
    case es384 = "ES384"
}

/// A public key that was checked when it was read, with the one algorithm it may be used for.
package struct VerificationKey: Sendable {
    package let keyID: String
    package let algorithm: SignatureAlgorithm
    private let verifier: any JWTAlgorithm

    /// The least RSA modulus. RFC 7518 §3.3.
    static let modulusBitsMin = 2048
    /// More than this only costs time.
    static let modulusBitsMax = 8192

    /// Makes a key of a JWK's members. Nil for a kind, curve, size or exponent that is not allowed.
    init?(jwk: JOSEValue) async {
        guard let keyID = jwk["kid"]?.text, !keyID.isEmpty, keyID.utf8.count <= 255 else { return nil }
        let keys = JWTKeyCollection()
        let id = JWKIdentifier(string: keyID)
        switch jwk["kty"]?.text {
        case "RSA":
            guard let n = jwk["n"]?.text, let e = jwk["e"]?.text, let modulus = Base64URL.decode(n.utf8),
                let exponent = Base64URL.decode(e.utf8),
                (VerificationKey.modulusBitsMin...VerificationKey.modulusBitsMax).contains(
                    VerificationKey.bits(modulus)),
                // 65537 or a greater odd number of at most 32 bits: small exponents are weak, great ones only slow.
                (17...32).contains(VerificationKey.bits(exponent)), exponent.last.map({ $0 & 1 == 1 }) == true,
                let key = try? Insecure.RSA.PublicKey(modulus: n, exponent: e)
            else { return nil }
            algorithm = .rs384
            await keys.add(rsa: key, digestAlgorithm: .sha384, kid: id)
        case "EC":
            guard jwk["crv"]?.text == "P-384", let x = jwk["x"]?.text, let y = jwk["y"]?.text,
                Base64URL.decode(x.utf8)?.count == 48, Base64URL.decode(y.utf8)?.count == 48,
                let key = try? ES384PublicKey(parameters: (x, y))
            else { return nil }
            algorithm = .es384
            await keys.add(ecdsa: key, kid: id)
        default: return nil
        }
        guard let verifier = try? await keys.getKey(for: id) else { return nil }
        self.keyID = keyID
        self.verifier = verifier
    }

    /// Whether a signature over the encoded header and payload is this key's.
    func verifies(_ signature: [UInt8], over signingInput: some Collection<UInt8>) -> Bool {
        // An ES384 signature is two 48-byte numbers. RFC 7518 §3.4.
        guard algorithm != .es384 || signature.count == 96 else { return false }
        return (try? verifier.verify(signature, signs: Array(signingInput))) ?? false
    }

    private static func bits(_ number: [UInt8]) -> Int {
        guard let first = number.firstIndex(where: { $0 != 0 }) else { return 0 }
        return (number.count - first) * 8 - number[first].leadingZeroBitCount
    }
}
