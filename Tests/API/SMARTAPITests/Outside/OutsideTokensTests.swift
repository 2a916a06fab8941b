import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Hummingbird
import Synchronization
import TestSupport
import Testing

@testable import SMARTAPI

/// A resource server that takes its own tokens, and those of two outside servers: one that signs and one that is asked.
private struct TokensFixture {
    static let base = "https://hilum.test"
    static let signing = "https://ehr.test/auth"
    static let asked = "https://ask.test"

    let clock = ManualClock()
    let store = MemoryStore()
    let directory = MemoryPeople()
    let identities = MemoryIdentities()
    let server = OutsideServerDouble()
    /// Counts what this server revokes.
    let revoking = MemoryAuthorizations()
    let key: IssuerKey
    let ownKey: ServerKey
    let tokens: OutsideTokens
    let responder: APIResponder

    private struct Numbers: PatientIdentifiers {
        func patientID(system: String, value: String) async throws -> String? {
            system == "urn:mrn" && value == "123" ? "p1" : nil
        }
    }

    init(patientSystem: String? = nil, keepSeconds: Int64 = 30, needsAudience: Bool = true) throws {
        let clock = clock
        let now: @Sendable () -> Int64 = { clock.now }
        identities.attach(directory)
        key = try IssuerKey()
        ownKey = try ServerKey.generated()
        let own = TokenVerifier(
            keys: [ownKey], issuer: Self.base, audience: Self.base + "/fhir", clients: store, now: now)
        let ceiling = ["patient/*.rs", "user/ImagingStudy.r"].compactMap { Scope($0) }
        var first = OutsideServer(
            issuer: Self.signing,
            means: .signature(keySetURL: "https://ehr.test/keys", algorithms: [.es256], lifetimeMax: 3600),
            audience: Self.base + "/fhir", ceiling: ceiling, fhirUserBase: Self.base + "/fhir")
        first.patientSystem = patientSystem
        var second = OutsideServer(
            issuer: Self.asked,
            means: .introspection(
                url: "https://ask.test/introspect", client: OutsideClient(id: "us", proof: .secret("s")),
                keepSeconds: keepSeconds), audience: Self.base + "/fhir", ceiling: ceiling,
            fhirUserBase: Self.base + "/fhir")
        second.needsAudience = needsAudience
        server.document("https://ehr.test/keys", "{\"keys\":[\(try key.jwk)]}")
        let revoking = revoking
        tokens = OutsideTokens(
            own: own, servers: [first, second], identities: identities, accounts: directory, patients: Numbers(),
            outbound: server, revocations: { revoking.revocations }, now: now, randomBytes: RandomSource().bytes)
        let group = RouteGroup(
            name: "fhir", prefix: "/fhir", errorBody: OAuthErrorBody(),
            routes: [
                Route(
                    .get, "/fhir/{type}", operationID: "search",
                    access: .bearer(.permissionOnParameter(.search, parameter: "type"))
                ) { request in
                    .bytes(
                        Array((request.access.principal.id + " " + (request.access.patient ?? "-")).utf8),
                        contentType: "text/plain")
                },
                Route(.get, "/ops/anything", operationID: "ops", access: .bearer(.anyToken)) { _ in .empty(.ok) },
            ])
        responder = APIResponder(
            table: try RouteTable([group]),
            authenticator: BearerAuthenticator(tokens: tokens, audit: store, realm: Self.base + "/fhir"),
            newRequestID: { "r" })
    }

    /// A good token, changed; values are JSON text.
    func token(
        _ changes: [String: String?] = [:], header: [String: String?] = [:], key: IssuerKey? = nil
    ) throws -> String {
        var claims: [String: String?] = [
            "iss": "\"\(Self.signing)\"", "aud": "\"\(Self.base)/fhir\"", "sub": "\"u1\"", "client_id": "\"viewer\"",
            "jti": "\"j1\"", "iat": "\(clock.seconds)", "exp": "\(clock.seconds + 300)",
            "scope": "\"openid patient/*.read\"", "patient": "\"p1\"",
        ]
        claims.merge(changes) { $1 }
        return try (key ?? self.key).token(
            header: ["typ": "\"at+jwt\""].merging(header) { $1 }, claims: claims)
    }

