/// An application registered for SMART backend services, for launches, or for both.
package struct Client: Sendable, Hashable {
    /// The OAuth client id. ASCII, unique.
    package var id: String
    package var name: String
    /// The JWK Set as JSON text when registered inline.
    package var jwks: String?
    /// Where the JWK Set is fetched, when registered by URL. https only, except loopback when the operator allows it.
    package var jwksURL: String?
    /// The scopes the operator allows, at most.
    package var scopes: [Scope]
    /// What a launched application may ask for beside resources, at most.
    package var launchScopes: [LaunchScope]
    /// Where the answers to its authorization requests may go, each byte for byte; none for who is never launched.
    /// RFC 6749 §3.1.2.2.
    package var redirectURIs: [String]
    /// The page that an EHR opens. SMART 2.2 §Launch app: EHR launch.
    package var launchURL: String?
    /// SHA-256 of the secret of a client that authenticates with one. RFC 6749 §2.3.1.
    package var secretDigest: [UInt8]?
    /// Whether it can keep no secret, and so proves itself by PKCE alone. RFC 6749 §2.1.
    package var isPublic: Bool
    /// In which its id_tokens are signed. OpenID Connect Dynamic Client Registration 1.0 §2.
    package var identityAlgorithm: IdentityAlgorithm
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var registeredAt: Int64
    /// Set once the client is revoked; microseconds since the epoch.
    package var revokedAt: Int64?

    package init(
        id: String, name: String, jwks: String?, jwksURL: String?, scopes: [Scope],
        launchScopes: [LaunchScope] = [], redirectURIs: [String] = [], launchURL: String? = nil,
        secretDigest: [UInt8]? = nil, isPublic: Bool = false, identityAlgorithm: IdentityAlgorithm = .es256,
        registeredAt: Int64, revokedAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.jwks = jwks
        self.jwksURL = jwksURL
        self.scopes = scopes
        self.launchScopes = launchScopes
        self.redirectURIs = redirectURIs
        self.launchURL = launchURL
        self.secretDigest = secretDigest
        self.isPublic = isPublic
        self.identityAlgorithm = identityAlgorithm
        self.registeredAt = registeredAt
        self.revokedAt = revokedAt
    }
}

/// The algorithms that id_tokens are signed by. RFC 7518 §3.1.
package enum IdentityAlgorithm: String, Sendable, Hashable, CaseIterable {
    case es256 = "ES256"
    case rs256 = "RS256"
}

/// The port to registered clients.
package protocol ClientDirectory: Sendable {
    func client(id: String) async throws -> Client?
    func clients() async throws -> [Client]
    func save(_ client: Client) async throws
    /// Marks a client revoked. Returns false when there is none of that id.
    func revoke(clientID: String, at microseconds: Int64) async throws -> Bool
}

/// The port that remembers which assertion ids were used. RFC 7523 §3 (7), SMART 2.2 client-confidential-asymmetric.
package protocol AssertionLedger: Sendable {
    /// Atomically and durably notes an id; returns false when the issuer used it before.
    /// `expires` in microseconds since the epoch: the entry may be forgotten after it.
    func useOnce(issuer: String, jti: String, expires: Int64) async throws -> Bool
}

/// A token that is refused, and why, which is for the audit trail: its holder is told no more than that it is not valid.
package struct TokenRefusal: Error, Sendable, Hashable {
    /// A word of the verifier's own; nothing that the token holds.
    package let reason: String
    package init(reason: String) { self.reason = reason }
}

/// Turns a bearer token into the rights of its holder. Implemented by the token issuer.
package protocol TokenVerifying: Sendable {
    /// Nil when the token is malformed, expired, not ours, or its client was revoked; ``TokenRefusal`` where more is known of
    /// why. Throws any other error when that cannot be told now: the caller is neither let in nor told that its token is wrong.
    func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async throws -> AccessContext?
    /// The rights of the holder of a token that was verified lately and need not be looked at again; nil otherwise,
    /// which says nothing of the token.
    func rememberedContext(bearerToken: String, requestID: String, sourceAddress: String?) -> AccessContext?
}

extension TokenVerifying {
    package func rememberedContext(bearerToken: String, requestID: String, sourceAddress: String?) -> AccessContext? {
        nil
    }
}
