import Access
import Basics
import Cryptography
import HTTPSupport

/// Sign-in at the site's OpenID providers, by the authorization code flow with PKCE. OpenID Connect Core 1.0 §3.1; RFC 9700.
package struct OutsideSignIn: Sendable {
    package let providers: [OutsideProvider]
    let identities: any OutsideIdentityDirectory
    let fhirBaseURL: String
    private let ledger: any AssertionLedger
    private let outbound: any FormOutbound
    private let metadata: ProviderMetadataCache
    private let keys: KeySetCache
    /// Answers of an address that came to nothing: each makes this server ask the provider.
    private let attempts: StrangerThrottle
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - ledger: remembers which sign-ins were answered.
    ///   - now: microseconds since the epoch.
    package init(
        providers: [OutsideProvider], identities: any OutsideIdentityDirectory, ledger: any AssertionLedger,
        outbound: any FormOutbound, fhirBaseURL: String, now: @escaping @Sendable () -> Int64
    ) {
        self.providers = providers
        self.identities = identities
        self.ledger = ledger
        self.outbound = outbound
        self.fhirBaseURL = fhirBaseURL
        self.now = now
        metadata = ProviderMetadataCache(outbound: outbound, now: now)
        keys = KeySetCache(outbound: outbound, now: now)
        attempts = StrangerThrottle(limits: StrangerLimits(burst: 30, perMinute: 10), now: now)
    }

    func provider(_ name: String) -> OutsideProvider? { providers.first { $0.name == name } }

    /// Seconds until an answer from an address is looked at; nil when it is now.
    func wait(_ address: String?) -> Int? { attempts.wait(StrangerThrottle.Key(address: address)) }

    func failed(_ address: String?) { _ = attempts.refused(StrangerThrottle.Key(address: address)) }

    // MARK: Going there

    /// Where the browser goes on to; nil while the provider does not say where.
    /// - Parameter secret: of the browser, 32 bytes.
    func authorizationURL(
        _ provider: OutsideProvider, _ state: OutsideState, secret: [UInt8], _ people: People
    ) async -> String? {
        guard let endpoint = await metadata.metadata(of: provider.issuer)?.authorizationEndpoint else { return nil }
        let nonce = people.sessions.randomBytes(AESGCM.nonceBytes)
        var parameters = [
            ("response_type", "code"), ("client_id", provider.client.id),
            ("redirect_uri", people.origin + provider.answerPath),
            ("scope", (["openid"] + provider.scopes.filter { $0 != "openid" }).joined(separator: " ")),
            ("state", state.sealed(for: provider.name, people.keys, nonce: nonce)),
            ("nonce", state.nonce(secret)),
            ("code_challenge", Base64URL.encode(SHA256.digest(state.verifier(secret).utf8))),
            ("code_challenge_method", "S256"),
        ]
        if state.isAnew { parameters += [("prompt", "login"), ("max_age", "0")] }
        if !provider.strongClasses.isEmpty {
            parameters.append(("acr_values", provider.strongClasses.joined(separator: " ")))
        }
        return RedirectURI.adding(parameters, to: endpoint)
    }

    // MARK: Coming back

    /// Why nobody is signed in.
    struct Failure: Error, Sendable {
        /// What the person is told.
        let text: PageText
        /// For the audit trail; nothing of a stranger's making.
        let reason: String
        var isDown: Bool { text == .outsideDown }
    }

    /// Who has signed in at the provider. Throws ``Failure``, and the store's error.
    func identity(
        _ query: QueryParameters, _ provider: OutsideProvider, _ state: OutsideState, secret: [UInt8], _ people: People
    ) async throws -> IdentityToken {
        guard let told = await metadata.metadata(of: provider.issuer), let endpoint = told.tokenEndpoint else {
            throw Failure(text: .outsideDown, reason: "no-metadata")
        }
        // Before the code is shown to anybody. RFC 9207 §2.4.
        if let issuer = query["iss"] {
            guard issuer.utf8.elementsEqual(provider.issuer.utf8) else {
                throw Failure(text: .outsideFailed, reason: "mixed-up-issuer")
            }
        } else if told.namesIssuer {
            throw Failure(text: .outsideFailed, reason: "no-issuer")
        }
        let forgettable = (state.startedAt + OutsideState.lifetime + 60) * 1_000_000
        guard
            try await ledger.useOnce(
                issuer: "sign-in:" + provider.issuer, jti: state.flow, expires: forgettable)
        else { throw Failure(text: .outsideTooOld, reason: "state-used-twice") }
        if let error = query["error"] {
            let known = OAuthError(rawValue: error)?.rawValue ?? "other"
            throw Failure(text: .outsideRefused, reason: "provider-says-" + known)
        }
        guard let code = query["code"], (1...4096).contains(code.utf8.count) else {
            throw Failure(text: .outsideFailed, reason: "no-code")
        }
        let answer = try await tokens(for: code, at: endpoint, told, provider, state, secret, people)
        guard let text = answer["id_token"]?.text else { throw Failure(text: .outsideFailed, reason: "no-id-token") }
        let expected = IdentityToken.Expectation(
            issuer: provider.issuer, clientID: provider.client.id, nonce: state.nonce(secret),
            accessToken: answer["access_token"]?.text, signedInSince: state.isAnew ? state.startedAt : nil)
        do {
            let token = try IssuedToken(text, algorithms: provider.algorithms)
            try await token.verify(keys, at: told.keySetURL)
            return try IdentityToken(token, expected, now: now() / 1_000_000)
        } catch {
            throw Failure(text: error == .noKey ? .outsideDown : .outsideFailed, reason: error.rawValue)
        }
    }

    private func tokens(
        for code: String, at endpoint: String, _ told: ProviderMetadata, _ provider: OutsideProvider,
        _ state: OutsideState, _ secret: [UInt8], _ people: People
    ) async throws -> JOSEValue {
        let request = try provider.client.request(
            [
                ("grant_type", "authorization_code"), ("code", code),
                ("redirect_uri", people.origin + provider.answerPath), ("code_verifier", state.verifier(secret)),
            ], to: endpoint, methods: told.authenticationMethods, now: now() / 1_000_000,
            randomBytes: people.sessions.randomBytes)
        let response: OutboundResponse
        do { response = try await outbound.submit(request) } catch let error as CancellationError { throw error } catch
        {
            throw Failure(text: .outsideDown, reason: "no-answer")
        }
        guard response.status == 200 else {
            throw Failure(
                text: response.status >= 500 ? .outsideDown : .outsideFailed,
                reason: "token-endpoint-\(response.status)")
        }
        guard let answer = JOSEValue(object: response.body), answer["token_type"]?.text?.lowercased() == "bearer" else {
            throw Failure(text: .outsideFailed, reason: "token-answer-malformed")
        }
        return answer
    }
}
