import Basics
import Cryptography
import HTTPSupport

/// The server's RSA key. It signs id_tokens alone, by RS256, for clients that know nothing else; no access token is ever of
/// it. RFC 7518 §3.3; OpenID Connect Discovery 1.0 §3.
package struct IdentityKey: Sendable {
    /// Of the modulus of a new key.
    private static let bits: Int32 = 3072
    /// Bytes of the smallest modulus. RFC 7518 §3.3.
    private static let modulusBytesMin = 256

    /// Names the key in a token's header and in the published key set.
    package let id: String
    private let key: PrivateKey
    private let modulus: String
    private let exponent: String

    /// Why there is no such key.
    package enum Problem: String, Error, Sendable {
        case tooSmall = "an RSA key of fewer than 2048 bits"
        case missing = "there is no key for RS256"
    }

    /// Reads a PEM private key. Throws ``Problem`` for fewer than 2048 bits, ``CryptographyError`` `.key` for one that is
    /// not RSA.
    package init(pem: String) throws {
        key = try PrivateKey(pem: pem, rsaHash: .sha256)
        let (modulus, exponent) = try key.publicKey.modulusAndExponent
        guard modulus.count >= Self.modulusBytesMin else { throw Problem.tooSmall }
        self.modulus = Base64URL.encode(modulus)
        self.exponent = Base64URL.encode(exponent)
        id = String(Base64URL.encode(SHA256.digest(modulus)).prefix(16))
    }

    /// A new key as PEM. Takes a tenth of a second and more.
    package static func newPEM() throws -> String { try PrivateKey(rsaBits: bits, hash: .sha256).pem }

    /// A signed token of type JWT by RS256.
    func identityToken(claims: [UInt8]) throws -> String {
        try key.compactJWT(claims: claims, keyID: id)
    }

    /// The public half as a member of a key set. RFC 7517 §4.
    func write(to json: inout JSONText) {
        json.object { json in
            json.member("kty", "RSA")
            json.member("n", modulus)
            json.member("e", exponent)
            json.member("use", "sig")
            json.member("alg", "RS256")
            json.member("kid", id)
        }
    }
}
