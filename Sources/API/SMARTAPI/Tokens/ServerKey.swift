import Basics
import Cryptography
import HTTPSupport

/// The server's own signing key: ECDSA on P-256. RFC 7518 §3.4.
package struct ServerKey: Sendable {
    /// Names the key in a token's header and in the published key set.
    package let id: String
    private let key: PrivateKey
    private let x: String
    private let y: String

    /// Reads a PEM private key, SEC 1 or PKCS #8. Throws ``CryptographyError`` `.key` when it is not a P-256 key.
    package init(pem: String) throws {
        try self.init(PrivateKey(pem: pem))
    }

    /// A new key, for tests and `init`.
    package static func generated() throws -> ServerKey { try ServerKey(PrivateKey(.p256)) }

    private init(_ key: PrivateKey) throws {
        let point = try key.publicKey.coordinates(on: .p256)
        self.key = key
        x = Base64URL.encode(point.x)
        y = Base64URL.encode(point.y)
        // 96 bits of the public point name the key as well as a digest would.
        id = String(x.prefix(16))
    }

    /// r and s of the signature of a token's encoded header and payload.
    func sign(_ signingInput: some Collection<UInt8>) throws -> [UInt8] { try key.sign(signingInput) }

    /// A signed token of type JWT, which no door takes for an access token: those are of type `at+jwt`. RFC 8725 §3.11.
    func identityToken(claims: [UInt8]) throws -> String {
        try key.compactJWT(claims: claims, keyID: id)
    }

    /// Whether a signature over the encoded header and payload is this key's.
    func verifies(_ signature: [UInt8], over signingInput: some Collection<UInt8>) -> Bool {
        key.publicKey.verifies(signature, of: signingInput)
    }

    /// The public half as a member of a key set. RFC 7517 §4.
    func write(to json: inout JSONText) {
        json.object { json in
            json.member("kty", "EC")
            json.member("crv", "P-256")
            json.member("x", x)
            json.member("y", y)
            json.member("use", "sig")
            json.member("alg", "ES256")
            json.member("kid", id)
        }
    }
}
