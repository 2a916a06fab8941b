import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Hummingbird

/// Exchanges what people have given to applications for tokens: codes once, refresh tokens each for the next one.
///
/// A code or refresh token that comes a second time has been stolen, or was stolen before: everything that came of its
/// grant ends. *Spec:* RFC 6749 §4.1.3, §6; RFC 7636 §4.6; RFC 9700 §4.14; SMART 2.2 app-launch §Obtain access token.
package struct GrantExchange: Sendable {
    static let grantTypes = ["authorization_code", "refresh_token"]
    /// How long a refresh token of `offline_access` may lie unused, in seconds: 90 days.
    static let offlineLifetime: Int64 = 90 * 86_400
    /// The same of `online_access`, which ends with the session besides: 12 hours.
    static let onlineLifetime: Int64 = 12 * 3_600
    /// Longer codes, tokens and verifiers are unknown, in bytes.
    static let secretBytesMax = 512

    private let authorizations: any AuthorizationStore
    private let sessions: (any LiveSessions)?
    private let issuer: TokenIssuer
    private let verifier: TokenVerifier
    private let now: @Sendable () -> Int64
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameters:
    ///   - sessions: tells whether sessions live; nil where nothing ends with a session, and `online_access` is not given.
    ///   - verifier: forgets the tokens of grants that end.
    ///   - now: microseconds since the epoch.
    ///   - randomBytes: strong random bytes.
    package init(
        authorizations: any AuthorizationStore, sessions: (any LiveSessions)?, issuer: TokenIssuer,
        verifier: TokenVerifier, now: @escaping @Sendable () -> Int64, randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.authorizations = authorizations
        self.sessions = sessions
        self.issuer = issuer
        self.verifier = verifier
        self.now = now
        self.randomBytes = randomBytes
    }

    /// `grant_type=authorization_code`.
    func redeem(_ form: OAuthForm, _ client: Client, _ request: APIRequest, _ gate: ClientGate) async throws -> Response
    {
        guard let code = form["code"], let redirectURI = form["redirect_uri"], let proof = form["code_verifier"] else {
            throw OAuthRefusal(
                error: .invalidRequest, description: "code, redirect_uri and code_verifier must be given")
        }
        let digest = try digest(code)
        let found: AuthorizationCode
        let grant: Grant
        switch try await reading({ try await authorizations.code(digest, at: now()) }) {
        case .unknown: throw try await invalid("unknown-code", nil, client, request, gate)
        case .expired(let grant): throw try await invalid("code-expired", grant, client, request, gate)
        case .used(let grant): throw try await stolen("code-used-twice", grant, client, request, gate)
        case .fresh(let code, let of): (found, grant) = (code, of)
        }
        // Whatever is wrong here, the code stays with whom it was given to.
        guard grant.clientID == client.id else {
            throw try await invalid("code-of-other-client", grant, client, request, gate)
        }
        guard found.redirectURI.utf8.elementsEqual(redirectURI.utf8) else {
            throw try await invalid("redirect-uri-differs", grant, client, request, gate)
        }
        guard PKCE.isVerifier(proof, of: found.challenge) else {
            throw try await invalid("bad-code-verifier", grant, client, request, gate)
        }
        let refresh = try await refreshToken(for: grant)
        let answer = try await answer(
            grant, scopes: grant.scopes, refresh: refresh?.text, nonce: found.nonce, client, request, gate)
        guard try await reading({ try await authorizations.redeem(digest, refresh: refresh?.kept, at: now()) }) else {
            throw try await stolen("code-used-twice", grant, client, request, gate)
        }
        return answer
    }

    /// `grant_type=refresh_token`.
    func refresh(_ form: OAuthForm, _ client: Client, _ request: APIRequest, _ gate: ClientGate) async throws
        -> Response
    {
        guard let token = form["refresh_token"] else {
            throw OAuthRefusal(error: .invalidRequest, description: "refresh_token is missing")
        }
        let digest = try digest(token)
        let grant: Grant
        switch try await reading({ try await authorizations.refreshToken(digest, at: now()) }) {
        case .unknown: throw try await invalid("unknown-refresh-token", nil, client, request, gate)
        case .expired(let grant): throw try await invalid("refresh-token-expired", grant, client, request, gate)
        case .used(let grant): throw try await stolen("refresh-token-used-twice", grant, client, request, gate)
        case .fresh(_, let of): grant = of
        }
        guard grant.clientID == client.id else {
            throw try await invalid("refresh-token-of-other-client", grant, client, request, gate)
        }
        guard try await isSessionLive(of: grant) else {
            try await end(grant)
            throw try await invalid("session-ended", grant, client, request, gate)
        }
        // What the operator has taken from the client since, it does not get back.
        let allowed = grant.scopes.granted(
            from: GrantedScopes(resources: client.scopes, others: client.launchScopes))
        var scopes = allowed
        if let text = form["scope"] {
            // A longer one is not read.
            let isBounded = text.utf8.count <= TokenEndpoint.scopeBytesMax
            let asked = GrantedScopes(isBounded ? text : "")
            guard isBounded, asked.resources.count <= TokenEndpoint.scopesMax,
                asked.resources.allSatisfy({ scope in grant.scopes.resources.contains { $0.includes(scope) } }),
                asked.others.allSatisfy(grant.scopes.others.contains)
            else {
                try await gate.record(
                    client, request, .minorFailure, principal: grant.principal, entity: "grant:" + grant.id,
                    detail: "invalid_scope")
                throw OAuthRefusal(error: .invalidScope, description: "A scope goes beyond what was authorized")
            }
            scopes = asked.granted(from: allowed)
        }
        guard !scopes.isEmpty else {
            throw try await invalid("nothing-left", grant, client, request, gate)
        }
        let next = newToken(for: grant)
        let answer = try await answer(grant, scopes: scopes, refresh: next.text, nonce: nil, client, request, gate)
        guard try await reading({ try await authorizations.rotate(digest, to: next.kept, at: now()) }) else {
            throw try await stolen("refresh-token-used-twice", grant, client, request, gate)
        }
        return answer
    }

    /// The grant that a refresh token or an access token of the client came of, for the client to end it. RFC 7009 §2.1.
    ///
    /// Nil for a token that is none of ours or ended before. Throws ``OAuthRefusal`` for another client's token, and for
    /// an access token of a client by itself.
    func revocable(_ token: String, _ client: Client) async throws -> Grant? {
        let grant: Grant?
        switch try await reading({ try await authorizations.refreshToken(Self.digest(token), at: now()) }) {
        case .fresh(_, let found), .expired(let found), .used(let found): grant = found
        case .unknown:
            guard let claims = verifier.claims(token) else { return nil }
            guard let id = claims.grantID else {
                throw OAuthRefusal(
                    error: .unsupportedTokenType,
                    description: "Access tokens of backend services are not revoked; they end within five minutes")
            }
            grant = try await reading { try await authorizations.grant(id: id) }
        }
        guard let grant, grant.revokedAt == nil else { return nil }
        guard grant.clientID == client.id else {
            throw OAuthRefusal(error: .invalidGrant, description: "The token was not issued to this client")
        }
        return grant
    }

    /// What a refresh token or an access token of this server stands for at the time of the call; nil for one that is unknown,
    /// was used up or has expired, or whose grant, session or client has ended. Throws `.unavailable` where that cannot be
    /// read. RFC 7662 §2.2.
    func inspected(_ token: String) async throws -> TokenState? {
        guard token.utf8.count <= BearerAuthenticator.tokenBytesMax else { return nil }
        if case .fresh(let refresh, let grant) = try await reading({
            try await authorizations.refreshToken(Self.digest(token), at: now())
        }) {
            guard try await isSessionLive(of: grant),
                try await reading({ try await verifier.activeClient(grant.clientID) }) != nil
            else { return nil }
            return TokenState(
                clientID: grant.clientID, subject: grant.accountID, scopes: grant.scopes, grant: grant,
                expires: refresh.expires / 1_000_000, issuedAt: nil, identifier: nil)
        }
        guard let (claims, grant) = try await reading({ try await verifier.inspected(token) }) else { return nil }
        return TokenState(
            clientID: claims.clientID, subject: claims.subject,
            scopes: GrantedScopes(resources: claims.scopes, others: claims.launchScopes), grant: grant,
            expires: claims.expires, issuedAt: claims.issuedAt, identifier: claims.identifier)
    }

    // MARK: What is common to them

    private func digest(_ secret: String) throws -> [UInt8] {
        guard secret.utf8.count <= Self.secretBytesMax else {
            throw OAuthRefusal(error: .invalidGrant, description: "The code or token is not valid")
        }
        return Self.digest(secret)
    }

    private static func digest(_ secret: String) -> [UInt8] { SHA256.digest(secret.utf8) }

    private func refreshToken(for grant: Grant) async throws -> (text: String, kept: RefreshToken)? {
        let isOnline = grant.scopes.others.contains(.onlineAccess) && sessions != nil
        guard grant.scopes.others.contains(.offlineAccess) || isOnline else { return nil }
        return newToken(for: grant)
    }

    private func newToken(for grant: Grant) -> (text: String, kept: RefreshToken) {
        let text = Base64URL.encode(randomBytes(32))
        let lifetime = grant.endsWithSession ? Self.onlineLifetime : Self.offlineLifetime
        let kept = RefreshToken(
            digest: Self.digest(text), grantID: grant.id, expires: now() + lifetime * 1_000_000)
        return (text, kept)
    }

    /// Made, with its audit row, before anything is used up: who is told to come again for want of a row comes with the same
    /// code or token, which must not be taken for a stolen one.
    private func answer(
        _ grant: Grant, scopes: GrantedScopes, refresh: String?, nonce: String?, _ client: Client,
        _ request: APIRequest, _ gate: ClientGate
    ) async throws -> Response {
        let (text, claims) = try issuer.issue(grant, scopes: scopes)
        let identity =
            scopes.others.contains(.openid)
            ? try issuer.identityToken(grant, scopes: scopes, nonce: nonce, by: client.identityAlgorithm) : nil
        try await gate.record(
            client, request, .success, principal: grant.principal, tokenID: claims.identifier,
            entity: "grant:" + grant.id, patientID: grant.context.patient, detail: nil)
        var json = JSONText()
        json.object { json in
            json.member("access_token", text)
            json.member("token_type", "bearer")
            json.member("expires_in", Int(TokenIssuer.lifetime))
            json.member("scope", scopes.text)
            if let refresh { json.member("refresh_token", refresh) }
            if let identity { json.member("id_token", identity) }
            grant.context.write(to: &json)
        }
        return .bytes(json.bytes, contentType: "application/json", headers: OAuthRefusal.uncached)
    }

    /// `invalid_grant`, audited and counted first.
    private func invalid(
        _ reason: String, _ grant: Grant?, _ client: Client, _ request: APIRequest, _ gate: ClientGate
    ) async throws -> OAuthRefusal {
        try await gate.record(
            client, request, .minorFailure, entity: grant.map { "grant:" + $0.id }, detail: reason)
        try await gate.countRefusal(of: client, request)
        return OAuthRefusal(error: .invalidGrant, description: "The code or token is not valid")
    }

    /// The same for what came a second time: its grant ends first. Another client's does not, or whoever finds a spent code
    /// could end it.
    private func stolen(
        _ reason: String, _ grant: Grant, _ client: Client, _ request: APIRequest, _ gate: ClientGate
    ) async throws -> OAuthRefusal {
        if grant.clientID == client.id {
            try await end(grant)
            try await gate.record(
                client, request, .seriousFailure, principal: grant.principal, category: .security,
                entity: "grant:" + grant.id, detail: reason)
        }
        return try await invalid(reason, grant, client, request, gate)
    }

    /// False where refresh tokens of the grant end with a session and that has ended.
    private func isSessionLive(of grant: Grant) async throws -> Bool {
        guard grant.endsWithSession else { return true }
        guard let sessions else { return false }
        return try await reading { try await sessions.isLive(sessionID: grant.sessionID) }
    }

    /// Ends a grant and all that came of it.
    func end(_ grant: Grant) async throws {
        _ = try await reading { try await authorizations.revokeGrant(grant.id, at: now()) }
    }

    private func reading<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as CancellationError { throw error } catch {
            throw HTTPFailure(
                .unavailable, "Authorizations cannot be read or kept now; try again", headers: [.retryAfter: "5"])
        }
    }
}
