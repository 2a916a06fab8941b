import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes

@testable import SMARTAPI

/// The SMART routes with launched applications, people and an EHR, everything around them in memory.
struct LaunchFixture {
    static let base = "https://hilum.test"
    static let hookIssuer = "https://ehr.test"
    static let redirectURI = "https://app.test/cb"
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    /// RFC 7636 Appendix B.
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    static let secret = "s3cret s3cret+&%:"

    let clock = ManualClock()
    let store = MemoryStore()
    let authorizations = MemoryAuthorizations()
    let sessions = MemorySessions()
    let consents: MemoryConsents
    let responder: APIResponder
    let serverKey: ServerKey
    let identityKey: IdentityKey
    let clientKey: ClientKey
    let verifier: TokenVerifier

    /// - Parameter consentDays: how long what a person agreed to is remembered.
    init(
        givesOnlineAccess: Bool = true, strangers limits: StrangerLimits? = nil, consentDays: Int64 = 0,
        own: ConsentPolicy.OwnApplication? = nil
    ) async throws {
        let clock = self.clock
        consents = MemoryConsents(store)
        let now: @Sendable () -> Int64 = { clock.now }
        serverKey = try ServerKey.generated()
        identityKey = try IdentityKey(pem: testRSAKey)
        clientKey = try ClientKey.es384()
        let all =
            "launch launch/patient launch/encounter launch/imagingstudy openid fhirUser offline_access online_access "
            + "patient/*.rs patient/*.read user/*.rs user/Task.c"
        for (id, isPublic, digest) in [
            ("public", true, nil), ("secret", false, ClientSecret.digest(Self.secret)), ("key", false, nil),
            ("other", true, nil), ("rsa", true, nil),
        ] as [(String, Bool, [UInt8]?)] {
            let scopes = GrantedScopes(all)
            try await store.save(
                Client(
                    id: id, name: "App <\(id)>", jwks: id == "key" ? #"{"keys":[\#(clientKey.jwk)]}"# : nil,
                    jwksURL: nil, scopes: scopes.resources, launchScopes: scopes.others,
                    redirectURIs: [Self.redirectURI, "com.example.app:/cb"],
                    launchURL: "https://app.test/launch", secretDigest: digest, isPublic: isPublic,
                    identityAlgorithm: id == "rsa" ? .rs256 : .es256, registeredAt: 0))
        }
        try await store.save(
            Client(
                id: "ehr", name: "EHR", jwks: nil, jwksURL: nil, scopes: [Scope("system/*.rs")].compactMap { $0 },
                secretDigest: ClientSecret.digest(Self.secret), registeredAt: 0))

        try await store.save(
            Client(
                id: "hooks", name: "EHR's hooks", jwks: #"{"keys":[\#(clientKey.jwk)]}"#, jwksURL: nil,
                scopes: ["system/Patient.rs", "system/ImagingStudy.rs"].compactMap { Scope($0) }, registeredAt: 0))

        let configuration = SMARTConfiguration(baseURL: Self.base)
        let random = RandomSource().bytes
        let issuer = TokenIssuer(
            key: serverKey, identityKey: identityKey, issuer: configuration.baseURL,
            audience: configuration.fhirBaseURL, now: now,
            randomBytes: random)
        verifier = TokenVerifier(
            keys: [serverKey], issuer: configuration.baseURL, audience: configuration.fhirBaseURL, clients: store,
            authorizations: authorizations, now: now)
        let exchange = GrantExchange(
            authorizations: authorizations, sessions: givesOnlineAccess ? sessions : nil, issuer: issuer,
            verifier: verifier, now: now, randomBytes: random)
        let endpoint = TokenEndpoint(
            authenticator: ClientAuthenticator(
                clients: store, ledger: store, keys: KeySetCache(outbound: FakeOutbound(), now: now),
                tokenEndpoint: configuration.tokenEndpoint, now: now),
            issuer: issuer, audit: store, exchange: exchange,
            strangers: limits.map { StrangerThrottle(limits: $0, now: now) })
        let launch = AppLaunch(
            authorization: AuthorizationEndpoint(
                configuration: configuration, clients: store, sessions: sessions, authorizations: authorizations,
                subjects: MemorySubjects(), audit: store, givesOnlineAccess: givesOnlineAccess,
                consents: ConsentPolicy(directory: consents, days: consentDays, own: own), now: now,
                randomBytes: random),
            exchange: exchange)
        let launches = LaunchRoutes(
            configuration: configuration, clients: store, authorizations: authorizations, subjects: MemorySubjects(),
            patients: MemorySubjects(), audit: store, now: now, randomBytes: random)
        responder = APIResponder(
            table: try RouteTable([
                SMARTRoutes(
                    configuration: configuration, endpoint: endpoint, launch: launch, keys: [serverKey],
                    identityKey: identityKey, scopes: ["system/*.rs"]
                ).group, launches.group,
                CDSHooksRoutes(
                    configuration: configuration,
                    hooks: CDSHooksConfiguration(
                        clients: [Self.hookIssuer: "hooks", "https://gone.test": "nobody"], applicationID: "public"),
                    endpoint: endpoint, authorizations: authorizations, subjects: MemorySubjects(),
                    patients: MemorySubjects(), studies: MemorySubjects(), now: now, randomBytes: random
                ).group,
            ]),
            authenticator: BearerAuthenticator(tokens: verifier, audit: store, realm: configuration.fhirBaseURL),
            newRequestID: { "test" })
        let signedInAt = clock.now / 1000 - 60_000
        func person(_ id: String, _ role: SignedInPerson.Role, _ user: String?, _ patients: [String]) {
            sessions.set(
                id,
                SignedInPerson(
                    accountID: "account-" + id, role: role, displayName: "Name \"\(id)\"", fhirUser: user,
                    patientIDs: patients, sessionID: "session-" + id, signedInAt: signedInAt))
        }
        person("doctor", .referrer, "Practitioner/d", [])
        person("ann", .patient, "Patient/p1", ["p1"])
        person("desk", .operator, nil, [])
    }