    func get(_ path: String, _ token: String, from address: String = "192.0.2.9") async throws -> CollectedResponse {
        try await responder.answer(
            .get, path, headers: [.authorization: "Bearer " + token], sourceAddress: address)
    }

    /// Nil for a token that is refused, for whatever reason.
    func context(_ token: String) async throws -> AccessContext? {
        do {
            return try await tokens.accessContext(bearerToken: token, requestID: "r", sourceAddress: "192.0.2.9")
        } catch is TokenRefusal { return nil }
    }

    /// The other server's answers by token: the members beside `active`.
    func answer(_ answers: [String: [String: String?]]) {
        server.answer { _, fields in
            guard let members = answers[fields["token"] ?? ""] else { return (200, #"{"active":false}"#) }
            return (200, IssuerKey.json(["active": "true"].merging(members) { $1 }))
        }
    }
}

/// RFC 9068 §4; RFC 7662; RFC 8725; SMART Imaging Access.
@Suite(.takingTurns) struct OutsideTokensTests {
    @Test("RFC 9068: a token of a configured server is taken, audited by issuer, person and client, within its ceiling")
    func signed() async throws {
        let fixture = try TokensFixture()
        let token = try fixture.token(["scope": "\"openid patient/*.read system/*.cruds user/*.cruds\""])
        let answer = try await fixture.get("/fhir/ImagingStudy", token)
        #expect(answer.status == 200)
        #expect(answer.text == "https://ehr.test/auth|u1|viewer p1")
        let access = try #require(try await fixture.context(token))
        #expect(Set(access.scopes.map(\.text)) == ["patient/*.read", "user/ImagingStudy.r"])
        #expect(access.principal.kind == .person)
        #expect(access.tokenID == "j1")
        #expect(access.issuer == TokensFixture.signing)
        // Asked once for the keys, however often the token comes.
        #expect(fixture.server.fetched == ["https://ehr.test/keys"])
        #expect(
            fixture.tokens.rememberedContext(bearerToken: token, requestID: "r", sourceAddress: nil)?.principal
                == access.principal)
    }

    @Test("An outside token opens FHIR and DICOMweb alone")
    func elsewhere() async throws {
        let fixture = try TokensFixture()
        #expect(try await fixture.get("/ops/anything", try fixture.token()).status == 403)
    }

    /// Each is one change of a good token.
    private static let hostileTokens: [(claims: [String: String?], header: [String: String?])] = [
        (["iss": "\"https://evil.test\""], [:]), (["iss": "\"https://ehr.test/auth/\""], [:]), (["iss": nil], [:]),
        (["aud": "\"https://hilum.test\""], [:]), (["aud": "\"https://hilum.test/fhir/\""], [:]),
        (["aud": nil], [:]), (["aud": "[\"https://hilum.test/fhir\",7]"], [:]), (["exp": "1"], [:]),
        (["exp": nil], [:]), (["exp": "999999999999999"], [:]), (["nbf": "9999999999"], [:]),
        (["iat": "9999999999"], [:]), (["client_id": nil], [:]), (["jti": nil], [:]), (["sub": nil], [:]),
        ([:], ["typ": "\"JWT\""]), ([:], ["typ": nil]), ([:], ["alg": "\"none\""]), ([:], ["alg": "\"HS256\""]),
        ([:], ["alg": "\"RS256\""]), ([:], ["kid": "\"x\""]), ([:], ["crit": "[]"]),
        ([:], ["jku": "\"https://evil.test\""]), ([:], ["jwk": "{}"]),
    ]

    @Test("RFC 9068 §4, RFC 8725: a token with any one thing wrong is none", arguments: hostileTokens.indices)
    func hostile(index: Int) async throws {
        let fixture = try TokensFixture()
        let token = try fixture.token(Self.hostileTokens[index].claims, header: Self.hostileTokens[index].header)
        let answer = try await fixture.get("/fhir/ImagingStudy", token)
        // Of who names nobody the server that is asked does not answer here.
        #expect(answer.status == (Self.hostileTokens[index].claims["iss"] == .some(nil) ? 503 : 401))
        #expect(!fixture.server.fetched.contains { $0.contains("evil") })
    }

    @Test("An issuer that is not configured costs nothing: nobody is asked and nothing fetched")
    func unknownIssuer() async throws {
        let fixture = try TokensFixture()
        for issuer in ["https://evil.test", "http://169.254.169.254", "https://ehr.test/auth#", ""] {
            let token = try fixture.token(["iss": "\"\(issuer)\""], header: ["jku": "\"https://evil.test\""])
            #expect(try await fixture.get("/fhir/ImagingStudy", token).status == 401)
        }
        #expect(fixture.server.fetched.isEmpty)
        #expect(fixture.server.posted.isEmpty)
    }

    @Test("One server's key signs nothing of another's, and nothing of this server's")
    func impersonation() async throws {
        let fixture = try TokensFixture()
        let stranger = try IssuerKey()
        #expect(try await fixture.context(try fixture.token(key: stranger)) == nil)
        // In the name of the server that is asked: its answer counts, not the signature.
        fixture.answer([:])
        #expect(try await fixture.context(try fixture.token(["iss": "\"\(TokensFixture.asked)\""])) == nil)
        #expect(fixture.server.posted.count == 1)
        #expect(try await fixture.context(try fixture.token(["iss": "\"\(TokensFixture.base)\""])) == nil)
        // The same subject and client of two servers are two people.
        let one = OutsidePrincipal.principal(issuer: "https://a.test", subject: "x", clientID: "c")
        for (issuer, subject, client) in [
            ("https://b.test", "x", "c"), ("https://a.test", "x|c", "c"), ("https://a.test", "x%7Cc", "c"),
            ("https://a.test", "x", "c|c"),
        ] {
            #expect(OutsidePrincipal.principal(issuer: issuer, subject: subject, clientID: client).id != one.id)
        }
        #expect(
            OutsidePrincipal.principal(issuer: "https://a.test", subject: nil, clientID: "x|c")
                != OutsidePrincipal.principal(issuer: "https://a.test", subject: "x", clientID: "c"))
    }

