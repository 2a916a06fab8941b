import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Hummingbird

/// `POST /oauth/register`: an application asks to be registered. It is told its id at once, and works when an operator has
/// approved it. RFC 7591 §3.
package struct RegistrationEndpoint: Sendable {
    /// Who may say what an application is, and where its keys are.
    package struct StatementIssuer: Sendable, Hashable {
        package let issuer: String
        package let keySetURL: String
        package init(issuer: String, keySetURL: String) {
            self.issuer = issuer
            self.keySetURL = keySetURL
        }
    }

    /// How asking is bounded.
    package struct Rules: Sendable {
        /// SHA-256 of the initial access token; nil where anybody may ask. RFC 7591 §3.
        package var initialTokenDigest: [UInt8]?
        /// How long an application waits for an operator, in seconds.
        package var waitSeconds: Int64 = 7 * 86_400
        /// Applications that wait at a time.
        package var waitingMax = 100
        /// Whose statements are verified; with none, statements are kept as they come.
        package var statementIssuers: [StatementIssuer] = []
        package init() {}
    }

    /// Of a request, in bytes.
    static let bodyBytesMax = 64 * 1024

    private let rules: Rules
    private let registrations: any RegistrationDirectory
    private let audit: any AuditTrail
    private let keys: KeySetCache
    private let strangers: StrangerThrottle
    private let now: @Sendable () -> Int64
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameter now: microseconds since the epoch.
    package init(
        rules: Rules, registrations: any RegistrationDirectory, audit: any AuditTrail, outbound: any Outbound,
        now: @escaping @Sendable () -> Int64, randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.rules = rules
        self.registrations = registrations
        self.audit = audit
        self.now = now
        self.randomBytes = randomBytes
        keys = KeySetCache(outbound: outbound, now: now)
        strangers = StrangerThrottle(limits: StrangerLimits(burst: 20, perMinute: 1), now: now)
    }

    package var route: Route {
        Route(
            .post, "/oauth/register", operationID: "registerClient", access: .open, deadline: .seconds(60),
            oversizeAudit: OversizeAudit(.security, "client-registration")
        ) { try await answer($0) }
    }

    func answer(_ request: APIRequest) async throws -> Response {
        // Each is counted, also a good one: somebody has to read it.
        let address = StrangerThrottle.Key(address: request.sourceAddress)
        if let wait = strangers.refused(address).failure { throw wait }
        guard isAdmitted(request) else {
            try await audit.require(row(request, .minorFailure, nil, "no-initial-token"))
            throw HTTPFailure(
                .unauthenticated, "Registration needs an initial access token; ask the operator of this server",
                headers: [.wwwAuthenticate: "Bearer realm=\"registration\""])
        }
        do { return try await registered(request) } catch let refusal as RegistrationRequest.Refusal {
            try await audit.require(row(request, .minorFailure, nil, refusal.code.rawValue))
            var json = JSONText()
            json.object { json in
                json.member("error", refusal.code.rawValue)
                json.member("error_description", refusal.description)
            }
            return .bytes(
                json.bytes, contentType: "application/json", status: .badRequest, headers: OAuthRefusal.uncached)
        }
    }

    private func isAdmitted(_ request: APIRequest) -> Bool {
        guard let digest = rules.initialTokenDigest else { return true }
        let fields = request.headers[values: .authorization]
        guard fields.count == 1, fields[0].prefix(7).lowercased() == "bearer " else { return false }
        return ConstantTime.areEqual(SHA256.digest(fields[0].dropFirst(7).utf8), digest)
    }

    private func registered(_ request: APIRequest) async throws -> Response {
        guard try request.contentType()?.essence == "application/json" else {
            throw HTTPFailure(.unsupportedMediaType, "The body must be application/json")
        }
        let body = Array(try await request.collectBody(limit: Self.bodyBytesMax).readableBytesView)
        guard case .object(var members)? = JOSEValue(object: body) else {
            throw RegistrationRequest.Refusal(.metadata, "The body must be one JSON object without a member twice")
        }
        let (statement, issuer, claims) = try await statement(members["software_statement"])
        // What the publisher has signed counts more than what the application says. RFC 7591 §2.3.
        members.merge(claims) { $1 }
        let asked = try RegistrationRequest(.object(members))
        let time = now()
        let secret = [.basic, .post].contains(asked.method) ? Base64URL.encode(randomBytes(32)) : nil
        let client = Client(
            id: Base64URL.encode(randomBytes(16)), name: asked.name, jwks: asked.jwks, jwksURL: asked.jwksURL,
            scopes: asked.scopes.resources, launchScopes: asked.scopes.others, redirectURIs: asked.redirectURIs,
            secretDigest: secret.map(ClientSecret.digest), isPublic: asked.method == .none,
            identityAlgorithm: asked.algorithm, registeredAt: time, revokedAt: time)
        let isKept: Bool
        do {
            isKept = try await registrations.keep(
                ClientRegistration(
                    client: client, softwareStatement: statement, statementIssuer: issuer,
                    address: request.sourceAddress, expiresAt: time + rules.waitSeconds * 1_000_000),
                waitingMax: rules.waitingMax, at: time,
                recording: row(request, .success, client, "waits for an operator"))
        } catch let error as CancellationError { throw error } catch {
            throw HTTPFailure(.unavailable, "Nobody can be registered now; try again", headers: [.retryAfter: "5"])
        }
        guard isKept else {
            try await audit.require(row(request, .minorFailure, nil, "too-many-wait"))
            throw HTTPFailure(
                .unavailable, "Too many applications wait for an operator; try again later",
                headers: [.retryAfter: "3600"])
        }
        return answer(asked, client, secret: secret, statement: statement)
    }

    /// Members that a statement may add.
    private static let metadata: Set<String> = [
        "client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "scope", "jwks",
        "jwks_uri", "id_token_signed_response_alg",
    ]

    /// A statement with what it says, where its issuer is configured. RFC 7591 §2.3.
    private func statement(
        _ value: JOSEValue?
    ) async throws -> (text: String?, issuer: String?, claims: [String: JOSEValue]) {
        guard let value else { return (nil, nil, [:]) }
        guard let text = value.text, text.utf8.count <= RegistrationRequest.statementBytesMax,
            let claimed = IssuedToken.claimedIssuer(of: text)
        else { throw RegistrationRequest.Refusal(.statement, "software_statement must be a signed JWT with iss") }
        guard !rules.statementIssuers.isEmpty else { return (text, nil, [:]) }
        guard let issuer = rules.statementIssuers.first(where: { $0.issuer.utf8.elementsEqual(claimed.utf8) }) else {
            throw RegistrationRequest.Refusal(.unapproved, "The issuer of software_statement is not known here")
        }
        do {
            let token = try IssuedToken(text, algorithms: SignatureAlgorithm.allCases)
            let time = now() / 1_000_000
            if let expires = token.claims["exp"] {
                guard let seconds = expires.integer, seconds > time else { throw IssuedToken.Refusal.expired }
            }
            try IssuedToken.checkNotBefore(token.claims, now: time)
            try await token.verify(keys, at: issuer.keySetURL)
            guard case .object(let claims) = token.claims else { throw IssuedToken.Refusal.malformed }
            return (text, issuer.issuer, claims.filter { Self.metadata.contains($0.key) })
        } catch let refusal as IssuedToken.Refusal {
            if refusal == .noKey, await !keys.isAnswered(issuer.keySetURL) {
                throw HTTPFailure(
                    .unavailable, "The keys of the issuer of software_statement cannot be fetched now; try again",
                    headers: [.retryAfter: "60"])
            }
            throw RegistrationRequest.Refusal(
                .statement, "software_statement is not signed by its issuer, has expired or does not hold yet")
        }
    }

    /// RFC 7591 §3.2.1.
    private func answer(
        _ asked: RegistrationRequest, _ client: Client, secret: String?, statement: String?
    ) -> Response {
        var json = JSONText()
        json.object { json in
            json.member("client_id", client.id)
            json.member("client_id_issued_at", Int(client.registeredAt / 1_000_000))
            if let secret {
                json.member("client_secret", secret)
                json.member("client_secret_expires_at", 0)
            }
            json.member("client_name", asked.name)
            if !asked.redirectURIs.isEmpty { json.member("redirect_uris", asked.redirectURIs) }
            json.member("grant_types", asked.grantTypes)
            if !asked.redirectURIs.isEmpty { json.member("response_types", ["code"]) }
            json.member("token_endpoint_auth_method", asked.method.rawValue)
            json.member("scope", asked.scopes.text)
            if let url = asked.jwksURL { json.member("jwks_uri", url) }
            if let keys = asked.jwks { json.member("jwks", json: keys.utf8) }
            json.member("id_token_signed_response_alg", asked.algorithm.rawValue)
            if let statement { json.member("software_statement", statement) }
        }
        return .bytes(json.bytes, contentType: "application/json", status: .created, headers: OAuthRefusal.uncached)
    }

    private func row(
        _ request: APIRequest, _ outcome: AuditRecord.Outcome, _ client: Client?, _ detail: String
    ) -> AuditRecord {
        AuditRecord(
            category: .security, interaction: "client-registration", action: .create, outcome: outcome,
            access: request.access, entity: client.map { "client:" + $0.id }, detail: detail)
    }
}
