import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import SMARTAPI

/// Applications that wait, in memory.
private final class MemoryRegistrations: RegistrationDirectory {
    private let waiting = Mutex<[ClientRegistration]>([])
    private let decided = Mutex<[String: String]>([:])
    private let audit: any AuditTrail

    init(audit: any AuditTrail) { self.audit = audit }

    var decisions: [String: String] { decided.withLock(\.self) }
    func keep(
        _ registration: ClientRegistration, waitingMax: Int, at time: Int64, recording record: AuditRecord
    ) async throws -> Bool {
        let hasRoom = waiting.withLock { all in
            all.removeAll { $0.expiresAt <= time }
            return all.count < waitingMax
        }
        guard hasRoom else { return false }
        try await audit.record(record)
        waiting.withLock { $0.append(registration) }
        return true
    }
    func registration(clientID: String, at time: Int64) async throws -> ClientRegistration? {
        waiting.withLock { $0.first { $0.client.id == clientID && $0.expiresAt > time } }
    }
    func waiting(at time: Int64) async throws -> [ClientRegistration] {
        waiting.withLock { $0.filter { $0.expiresAt > time } }
    }
    func approve(clientID: String, scopes: GrantedScopes, at time: Int64) async throws -> Bool {
        take(clientID, "approved " + scopes.text)
    }
    func refuse(clientID: String, reason: String, at time: Int64) async throws -> Bool {
        take(clientID, "refused " + reason)
    }
    private func take(_ id: String, _ decision: String) -> Bool {
        let isThere = waiting.withLock { all in
            let count = all.count
            all.removeAll { $0.client.id == id }
            return all.count < count
        }
        if isThere { decided.withLock { $0[id] = decision } }
        return isThere
    }
}