    @Test("A client by itself is audited by issuer and client, and a patient scope without a patient shows nothing")
    func client() async throws {
        let fixture = try TokensFixture()
        let token = try fixture.token(["sub": "\"viewer\"", "patient": nil])
        let access = try #require(try await fixture.context(token))
        #expect(access.principal == Principal(kind: .client, id: "https://ehr.test/auth|viewer", name: "viewer"))
        #expect(access.patient == nil)
        #expect(!access.allows(.read, on: "ImagingStudy"))
        #expect(try await fixture.get("/fhir/ImagingStudy", token).status == 403)
    }

    @Test("The patient in context is found by the number that the other server has, and is nobody for another number")
    func patients() async throws {
        let fixture = try TokensFixture(patientSystem: "urn:mrn")
        #expect(try await fixture.context(try fixture.token(["patient": "\"123\""]))?.patient == "p1")
        #expect(try await fixture.context(try fixture.token(["patient": "\"124\""]))?.patient == nil)
        let plain = try TokensFixture()
        #expect(try await plain.context(try plain.token(["patient": "\"../x\""]))?.patient == nil)
    }

    @Test("Who is linked here has the rights of the account, and none once it is locked")
    func linked() async throws {
        let fixture = try TokensFixture()
        let account = Account(
            id: "a1", name: "anna", displayName: "Anna", role: .patient, fhirUser: "Patient/p7", patientIDs: ["p7"],
            createdAt: 0)
        _ = try await fixture.directory.add(account)
        _ = try await fixture.identities.link(
            OutsideIdentity(
                issuer: TokensFixture.signing, subject: "u1", accountID: "a1", isMade: false, linkedAt: 0))
        // Another patient than theirs is not given to a patient.
        #expect(try await fixture.context(try fixture.token()) == nil)
        let token = try fixture.token(["patient": "\"p7\"", "scope": "\"user/*.rs\""])
        let access = try #require(try await fixture.context(token))
        #expect(access.reach == [.patient("p7")])
        _ = try await fixture.directory.change(accountID: "a1", .state(.locked), at: 1)
        // Known for a minute at most.
        fixture.clock.advance(seconds: 61)
        #expect(try await fixture.context(token) == nil)
    }

