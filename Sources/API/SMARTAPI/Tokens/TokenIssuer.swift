import Access
import Basics

/// Makes access tokens.
package struct TokenIssuer: Sendable {
    /// How long a token lives, in seconds; SMART asks for at most 300.
    package static let lifetime: Int64 = 300

    private let key: ServerKey
    private let issuer: String
    private let audience: String
    private let now: @Sendable () -> Int64
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameters:
    ///   - issuer: the server's base URL.
    ///   - audience: the FHIR base URL.
    ///   - now: microseconds since the epoch.
    ///   - randomBytes: strong random bytes.
    package init(
        key: ServerKey, issuer: String, audience: String, now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.key = key
        self.issuer = issuer
        self.audience = audience
        self.now = now
        self.randomBytes = randomBytes
    }

    /// A new token with its claims. Throws when it cannot be signed.
    package func issue(clientID: String, scopes: [Scope]) throws -> (text: String, claims: AccessToken) {
        let seconds = now() / 1_000_000
        let claims = AccessToken(
            clientID: clientID, scopes: scopes, identifier: Base64URL.encode(randomBytes(16)), issuedAt: seconds,
            expires: seconds + TokenIssuer.lifetime)
        return (try claims.signed(by: key, issuer: issuer, audience: audience), claims)
    }
}
