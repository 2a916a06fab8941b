import Basics
import Cryptography

/// JWK Sets by which a client of this machine is registered with a server.
enum KeySetText {
    /// The set of one key, on P-384 or of RSA, with its `kid`. RFC 7517 §4, §5; RFC 7518 §6.
    static func of(_ key: PublicKey, _ id: String?) throws -> [String: [[String: String]]] {
        var jwk = ["use": "sig"]
        if let id { jwk["kid"] = id }
        switch key.kind {
        case .ec, .ed25519:
            let point = try key.coordinates(on: .p384)
            jwk["kty"] = "EC"
            jwk["crv"] = "P-384"
            jwk["alg"] = "ES384"
            jwk["x"] = Base64URL.encode(point.x)
            jwk["y"] = Base64URL.encode(point.y)
        case .rsa:
            let numbers = try key.modulusAndExponent
            jwk["kty"] = "RSA"
            jwk["alg"] = "RS384"
            jwk["n"] = Base64URL.encode(numbers.modulus)
            jwk["e"] = Base64URL.encode(numbers.exponent)
        }
        return ["keys": [jwk]]
    }
}