    @Test("A lock by this server counts at once for who comes with another server's token, signed or asked about")
    func lockedAtOnce() async throws {
        for (issuer, isAsked) in [(TokensFixture.signing, false), (TokensFixture.asked, true)] {
            let fixture = try TokensFixture()
            let account = Account(
                id: "a1", name: "anna", displayName: "Anna", role: .referrer, fhirUser: "Practitioner/7", createdAt: 0)
            _ = try await fixture.directory.add(account)
            _ = try await fixture.identities.link(
                OutsideIdentity(issuer: issuer, subject: "u1", accountID: "a1", isMade: false, linkedAt: 0))
            fixture.answer(["opaque": Self.good])
            let token = isAsked ? "opaque" : try fixture.token()
            for _ in 0..<2 { #expect(try await fixture.get("/fhir/ImagingStudy", token).status == 200) }
            #expect(fixture.server.posted.count == (isAsked ? 1 : 0))
            _ = try await fixture.directory.change(accountID: "a1", .state(.locked), at: 1)
            // As the store counts a change of an account.
            _ = try fixture.revoking.revokeGrants(ofAccount: "a1", at: 1, isBeside: false)
            #expect(try await fixture.get("/fhir/ImagingStudy", token).status == 401)
        }
    }

    @Test("Who works here sees by their role, within the record as it is now; an operator is given no patient")
    func staff() async throws {
        let fixture = try TokensFixture()
        for (index, role) in [SignedInPerson.Role.referrer, .reader, .administrator, .operator].enumerated() {
            let account = Account(
                id: "a\(index)", name: "n\(index)", displayName: "N", role: role, fhirUser: "Practitioner/7",
                createdAt: 0)
            _ = try await fixture.directory.add(account)
            _ = try await fixture.identities.link(
                OutsideIdentity(
                    issuer: TokensFixture.signing, subject: "s\(index)", accountID: account.id, isMade: false,
                    linkedAt: 0))
            let token = try fixture.token(["sub": "\"s\(index)\"", "jti": "\"s\(index)\""])
            let access = try await fixture.context(token)
            // Grants and desks are the account's.
            #expect(access?.practice?.accountID == (role == .operator ? nil : account.id))
            #expect(access?.practice?.role == role.practice)
            #expect(access?.practice?.fhirUser == (role == .operator ? nil : "Practitioner/7"))
            #expect(access?.practice?.launched == (role == .operator ? nil : ["p1"]))
            #expect(access?.practice?.time == (role == .operator ? nil : fixture.clock.now))
            #expect((access == nil) == (role == .operator), "\(role)")
            guard let access else { continue }
            // The patient in context is seen as far as the practice goes: refusals and labels count.
            guard case .anyOf(let rules) = access.visibility(.read, of: "Observation") else {
                Issue.record("\(role): \(access.visibility(.read, of: "Observation"))")
                continue
            }
            for rule in rules {
                #expect(rule.conditions.contains(.compartment(.patient("p1"))))
                #expect(rule.conditions.contains { if case .reach = $0 { true } else { false } })
            }
        }
    }

    @Test("fhirUser gives a practitioner's or a patient's reach when it is of this server, and none when of another")
    func fhirUser() async throws {
        let fixture = try TokensFixture()
        for (user, told, reach) in [
            ("https://hilum.test/fhir/Practitioner/7", "Practitioner/7", []),
            ("https://hilum.test/fhir/Patient/7", nil, [Compartment.patient("7")]),
            ("https://else.test/fhir/Practitioner/7", nil, []), ("Practitioner/7", nil, []),
            ("https://hilum.test/fhir/Group/7", nil, []), ("https://hilum.test/fhirPractitioner/7", nil, []),
        ] as [(String, String?, [Compartment])] {
            let token = try fixture.token(["fhirUser": "\"\(user)\"", "jti": "\"\(user)\""])
            let access = try #require(try await fixture.context(token))
            #expect(access.reach == reach, "\(user)")
            #expect(
                access.practice?.fhirUser == told && access.practice?.role == told.map { _ in Practice.Role.referrer },
                "\(user)")
        }
    }