    /// The parameters of a good request, changed; a nil value leaves one out.
    static func parameters(_ changes: [String: String?] = [:], client: String = "public") -> [(String, String)] {
        var values: [String: String?] = [
            "response_type": "code", "client_id": client, "redirect_uri": redirectURI,
            "scope": "openid fhirUser launch/patient patient/*.rs", "state": "st&=+ate", "aud": base + "/fhir",
            "code_challenge": challenge, "code_challenge_method": "S256", "nonce": "n-1",
        ]
        values.merge(changes) { $1 }
        return values.sorted { $0.key < $1.key }.compactMap { name, value in value.map { (name, $0) } }
    }

    static func encoded(_ fields: [(String, String)]) -> String {
        fields.map { $0 + "=" + PercentCoding.encoded($1) }.joined(separator: "&")
    }

    func authorize(_ fields: [(String, String)], as cookie: String? = "ann") async throws -> CollectedResponse {
        try await responder.answer(
            .get, "/auth/authorize?" + Self.encoded(fields), headers: cookie.map { [.cookie: $0] } ?? [:])
    }

    /// Answers as the page's form would, with all scopes of the request kept.
    func consent(
        _ fields: [(String, String)], as cookie: String? = "ann", csrf: String? = nil, keep: [String]? = nil,
        patient: String? = nil, decision: String = "allow", remembers: Bool = false, more: [(String, String)] = []
    ) async throws -> CollectedResponse {
        var form = fields + more
        if remembers { form.append(("remember", "yes")) }
        form.append(("csrf", csrf ?? "csrf-session-" + (cookie ?? "")))
        form.append(("decision", decision))
        let scope = fields.first { $0.0 == "scope" }?.1 ?? ""
        for word in keep ?? scope.split(separator: " ").map(String.init) { form.append(("keep", word)) }
        if let patient { form.append(("patient", patient)) }
        return try await post("/auth/consent", form, cookie: cookie)
    }