private struct RegistrationFixture {
    static let app = #"""
        {"client_name":"Viewer","redirect_uris":["https://app.test/cb"],"token_endpoint_auth_method":"none",
        "grant_types":["authorization_code","refresh_token"],"response_types":["code"],
        "scope":"openid fhirUser launch/patient offline_access patient/*.rs","logo_uri":"https://app.test/logo"}
        """#

    let clock = ManualClock()
    let store = MemoryStore()
    let registrations: MemoryRegistrations
    let outbound = FakeOutbound()
    let responder: APIResponder

    init(_ change: (inout RegistrationEndpoint.Rules) -> Void = { _ in }) throws {
        let clock = clock
        registrations = MemoryRegistrations(audit: store)
        var rules = RegistrationEndpoint.Rules()
        change(&rules)
        let endpoint = RegistrationEndpoint(
            rules: rules, registrations: registrations, audit: store, outbound: outbound, now: { clock.now },
            randomBytes: RandomSource().bytes)
        responder = APIResponder(
            table: try RouteTable([
                RouteGroup(name: "smart", prefix: "/oauth", errorBody: OAuthErrorBody(), routes: [endpoint.route])
            ]),
            authenticator: BearerAuthenticator(tokens: NoTokens(), audit: store, realm: "x"), newRequestID: { "r" })
    }

    func register(
        _ body: String, type: String = "application/json", token: String? = nil, from address: String = "192.0.2.1"
    ) async throws -> CollectedResponse {
        var headers: HTTPFields = [.contentType: type]
        if let token { headers[.authorization] = token }
        return try await responder.answer(
            .post, "/oauth/register", headers: headers, body: Array(body.utf8), sourceAddress: address)
    }

    func waiting() async throws -> [ClientRegistration] { try await registrations.waiting(at: clock.now) }
}

/// RFC 7591; OpenID Connect Dynamic Client Registration 1.0; RFC 9700 §2.1, §4.1.
@Suite(.takingTurns) struct RegistrationTests {
    @Test("RFC 7591 §3.2.1: an application is told its id, and is revoked until an operator has approved it")
    func registered() async throws {
        let fixture = try RegistrationFixture()
        let answer = try await fixture.register(RegistrationFixture.app)
        #expect(answer.status == 201)
        #expect(answer[.cacheControl] == "no-store")
        let json = try #require(answer.json)
        #expect(json["client_id"]?.text?.utf8.count == 22)
        #expect(json["client_secret"] == nil)
        #expect(json["scope"]?.text == "openid fhirUser launch/patient offline_access patient/*.rs")
        #expect(json["id_token_signed_response_alg"]?.text == "RS256")
        #expect(json["logo_uri"] == nil)
        let waiting = try #require(try await fixture.waiting().first)
        #expect(waiting.client.id == json["client_id"]?.text)
        #expect(waiting.client.revokedAt != nil)
        #expect(waiting.client.isPublic)
        #expect(waiting.address == "192.0.2.1")
        #expect(fixture.store.records.map(\.interaction) == ["client-registration"])
        #expect(fixture.store.records.first?.principal.kind == .anonymous)
    }

    @Test("RFC 7591 §2: a secret is made here and kept as its digest; a backend service has keys and system/ scopes")
    func kinds() async throws {
        let fixture = try RegistrationFixture()
        let secret = try await fixture.register(
            RegistrationFixture.app.replacing("\"none\"", with: "\"client_secret_basic\""))
        let text = try #require(secret.json?["client_secret"]?.text)
        #expect(text.utf8.count == 43)
        #expect(secret.json?["client_secret_expires_at"]?.integer == 0)
        let key = try ClientKey.es384()
        let service = try await fixture.register(
            #"{"client_name":"S","grant_types":["client_credentials"],"token_endpoint_auth_method":"private_key_jwt","#
                + #""jwks":{"keys":[\#(key.jwk)]},"scope":"openid patient/*.rs system/*.rs"}"#)
        #expect(service.status == 201)
        #expect(service.json?["scope"]?.text == "system/*.rs")
        let waiting = try await fixture.waiting()
        #expect(waiting.map(\.client.secretDigest) == [ClientSecret.digest(text), nil])
        let keys = try KeySet(Array((waiting[1].client.jwks ?? "").utf8))
        #expect(keys.key(id: "k1", for: .es384) != nil)
        // RFC 7591 §3.2.1: all that is registered is told.
        #expect(service.json?["jwks"] == JOSEValue(object: Array((waiting[1].client.jwks ?? "").utf8)))
        #expect(service.json?["jwks"] != nil && secret.json?["jwks"] == nil)
    }

    /// Each is one change of a good request by text, and the error.
    private static let refusals: [(from: String, to: String, error: String)] = [
        ("https://app.test/cb", "http://app.test/cb", "invalid_redirect_uri"),
        ("https://app.test/cb", "https://app.test/cb#x", "invalid_redirect_uri"),
        ("https://app.test/cb", "javascript:alert(1)", "invalid_redirect_uri"),
        ("https://app.test/cb", "https://*.test/cb", "invalid_redirect_uri"),
        ("https://app.test/cb", "https://u@app.test/cb", "invalid_redirect_uri"),
        ("https://app.test/cb", "data:text/html,x", "invalid_redirect_uri"),
        ("[\"https://app.test/cb\"]", "[]", "invalid_redirect_uri"),
        ("[\"https://app.test/cb\"]", "\"https://app.test/cb\"", "invalid_redirect_uri"),
        ("[\"https://app.test/cb\"]", "[\"https://a.test\",\"https://a.test\"]", "invalid_redirect_uri"),
        ("\"Viewer\"", "\"\"", "invalid_client_metadata"), ("\"Viewer\"", "7", "invalid_client_metadata"),
        ("\"Viewer\"", "\"Vie\\u202ewer\"", "invalid_client_metadata"),
        ("\"Viewer\"", "\"a\\nb\"", "invalid_client_metadata"),
        ("\"authorization_code\",", "\"implicit\",", "invalid_client_metadata"),
        ("\"authorization_code\",", "\"authorization_code\",\"client_credentials\",", "invalid_client_metadata"),
        ("\"authorization_code\",", "", "invalid_client_metadata"),
        ("[\"code\"]", "[\"token\"]", "invalid_client_metadata"),
        ("\"none\"", "\"tls_client_auth\"", "invalid_client_metadata"),
        ("\"none\"", "\"private_key_jwt\"", "invalid_client_metadata"),
        ("\"none\"", "\"none\",\"jwks_uri\":\"https://app.test/keys\"", "invalid_client_metadata"),
        ("\"none\"", "\"private_key_jwt\",\"jwks_uri\":\"http://app.test/keys\"", "invalid_client_metadata"),
        ("\"none\"", "\"private_key_jwt\",\"jwks\":{\"keys\":[]}", "invalid_client_metadata"),
        ("\"none\"", "\"none\",\"id_token_signed_response_alg\":\"none\"", "invalid_client_metadata"),
        ("openid fhirUser launch/patient offline_access patient/*.rs", "system/*.cruds", "invalid_client_metadata"),
        ("openid fhirUser launch/patient offline_access patient/*.rs", "", "invalid_client_metadata"),
        ("{\"client_name\"", "{\"client_name\":\"a\",\"client_name\"", "invalid_client_metadata"),
        ("{\"client_name\"", "[{\"client_name\"", "invalid_client_metadata"),
        ("\"none\"", "\"none\",\"software_statement\":\"x\"", "invalid_software_statement"),
    ]

    @Test(
        "RFC 7591 §3.2.2: what cannot be meant is refused with its error, and nobody waits", arguments: refusals.indices
    )
    func refused(index: Int) async throws {
        let (from, to, error) = Self.refusals[index]
        let fixture = try RegistrationFixture()
        #expect(RegistrationFixture.app.contains(from))
        let answer = try await fixture.register(RegistrationFixture.app.replacing(from, with: to))
        #expect(answer.status == 400)
        #expect(answer.error == error)
        #expect(try await fixture.waiting().isEmpty)
        #expect(fixture.store.records.map(\.detail) == [error])
    }

    @Test("Bodies that are too long or no JSON, and too many of an address or in all, are refused")
    func bounds() async throws {
        let fixture = try RegistrationFixture { $0.waitingMax = 2 }
        #expect(try await fixture.register(RegistrationFixture.app, type: "text/plain").status == 415)
        let long = RegistrationFixture.app.replacing("Viewer", with: String(repeating: "a", count: 70_000))
        #expect(try await fixture.register(long).status == 413)
        let scopes = (0..<21).map { "patient/Type\(String(repeating: "x", count: $0)).rs" }.joined(separator: " ")
        let many = RegistrationFixture.app.replacing("patient/*.rs", with: scopes)
        #expect(try await fixture.register(many).error == "invalid_client_metadata")
        for _ in 0..<2 { #expect(try await fixture.register(RegistrationFixture.app).status == 201) }
        #expect(fixture.store.records.last?.outcome == .success)
        #expect(try await fixture.register(RegistrationFixture.app).status == 503)
        // Of who was turned away no row says that they wait.
        #expect(fixture.store.records.count { $0.outcome == .success } == 2)
        #expect(fixture.store.records.last?.detail == "too-many-wait")
        // A week later there is room again.
        fixture.clock.advance(seconds: 7 * 86_400 + 1)
        #expect(try await fixture.register(RegistrationFixture.app).status == 201)
        let other = try RegistrationFixture()
        var statuses: [Int] = []
        for _ in 0..<21 { statuses.append(try await other.register(RegistrationFixture.app).status) }
        #expect(statuses.prefix(20).allSatisfy { $0 == 201 })
        #expect(statuses.last == 429)
        #expect(try await other.register(RegistrationFixture.app, from: "198.51.100.1").status == 201)
    }

    @Test("RFC 7591 §3: where an initial access token is demanded, nobody is heard without it")
    func initialToken() async throws {
        let fixture = try RegistrationFixture { $0.initialTokenDigest = SHA256.digest("secret".utf8) }
        for token in [nil, "Bearer other", "Basic secret", "Bearer secret2", "Bearer "] as [String?] {
            let answer = try await fixture.register(RegistrationFixture.app, token: token)
            #expect(answer.status == 401)
            #expect(answer[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        }
        #expect(try await fixture.register(RegistrationFixture.app, token: "bearer secret").status == 201)
    }

    @Test("RFC 7591 §2.3: a statement counts when its issuer is configured and has signed it, and is kept as it came")
    func statements() async throws {
        let key = try IssuerKey()
        let plain = try RegistrationFixture()
        let fixture = try RegistrationFixture {
            $0.statementIssuers = [.init(issuer: "https://pub.test", keySetURL: "https://pub.test/keys")]
        }
        fixture.outbound.serve("{\"keys\":[\(try key.jwk)]}")
        func body(_ statement: String) -> String {
            RegistrationFixture.app.replacing("\"none\"", with: "\"none\",\"software_statement\":\"\(statement)\"")
        }
        func statement(_ changes: [String: String?] = [:], key signer: IssuerKey? = nil) throws -> String {
            var claims: [String: String?] = ["iss": "\"https://pub.test\"", "client_name": "\"Signed\""]
            claims.merge(changes) { $1 }
            return try (signer ?? key).token(claims: claims)
        }
        let good = try statement()
        let answer = try await fixture.register(body(good))
        #expect(answer.status == 201)
        #expect(answer.json?["client_name"]?.text == "Signed")
        #expect(answer.json?["software_statement"]?.text == good)
        let kept = try #require(try await fixture.waiting().first)
        #expect(kept.softwareStatement == good)
        #expect(kept.statementIssuer == "https://pub.test")
        for (text, error) in [
            (try statement(["iss": "\"https://evil.test\""]), "unapproved_software_statement"),
            (try statement(key: IssuerKey()), "invalid_software_statement"),
            (try statement(["exp": "1"]), "invalid_software_statement"),
            (try statement(["nbf": "9999999999"]), "invalid_software_statement"),
            (try statement(["nbf": "\"1\""]), "invalid_software_statement"),
            // What is signed is judged as what is said.
            (try statement(["redirect_uris": "[\"javascript:x\"]"]), "invalid_redirect_uri"),
        ] {
            #expect(try await fixture.register(body(text)).error == error)
        }
        // While its keys cannot be fetched nobody knows.
        fixture.outbound.serve("", fails: true)
        fixture.clock.advance(seconds: 301)
        #expect(try await fixture.register(body(good)).status == 503)
        // Where nobody is configured it is kept, and changes nothing.
        #expect(try await plain.register(body(good)).json?["client_name"]?.text == "Viewer")
        #expect(try await plain.waiting().first?.statementIssuer == nil)
    }

    // MARK: The operator

    @Test("An operator reads what is asked in words, approves a part of it, or refuses with a reason; nobody else may")
    func decided() async throws {
        let registrations = MemoryRegistrations(audit: MemoryStore())
        try await PeopleFixture.with(registrations: registrations) { fixture in
            let scopes = GrantedScopes("openid patient/*.rs user/*.cruds")
            for id in ["one", "two"] {
                _ = try await registrations.keep(
                    ClientRegistration(
                        client: Client(
                            id: id, name: "App <\(id)>", jwks: nil, jwksURL: nil, scopes: scopes.resources,
                            launchScopes: scopes.others, redirectURIs: ["https://app.test/cb?a=<b>"], isPublic: true,
                            registeredAt: fixture.clock.now),
                        softwareStatement: nil, statementIssuer: nil, address: "192.0.2.7",
                        expiresAt: fixture.clock.now + 86_400_000_000), waitingMax: 10, at: fixture.clock.now,
                    recording: AuditRecord(
                        category: .security, interaction: "client-registration", action: .create, outcome: .success,
                        access: .server(requestID: "t")))
            }
            try await fixture.add("anna")
            let anna = fixture.browser()
            try await anna.signIn("anna")
            try await anna.get("/account/clients/waiting/one")
            #expect(anna.status == 404)
            try await anna.post("/account/clients/waiting/one/approve", ["keep-0": "yes"])
            #expect(anna.status >= 403)

            try await fixture.add("olga", .operator)
            let olga = fixture.browser(from: "198.51.100.1")
            try await olga.signIn("olga")
            try await olga.get("/account/enrolment")
            _ = try await olga.enrol()
            try await olga.get("/account/clients")
            #expect(olga.text.contains("App &lt;one&gt;"))
            #expect(olga.text.contains("/account/clients/waiting/one"))
            try await olga.get("/account/clients/waiting/one")
            #expect(olga.status == 200)
            for words in [
                "See and search all health records of this patient", "https://app.test/cb?a=&lt;b&gt;",
                "It can keep no secret", "Know who you are",
            ] { #expect(olga.text.contains(words), "\(words)") }
            // Without a tick nothing is approved, without a reason nothing refused.
            try await olga.post("/account/clients/waiting/one/approve", [:])
            #expect(olga.status == 400)
            try await olga.post("/account/clients/waiting/one/refuse", ["reason": " "])
            #expect(olga.status == 400)
            #expect(registrations.decisions.isEmpty)
            try await olga.post("/account/clients/waiting/one/approve", ["keep-1": "yes", "keep-9": "yes"])
            #expect(olga.status == 303)
            #expect(registrations.decisions["one"] == "approved patient/*.rs")
            try await olga.get("/account/clients/waiting/two")
            try await olga.post("/account/clients/waiting/two/approve", ["keep-0": "yes"], token: "x")
            #expect(olga.status == 403)
            try await olga.get("/account/clients/waiting/two")
            try await olga.post("/account/clients/waiting/two/refuse", ["reason": "not ours"])
            #expect(registrations.decisions["two"] == "refused not ours")
            try await olga.get("/account/clients/waiting/two")
            #expect(olga.status == 404)
            let rows = fixture.store.records.filter { $0.interaction.hasPrefix("client-") }
            #expect(rows.map(\.interaction) == ["client-approve", "client-refuse"])
            #expect(rows.map(\.entity) == ["client:one", "client:two"])
            #expect(rows.map(\.detail) == ["patient/*.rs", "not ours"])
        }
    }
}