    @Test("Who works here sees by an outside token what is within their practice: as whom they are here, as of now")
    func practice() async throws {
        let fixture = try TokensFixture()
        _ = try await fixture.directory.add(
            Account(
                id: "a1", name: "anna", displayName: "Anna", role: .reader, fhirUser: "Practitioner/1", createdAt: 0))
        _ = try await fixture.identities.link(
            OutsideIdentity(
                issuer: TokensFixture.signing, subject: "u1", accountID: "a1", isMade: false, linkedAt: 0))
        // What the token says of its person does not count for one who is linked.
        let token = try fixture.token([
            "scope": "\"patient/*.rs user/ImagingStudy.r\"", "fhirUser": "\"https://hilum.test/fhir/Practitioner/9\"",
        ])
        let first = try #require(try await fixture.context(token))
        #expect(first.reach.isEmpty)
        #expect(first.practice?.role == .reader && first.practice?.accountID == "a1")
        #expect(first.practice?.fhirUser == "Practitioner/1" && first.practice?.launched == ["p1"])
        // Each rule asks for the practice, by scopes of either level.
        for type in ["Patient", "ImagingStudy", "Observation"] {
            guard case .anyOf(let rules) = first.visibility(.read, of: type) else {
                Issue.record("\(type) is not bounded")
                continue
            }
            #expect(
                rules.allSatisfy { rule in rule.conditions.contains { if case .reach = $0 { true } else { false } } })
        }
        fixture.clock.advance(seconds: 5)
        let later = try #require(
            fixture.tokens.rememberedContext(bearerToken: token, requestID: "r", sourceAddress: nil))
        #expect(later.practice?.time == (first.practice?.time ?? 0) + 5_000_000)
    }

    @Test("A linked operator is given no patient by an outside token either, and sees nobody")
    func linkedOperator() async throws {
        let fixture = try TokensFixture()
        _ = try await fixture.directory.add(
            Account(id: "a1", name: "olivia", displayName: "Olivia", role: .operator, createdAt: 0))
        _ = try await fixture.identities.link(
            OutsideIdentity(
                issuer: TokensFixture.signing, subject: "u1", accountID: "a1", isMade: false, linkedAt: 0))
        #expect(try await fixture.context(try fixture.token()) == nil)
        let access = try #require(
            try await fixture.context(try fixture.token(["patient": nil, "scope": "\"user/ImagingStudy.r\""])))
        #expect(access.visibility(.read, of: "ImagingStudy").isNothing)
    }

    @Test("A withdrawn key ends its tokens within a minute of when the set is fetched anew")
    func rotated() async throws {
        let fixture = try TokensFixture()
        let token = try fixture.token(["exp": "\(fixture.clock.seconds + 3000)"])
        #expect(try await fixture.context(token) != nil)
        let next = try IssuerKey(kid: "o2")
        fixture.server.document("https://ehr.test/keys", "{\"keys\":[\(try next.jwk)]}")
        fixture.clock.advance(seconds: 301)
        #expect(try await fixture.context(token) == nil)
        #expect(try await fixture.context(try fixture.token(["jti": "\"j2\""], key: next)) != nil)
        // Keys that cannot be fetched make no token good, and none bad.
        fixture.server.document("https://ehr.test/keys", nil)
        fixture.clock.advance(seconds: 301)
        let later = try fixture.token(["jti": "\"j3\""], key: next)
        #expect(try await fixture.get("/fhir/ImagingStudy", later).status == 503)
    }

    @Test(
        "Keys that cannot be fetched anew go on until their time is over, and a token by another is neither good nor bad"
    )
    func failingRefetch() async throws {
        let fixture = try TokensFixture()
        #expect(try await fixture.get("/fhir/ImagingStudy", try fixture.token()).status == 200)
        fixture.server.document("https://ehr.test/keys", nil)
        fixture.clock.advance(seconds: 61)
        let other = try fixture.token(header: ["kid": "\"o9\""])
        #expect(try await fixture.get("/fhir/ImagingStudy", other).status == 503)
        #expect(try await fixture.get("/fhir/ImagingStudy", try fixture.token(["jti": "\"j2\""])).status == 200)
        #expect(fixture.server.fetched.count == 2)
    }

    // MARK: Introspection

    private static let good: [String: String?] = [
        "client_id": "\"viewer\"", "scope": "\"patient/*.rs\"", "patient": "\"p1\"", "sub": "\"u1\"",
        "exp": "1800000300", "aud": "\"https://hilum.test/fhir\"",
    ]

    @Test("RFC 7662: an opaque token is asked about once, with this server's credentials, and again after its seconds")
    func introspection() async throws {
        let fixture = try TokensFixture()
        fixture.answer(["opaque": Self.good])
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").text == "https://ask.test|u1|viewer p1")
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 200)
        #expect(fixture.server.posted.count == 1)
        let posted = try #require(fixture.server.posted.first)
        #expect(posted.url == "https://ask.test/introspect")
        #expect(posted.authorization == "Basic " + Base64.encode("us:s".utf8))
        // It was revoked there: here it ends within the seconds of the configuration.
        fixture.answer([:])
        fixture.clock.advance(seconds: 29)
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 200)
        fixture.clock.advance(seconds: 2)
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 401)
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 401)
        #expect(fixture.server.posted.count == 2)
    }

    @Test("RFC 7662 §4: what an answer does not say well is no right")
    func answers() async throws {
        let fixture = try TokensFixture()
        let hostile: [[String: String?]] = [
            ["active": "\"true\""], ["active": "false"], ["client_id": nil], ["iss": "\"https://ehr.test/auth\""],
            ["aud": "\"https://else.test\""], ["aud": nil], ["aud": "[]"], ["exp": "1"], ["exp": "\"x\""],
            ["nbf": "9999999999"], ["sub": "7"],
            ["token_type": "\"refresh_token\""],
        ]
        var answers: [String: [String: String?]] = [:]
        for (index, change) in hostile.enumerated() { answers["t\(index)"] = Self.good.merging(change) { $1 } }
        answers["far"] = Self.good.merging(["exp": "999999999999999"]) { $1 }
        fixture.answer(answers)
        for index in hostile.indices {
            let status = try await fixture.get("/fhir/ImagingStudy", "t\(index)").status
            #expect(status == (index == 0 ? 503 : 401), "\(index)")
        }
        #expect(try await fixture.get("/fhir/ImagingStudy", "far").status == 200)
    }

    @Test("RFC 7662 §2.2: a server that is known to tell no audience is believed without one, and not with another's")
    func noAudience() async throws {
        let fixture = try TokensFixture(needsAudience: false)
        fixture.answer([
            "none": Self.good.merging(["aud": nil]) { $1 },
            "other": Self.good.merging(["aud": "\"https://else.test\""]) { $1 },
        ])
        #expect(try await fixture.get("/fhir/ImagingStudy", "none").status == 200)
        #expect(try await fixture.get("/fhir/ImagingStudy", "other").status == 401)
    }

    @Test("The audit trail says why a token of a configured server is refused, and who sent it is not told")
    func reasons() async throws {
        let fixture = try TokensFixture()
        fixture.answer(["other": Self.good.merging(["aud": nil]) { $1 }])
        _ = try await fixture.directory.add(
            Account(id: "a1", name: "anna", displayName: "Anna", role: .referrer, state: .locked, createdAt: 0))
        _ = try await fixture.identities.link(
            OutsideIdentity(issuer: TokensFixture.signing, subject: "l1", accountID: "a1", isMade: false, linkedAt: 0))
        for (token, reason) in [
            (try fixture.token(["exp": "1"]), ":expired"), (try fixture.token(["aud": "\"x\""]), ":other-audience"),
            (try fixture.token(header: ["alg": "\"RS256\""]), ":algorithm-not-allowed"),
            (try fixture.token(key: IssuerKey()), ":bad-signature"),
            (try fixture.token(["sub": "\"l1\""]), ":account-locked"), ("junk", ":inactive"), ("junk", ":inactive"),
            ("other", ":no-audience"), (try fixture.token(["iss": "\"https://evil.test\""]), ""),
        ] {
            let answer = try await fixture.get("/fhir/ImagingStudy", token)
            #expect(answer.status == 401)
            #expect(fixture.store.records.last?.detail == "invalid-token" + reason)
            #expect(reason.isEmpty || !answer.text.contains(reason.dropFirst()))
            #expect(answer[.wwwAuthenticate]?.contains("The access token is not valid") == true)
        }
    }

    @Test("A server that does not answer is 503, not 401, and is not asked again at once")
    func away() async throws {
        let fixture = try TokensFixture()
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 503)
        #expect(try await fixture.get("/fhir/ImagingStudy", "another").status == 503)
        #expect(fixture.server.posted.count == 1)
        fixture.clock.advance(seconds: 3)
        fixture.answer(["opaque": Self.good])
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 200)
    }

    @Test("A token that the other server stumbles over keeps nobody else's from being asked about, and is bounded")
    func stumbles() async throws {
        let fixture = try TokensFixture()
        fixture.server.answer { _, fields in
            guard fields["token"] == "opaque" else { return (400, #"{"error":"invalid_request"}"#) }
            return (200, IssuerKey.json(["active": "true"].merging(Self.good) { $1 }))
        }
        #expect(try await fixture.get("/fhir/ImagingStudy", "odd").status == 503)
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 200)
        for number in 0..<200 { _ = try await fixture.get("/fhir/ImagingStudy", "odd\(number)") }
        #expect(fixture.server.posted.count == 61)
    }

    @Test("A token of who is locked here is not asked about at each request")
    func lockedAsked() async throws {
        let fixture = try TokensFixture()
        _ = try await fixture.directory.add(
            Account(id: "a1", name: "anna", displayName: "Anna", role: .referrer, state: .locked, createdAt: 0))
        _ = try await fixture.identities.link(
            OutsideIdentity(issuer: TokensFixture.asked, subject: "u1", accountID: "a1", isMade: false, linkedAt: 0))
        fixture.answer(["opaque": Self.good])
        for _ in 0..<5 { #expect(try await fixture.get("/fhir/ImagingStudy", "opaque").status == 401) }
        #expect(fixture.server.posted.count == 1)
    }

    @Test("Whoever sends tokens that are none does not make this server ask without end, and holds up nobody else")
    func flood() async throws {
        let fixture = try TokensFixture()
        fixture.answer(["opaque": Self.good])
        for number in 0..<200 { _ = try await fixture.get("/fhir/ImagingStudy", "junk\(number)") }
        #expect(fixture.server.posted.count == 60)
        #expect(try await fixture.get("/fhir/ImagingStudy", "opaque", from: "198.51.100.7").status == 200)
    }

    @Test("Requests with one token at once share one question")
    func atOnce() async throws {
        let fixture = try TokensFixture()
        fixture.answer(["opaque": Self.good])
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await fixture.get("/fhir/ImagingStudy", "opaque").status } }
            var statuses: [Int] = []
            for try await status in group { statuses.append(status) }
            return statuses
        }
        #expect(statuses == Array(repeating: 200, count: 20))
        #expect(fixture.server.posted.count == 1)
    }
}