    func post(
        _ path: String, _ form: [(String, String)], cookie: String? = nil, authorization: String? = nil,
        from address: String? = nil
    ) async throws -> CollectedResponse {
        var headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        if let cookie { headers[.cookie] = cookie }
        if let authorization { headers[.authorization] = authorization }
        return try await responder.answer(
            .post, path, headers: headers, body: Array(Self.encoded(form).utf8), sourceAddress: address)
    }

    /// The code of one whole authorization.
    func code(
        _ changes: [String: String?] = [:], client: String = "public", as cookie: String = "ann",
        patient: String? = "p1"
    ) async throws -> String {
        let answer = try await consent(Self.parameters(changes, client: client), as: cookie, patient: patient)
        return try requiredValue(answer.parameter("code"))
    }

    func exchange(
        _ code: String, client: String = "public", verifier: String? = LaunchFixture.verifier,
        redirectURI: String = LaunchFixture.redirectURI, more: [(String, String)] = [], authorization: String? = nil,
        from address: String? = nil
    ) async throws -> CollectedResponse {
        var form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI)]
        if let verifier { form.append(("code_verifier", verifier)) }
        if authorization == nil { form.append(("client_id", client)) }
        return try await post("/oauth/token", form + more, authorization: authorization, from: address)
    }

    func refresh(
        _ token: String, client: String = "public", scope: String? = nil
    ) async throws -> CollectedResponse {
        var form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client)]
        if let scope { form.append(("scope", scope)) }
        return try await post("/oauth/token", form)
    }

    /// The rights of a token; nil for one that does not work.
    func access(_ token: String?) async throws -> AccessContext? {
        try await verifier.accessContext(bearerToken: token ?? "", requestID: "t", sourceAddress: nil)
    }

    static func basic(_ id: String, _ secret: String) -> String {
        "Basic " + Base64.encode((PercentCoding.encoded(id) + ":" + PercentCoding.encoded(secret)).utf8)
    }

    func assertion(_ claims: [String: String] = [:]) throws -> [(String, String)] {
        var body = [
            "iss": "\"key\"", "sub": "\"key\"", "aud": "\"\(Self.base)/oauth/token\"", "exp": "\(clock.seconds + 300)",
            "jti": "\"\(UInt64.random(in: 0 ... .max))\"",
        ]
        body.merge(claims) { $1 }
        let text = "{" + body.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
        let signed = try clientKey.sign(header: #"{"alg":"ES384","typ":"JWT","kid":"k1"}"#, claims: text)
        return [("client_assertion_type", TokenEndpoint.assertionType), ("client_assertion", signed)]
    }

    /// A handle that the EHR has made.
    func prepare(_ json: String, scopes: String = "system/*.rs") async throws -> CollectedResponse {
        let now = clock.seconds
        let claims = AccessToken(
            clientID: "ehr", scopes: GrantedScopes(scopes), identifier: "x", issuedAt: now, expires: now + 60)
        let token = try claims.signed(by: serverKey, issuer: Self.base, audience: Self.base + "/fhir")
        return try await responder.answer(
            .post, "/ops/launches", headers: [.contentType: "application/json", .authorization: "Bearer " + token],
            body: Array(json.utf8))
    }

    /// Details of the audit rows of an interaction.
    func details(_ interaction: String) -> [String?] {
        store.records.filter { $0.interaction == interaction }.map(\.detail)
    }
}

extension CollectedResponse {
    /// The address that a redirect leads to, without its query.
    var target: String? { self[.location].map { String($0.prefix { $0 != "?" }) } }
    /// A parameter of the address that a redirect leads to.
    func parameter(_ name: String) -> String? {
        guard let location = self[.location], let mark = location.firstIndex(of: "?") else { return nil }
        return (try? QueryParameters(String(location[location.index(after: mark)...])))?[name]
    }
    /// The claims of a member that is a token.
    func claims(_ member: String) -> JOSEValue? {
        guard let parts = json?[member]?.text?.split(separator: "."), parts.count == 3 else { return nil }
        return Base64URL.decode(parts[1].utf8).flatMap { JOSEValue(object: $0) }
    }
}
