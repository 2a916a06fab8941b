import HTTPSupport
import JWTKit

/// The server's own signing key: ECDSA on P-256. RFC 7518 §3.4.
package struct ServerKey: Sendable {
    /// Names the key in a token's header and in the published key set.
    package let id: String
    let signer: any JWTAlgorithm
    private let x: String
    private let y: String

    /// Reads a PEM private key, SEC 1 or PKCS #8. Throws JWTKit's error when it is not a P-256 key.
    package init(pem: String) async throws {
        try await self.init(ES256PrivateKey(pem: pem))
    }

    /// A new key, for tests and `init`.
    package static func generated() async throws -> ServerKey { try await ServerKey(ES256PrivateKey()) }

    private init(_ key: ES256PrivateKey) async throws {
        guard let point = key.publicKey.parameters else { throw JWTError.invalidJWK(reason: "no public point") }
        x = ServerKey.urlAlphabet(point.x)
        y = ServerKey.urlAlphabet(point.y)
        // 96 bits of the public point name the key as well as a digest would.
        id = String(x.prefix(16))
        let keys = JWTKeyCollection()
        let name = JWKIdentifier(string: id)
        await keys.add(ecdsa: key, kid: name)
        signer = try await keys.getKey(for: name)
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

    private static func urlAlphabet(_ base64: String) -> String {
        String(base64.compactMap { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 == "=" ? nil : $0 })
    }
}
