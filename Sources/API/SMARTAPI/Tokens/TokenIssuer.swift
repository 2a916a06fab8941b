import Access
import Basics
import HTTPSupport

/// Makes access tokens.
package struct TokenIssuer: Sendable {
    /// How long a token lives, in seconds; SMART asks for at most 300.
    package static let lifetime: Int64 = 300

    private let key: ServerKey
    private let identityKey: IdentityKey?
    private let issuer: String
    private let audience: String
    private let now: @Sendable () -> Int64
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameters:
    ///   - identityKey: signs id_tokens by RS256; nil where no client asks for it.
    ///   - issuer: the server's base URL.
    ///   - audience: the FHIR base URL.
    ///   - now: microseconds since the epoch.
    ///   - randomBytes: strong random bytes.
    package init(
        key: ServerKey, identityKey: IdentityKey? = nil, issuer: String, audience: String,
        now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.key = key
        self.identityKey = identityKey
        self.issuer = issuer
        self.audience = audience
        self.now = now
        self.randomBytes = randomBytes
    }

    /// A new token with its claims. Throws when it cannot be signed.
    package func issue(clientID: String, scopes: [Scope]) throws -> (text: String, claims: AccessToken) {
        try issue(clientID: clientID, scopes: GrantedScopes(resources: scopes, others: []), grant: nil)
    }

    /// A new token for what a person has authorized, with some of its scopes or all of them.
    func issue(_ grant: Grant, scopes: GrantedScopes) throws -> (text: String, claims: AccessToken) {
        try issue(clientID: grant.clientID, scopes: scopes, grant: grant)
    }

    private func issue(clientID: String, scopes: GrantedScopes, grant: Grant?) throws -> (
        text: String, claims: AccessToken
    ) {
        let seconds = now() / 1_000_000
        let claims = AccessToken(
            clientID: clientID, scopes: scopes, grant: grant, identifier: Base64URL.encode(randomBytes(16)),
            issuedAt: seconds, expires: seconds + TokenIssuer.lifetime)
        return (try claims.signed(by: key, issuer: issuer, audience: audience), claims)
    }

    /// Who has signed in, for the client of a grant. Throws when it cannot be signed.
    ///
    /// *Spec:* OpenID Connect Core 1.0 §2; SMART 2.2 §Scopes for requesting identity data.
    /// - Parameters:
    ///   - nonce: of the authorization request; nil where there was none, and when the token is refreshed.
    ///   - algorithm: as the client is registered.
    func identityToken(
        _ grant: Grant, scopes: GrantedScopes, nonce: String?, by algorithm: IdentityAlgorithm
    ) throws -> String {
        let seconds = now() / 1_000_000
        var claims = JSONText()
        claims.object { json in
            json.member("iss", issuer)
            json.member("sub", grant.accountID)
            json.member("aud", grant.clientID)
            json.member("iat", Int(seconds))
            json.member("exp", Int(seconds + TokenIssuer.lifetime))
            // Needed only where it is asked for, and then it is known. OpenID Connect Core 1.0 §2.
            if grant.signedInAt > 0 { json.member("auth_time", Int(grant.signedInAt / 1000)) }
            if let nonce { json.member("nonce", nonce) }
            if scopes.others.contains(.fhirUser), let user = grant.fhirUser {
                json.member("fhirUser", audience + "/" + user)
            }
        }
        switch algorithm {
        case .es256: return try key.identityToken(claims: claims.bytes)
        case .rs256:
            // Never in another algorithm than the registered one, which the client would refuse or should.
            guard let identityKey else { throw IdentityKey.Problem.missing }
            return try identityKey.identityToken(claims: claims.bytes)
        }
    }
}
