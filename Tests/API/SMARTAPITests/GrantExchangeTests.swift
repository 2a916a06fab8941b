import Access
import Basics
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Class B of the security rules. RFC 6749 §4.1.3, §5, §6; RFC 7636 §4.6; RFC 9700 §4.14; SMART 2.2 app-launch.
@Suite(.takingTurns) struct GrantExchangeTests {
    typealias Fixture = LaunchFixture

    @Test("SMART 2.2: a code gives a token for the patient's compartment, a refresh token and an id_token")
    func exchanged() async throws {
        let fixture = try await Fixture()
        let scope = "openid fhirUser offline_access launch/patient patient/*.read"
        let code = try await fixture.code(["scope": scope])
        let answer = try await fixture.exchange(code)
        #expect(answer.status == 200)
        #expect(answer[.cacheControl] == "no-store")
        #expect(answer[.pragma] == "no-cache")
        let json = try requiredValue(answer.json)
        #expect(json["token_type"]?.text == "bearer")
        #expect(json["expires_in"]?.integer == 300)
        // Version 1 is answered in version 1.
        #expect(json["scope"]?.text == scope)
        #expect(json["patient"]?.text == "p1")
        #expect(json["need_patient_banner"] == .boolean(true))
        #expect(json["refresh_token"]?.text?.utf8.count == 43)

        let access = try requiredValue(try await fixture.access(json["access_token"]?.text))
        #expect(access.patient == "p1")
        #expect(access.principal == .person("account-ann", client: "public", name: "Name \"ann\""))
        let own = Visibility.anyOf([VisibilityRule([.compartment(.patient("p1"))])])
        #expect(access.visibility(.read, of: "Observation") == own)
        #expect(access.visibility(.create, of: "Observation") == .nothing)

        let identity = try requiredValue(answer.claims("id_token"))
        #expect(identity["iss"]?.text == Fixture.base)
        #expect(identity["sub"]?.text == "account-ann")
        #expect(identity["aud"]?.text == "public")
        #expect(identity["nonce"]?.text == "n-1")
        #expect(identity["fhirUser"]?.text == Fixture.base + "/fhir/Patient/p1")
        #expect(identity["auth_time"]?.integer == fixture.clock.seconds - 60)
        // What says who somebody is opens no door.
        #expect(try await fixture.access(json["id_token"]?.text) == nil)
        let rows = fixture.store.records.filter { $0.interaction == "token" }
        #expect(rows.map(\.outcome) == [.success])
        #expect(rows.map(\.patientID) == ["p1"])
        #expect(rows.map(\.principal.kind) == [.person])
    }

    @Test("OpenID Connect Core §2: what nobody has told of a sign-in is not told on, and is long ago for max_age")
    func signedInSometime() async throws {
        let fixture = try await Fixture()
        fixture.sessions.set(
            "ann",
            SignedInPerson(
                accountID: "account-ann", role: .patient, displayName: "Ann", fhirUser: nil, patientIDs: ["p1"],
                sessionID: "session-ann", signedInAt: 0))
        let answer = try await fixture.exchange(
            try await fixture.code(["scope": "openid patient/*.read launch/patient"]))
        let identity = try requiredValue(answer.claims("id_token"))
        #expect(identity["sub"]?.text == "account-ann")
        #expect(identity["auth_time"] == nil)
        let asked = Fixture.parameters(["max_age": "1000000", "state": "x"])
        #expect(try await fixture.authorize(asked).target == "/sign-in")
    }

    @Test(
        "OpenID Connect Core §3.1.3.7: an id_token is signed as its client is registered, and verifies by the published key",
        arguments: [("public", SignatureAlgorithm.es256), ("rsa", .rs256)])
    func identityAlgorithm(client: String, algorithm: SignatureAlgorithm) async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "openid patient/*.read launch/patient"], client: client)
        let answer = try await fixture.exchange(code, client: client)
        let text = try requiredValue(answer.json?["id_token"]?.text)
        let token = try IssuedToken(text, algorithms: [algorithm])
        let outbound = FakeOutbound()
        let keys = try await fixture.responder.answer(.get, "/oauth/jwks")
        outbound.serve(String(decoding: keys.body, as: UTF8.self))
        let clock = fixture.clock
        try await token.verify(KeySetCache(outbound: outbound, now: { clock.now }), at: "https://hilum.test/oauth/jwks")
        #expect(token.type == "jwt")
        #expect(token.claims["aud"]?.text == client)
        // What says who somebody is opens no door, by whichever key.
        #expect(try await fixture.access(text) == nil)
        #expect(throws: IssuedToken.Refusal.algorithm) {
            _ = try IssuedToken(text, algorithms: SignatureAlgorithm.allCases.filter { $0 != algorithm })
        }
    }

    @Test("A token of the user level reaches the person's practice, and none of the patient in context")
    func userLevel() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "user/*.rs"], as: "doctor", patient: nil)
        let answer = try await fixture.exchange(code)
        #expect(answer.json?["patient"] == nil)
        #expect(answer.json?["id_token"] == nil)
        #expect(answer.json?["refresh_token"] == nil)
        let access = try requiredValue(try await fixture.access(answer.json?["access_token"]?.text))
        #expect(access.reach == [])
        let practice = Practice(
            .referrer, accountID: "account-doctor", fhirUser: "Practitioner/d", time: fixture.clock.now)
        #expect(access.practice == practice)
    }

    @Test("RFC 6749 §4.1.2: the second use of a code is invalid_grant and ends what came of the first, at once")
    func codeTwice() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "offline_access patient/*.rs"])
        let first = try await fixture.exchange(code)
        let token = first.json?["access_token"]?.text
        #expect(try await fixture.access(token) != nil)
        let second = try await fixture.exchange(code)
        #expect(second.status == 400)
        #expect(second.error == "invalid_grant")
        #expect(try await fixture.access(token) == nil)
        let refreshed = try await fixture.refresh(try requiredValue(first.json?["refresh_token"]?.text))
        #expect(refreshed.error == "invalid_grant")
        #expect(fixture.store.records.contains { $0.category == .security && $0.detail == "code-used-twice" })
    }

    @Test("A spent code in another client's hands ends nothing")
    func codeTwiceByOther() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code()
        let token = try await fixture.exchange(code).json?["access_token"]?.text
        #expect(try await fixture.exchange(code, client: "other").error == "invalid_grant")
        #expect(try await fixture.access(token) != nil)
    }

    @Test("A code lives 60 s, to the microsecond")
    func codeExpiry() async throws {
        let fixture = try await Fixture()
        let (early, late) = (try await fixture.code(), try await fixture.code())
        fixture.clock.advance(seconds: 59)
        #expect(try await fixture.exchange(early).status == 200)
        fixture.clock.advance(seconds: 1)
        #expect(try await fixture.exchange(late).error == "invalid_grant")
    }

    @Test("RFC 7636 §4.6: without the verifier, with another or a malformed one a code gives nothing, and is not spent")
    func verifiers() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code()
        #expect(try await fixture.exchange(code, verifier: nil).error == "invalid_request")
        for verifier in [
            "x", LaunchFixture.challenge, LaunchFixture.verifier + "A", String(repeating: "a", count: 129),
            LaunchFixture.verifier.lowercased(), String(LaunchFixture.verifier.dropLast()),
        ] {
            let answer = try await fixture.exchange(code, verifier: verifier)
            #expect(answer.status == 400)
            #expect(answer.error == "invalid_grant")
        }
        #expect(try await fixture.exchange(code).status == 200)
    }

    @Test("A code is for its client and its redirect URI, byte for byte")
    func injection() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code()
        #expect(try await fixture.exchange(code, client: "other").error == "invalid_grant")
        for uri in ["com.example.app:/cb", "https://app.test/cb/", "https://APP.test/cb"] {
            #expect(try await fixture.exchange(code, redirectURI: uri).error == "invalid_grant")
        }
        for guess in ["x", "", String(repeating: "a", count: 600), code + "=", code + "A"] {
            #expect(try await fixture.exchange(guess).status == 400)
        }
        #expect(try await fixture.exchange(code).status == 200)
    }

    @Test("RFC 6749 §2.3.1: a secret by Basic or in the form, or an assertion; each client only as it is registered")
    func authentication() async throws {
        let fixture = try await Fixture()
        func code(_ client: String) async throws -> String { try await fixture.code(client: client) }
        let basic = Fixture.basic("secret", Fixture.secret)
        #expect(try await fixture.exchange(try await code("secret"), authorization: basic).status == 200)
        #expect(
            try await fixture.exchange(
                try await code("secret"), client: "secret", more: [("client_secret", Fixture.secret)]
            ).status == 200)
        #expect(
            try await fixture.exchange(try await code("key"), client: "key", more: try fixture.assertion()).status
                == 200)

        let open = try await code("secret")
        let refused: [(CollectedResponse, Bool)] = [
            (try await fixture.exchange(open, client: "secret"), false),
            (try await fixture.exchange(open, client: "secret", more: [("client_secret", "wrong")]), false),
            (try await fixture.exchange(open, authorization: Fixture.basic("secret", "wrong")), true),
            (try await fixture.exchange(open, authorization: Fixture.basic("nobody", Fixture.secret)), true),
            (try await fixture.exchange(open, authorization: "Basic !!"), true),
            (try await fixture.exchange(open, authorization: "Bearer x"), true),
            (
                try await fixture.exchange(open, more: [("client_secret", Fixture.secret)], authorization: basic),
                true
            ),
            (try await fixture.exchange(open, more: [("client_id", "other")], authorization: basic), true),
            (try await fixture.exchange(open, more: try fixture.assertion(), authorization: basic), true),
            (try await fixture.exchange(try await code("key"), client: "key"), false),
            (
                try await fixture.exchange(
                    try await code("key"), client: "key", more: try fixture.assertion(["aud": "\"https://evil.test\""])),
                false
            ),
            (try await fixture.exchange(try await code("public"), authorization: Fixture.basic("public", "")), true),
        ]
        for (answer, isChallenged) in refused {
            #expect(answer.status == 401)
            #expect(answer.error == "invalid_client")
            #expect((answer[.wwwAuthenticate] != nil) == isChallenged)
        }
        #expect(try await fixture.exchange(open, authorization: basic).status == 200)
    }

    @Test("RFC 9700 §4.14.2: a refresh token is exchanged once; the second use ends the family, the newest token too")
    func reuse() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "openid offline_access patient/*.rs"])
        let first = try requiredValue(try await fixture.exchange(code).json?["refresh_token"]?.text)
        let answer = try await fixture.refresh(first)
        #expect(answer.status == 200)
        #expect(answer.json?["patient"]?.text == "p1")
        // The nonce was of the request, which is answered.
        #expect(answer.claims("id_token")?["nonce"] == nil)
        let second = try requiredValue(answer.json?["refresh_token"]?.text)
        #expect(second != first)
        let token = answer.json?["access_token"]?.text
        #expect(try await fixture.access(token) != nil)
        #expect(try await fixture.refresh(first).error == "invalid_grant")
        #expect(try await fixture.refresh(second).error == "invalid_grant")
        #expect(try await fixture.access(token) == nil)
        #expect(fixture.store.records.contains { $0.detail == "refresh-token-used-twice" && $0.category == .security })
    }

    @Test("RFC 6749 §6: a refresh narrows the token and never widens it; the next refresh has all again")
    func narrower() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "offline_access patient/Patient.rs patient/Observation.rs"])
        var token = try requiredValue(try await fixture.exchange(code).json?["refresh_token"]?.text)
        for scope in ["patient/*.rs", "patient/Patient.rs openid", "user/Patient.rs", "patient/Patient.cruds"] {
            #expect(try await fixture.refresh(token, scope: scope).error == "invalid_scope")
        }
        let long = "patient/Patient.r " + String(repeating: "x", count: TokenEndpoint.scopeBytesMax)
        #expect(try await fixture.refresh(token, scope: long).error == "invalid_scope")
        let narrow = try await fixture.refresh(token, scope: "patient/Patient.r")
        #expect(narrow.json?["scope"]?.text == "patient/Patient.r")
        let access = try requiredValue(try await fixture.access(narrow.json?["access_token"]?.text))
        #expect(access.visibility(.read, of: "Observation") == .nothing)
        token = try requiredValue(narrow.json?["refresh_token"]?.text)
        #expect(
            try await fixture.refresh(token).json?["scope"]?.text
                == "offline_access patient/Patient.rs patient/Observation.rs")
    }

    @Test("What the operator has taken from the client is not refreshed; a token of another client never is")
    func lessRegistered() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "offline_access patient/Patient.rs"])
        let token = try requiredValue(try await fixture.exchange(code).json?["refresh_token"]?.text)
        #expect(try await fixture.refresh(token, client: "other").error == "invalid_grant")
        var client = try requiredValue(try await fixture.store.client(id: "public"))
        client.scopes = [Scope("patient/Patient.r")].compactMap { $0 }
        try await fixture.store.save(client)
        let answer = try await fixture.refresh(token)
        #expect(answer.json?["scope"]?.text == "offline_access patient/Patient.r")
        _ = try await fixture.store.revoke(clientID: "public", at: 1)
        #expect(
            try await fixture.refresh(try requiredValue(answer.json?["refresh_token"]?.text)).error == "invalid_client")
    }

    @Test("offline_access outlives the session for 90 days; online_access ends with it")
    func sessions() async throws {
        let fixture = try await Fixture()
        func token(_ scope: String) async throws -> String? {
            try await fixture.exchange(try await fixture.code(["scope": scope])).json?["refresh_token"]?.text
        }
        let offline = try requiredValue(try await token("offline_access patient/*.rs"))
        let online = try requiredValue(try await token("online_access patient/*.rs"))
        let next = try requiredValue(try await fixture.refresh(online).json?["refresh_token"]?.text)
        fixture.sessions.set(down: true)
        #expect(try await fixture.refresh(next).status == 503)
        fixture.sessions.set(down: false)
        fixture.sessions.end("session-ann")
        #expect(try await fixture.refresh(next).error == "invalid_grant")
        fixture.clock.advance(seconds: GrantExchange.offlineLifetime - 1)
        let later = try requiredValue(try await fixture.refresh(offline).json?["refresh_token"]?.text)
        fixture.clock.advance(seconds: GrantExchange.offlineLifetime)
        #expect(try await fixture.refresh(later).error == "invalid_grant")
    }

    @Test("Where nobody tells when sessions end, online_access is not given, nor offered in discovery")
    func noOnlineAccess() async throws {
        let fixture = try await Fixture(givesOnlineAccess: false)
        let code = try await fixture.code(["scope": "online_access patient/*.rs"])
        let answer = try await fixture.exchange(code)
        #expect(answer.json?["scope"]?.text == "patient/*.rs")
        #expect(answer.json?["refresh_token"] == nil)
        let document = try await fixture.responder.answer(.get, "/fhir/.well-known/smart-configuration")
        #expect(document.json?["capabilities"]?.elements?.contains(.string("permission-online")) == false)
        #expect(document.json?["scopes_supported"]?.elements?.contains(.string("online_access")) == false)
    }

    @Test("RFC 7009: a client gives its authorization back by either token; a stranger's token is not its to give")
    func revocation() async throws {
        for member in ["access_token", "refresh_token"] {
            let fixture = try await Fixture()
            let code = try await fixture.code(["scope": "offline_access patient/*.rs"])
            let answer = try await fixture.exchange(code)
            let token = try requiredValue(answer.json?[member]?.text)
            let access = answer.json?["access_token"]?.text
            #expect(try await fixture.access(access) != nil)
            let foreign = try await fixture.post("/oauth/revoke", [("token", token), ("client_id", "other")])
            #expect(foreign.error == "invalid_grant")
            #expect(try await fixture.access(access) != nil)
            let revoked = try await fixture.post(
                "/oauth/revoke", [("token", token), ("client_id", "public"), ("token_type_hint", "nonsense")])
            #expect(revoked.status == 200)
            #expect(try await fixture.access(access) == nil)
            let refresh = try requiredValue(answer.json?["refresh_token"]?.text)
            #expect(try await fixture.refresh(refresh).error == "invalid_grant")
            // What is no token, or not any more, is 200 as well. RFC 7009 §2.2.
            for text in [token, "guess", String(repeating: "a", count: 9000)] {
                let again = try await fixture.post("/oauth/revoke", [("token", text), ("client_id", "public")])
                #expect(again.status == 200)
            }
            #expect(try await fixture.post("/oauth/revoke", [("client_id", "public")]).error == "invalid_request")
            #expect(try await fixture.post("/oauth/revoke", [("token", token)]).error == "invalid_client")
            #expect(fixture.details("revocation").contains(nil))
        }
    }

    @Test(
        "RFC 7662: the client and a backend service are told what a token stands for; others only that it does not work"
    )
    func introspection() async throws {
        let fixture = try await Fixture()
        let scope = "openid fhirUser offline_access patient/*.rs"
        let code = try await fixture.code(["scope": scope], client: "secret")
        let basic = Fixture.basic("secret", Fixture.secret)
        let answer = try await fixture.exchange(code, authorization: basic)
        let token = try requiredValue(answer.json?["access_token"]?.text)
        let refresh = try requiredValue(answer.json?["refresh_token"]?.text)
        func ask(_ token: String, _ authorization: String?) async throws -> CollectedResponse {
            try await fixture.post("/oauth/introspect", [("token", token)], authorization: authorization)
        }
        for authorization in [basic, Fixture.basic("ehr", Fixture.secret)] {
            let told = try requiredValue(try await ask(token, authorization).json)
            #expect(told["active"] == .boolean(true))
            #expect(told["client_id"]?.text == "secret")
            #expect(told["scope"]?.text == scope)
            #expect(told["sub"]?.text == "account-ann")
            #expect(told["iss"]?.text == Fixture.base)
            #expect(told["exp"]?.integer == fixture.clock.seconds + 300)
            #expect(told["patient"]?.text == "p1")
            #expect(told["fhirUser"]?.text == Fixture.base + "/fhir/Patient/p1")
        }
        #expect(try await ask(refresh, basic).json?["active"] == .boolean(true))
        let other = try fixture.assertion() + [("token", token)]
        #expect(try await fixture.post("/oauth/introspect", other).text == #"{"active":false}"#)
        for guess in ["x", token + "x", String(token.dropLast(4)) + "AAAA", code] {
            #expect(try await ask(guess, basic).text == #"{"active":false}"#)
        }
        // Nobody without proof learns anything.
        #expect(try await ask(token, nil).status == 401)
        let named = try await fixture.post("/oauth/introspect", [("token", token), ("client_id", "public")])
        #expect(named.status == 401)
        fixture.clock.advance(seconds: 300)
        #expect(try await ask(token, basic).text == #"{"active":false}"#)
        _ = try await fixture.authorizations.revokeGrants(ofAccount: "account-ann", at: 1)
        #expect(try await ask(refresh, basic).text == #"{"active":false}"#)
    }

    @Test(
        "A grant that ends otherwise, as when an account is locked, stops its tokens at once; by a command, in a minute",
        arguments: [false, true])
    func lockedAccount(isBeside: Bool) async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.exchange(try await fixture.code())
        let token = answer.json?["access_token"]?.text
        #expect(try await fixture.access(token) != nil)
        let count = try fixture.authorizations.revokeGrants(ofAccount: "account-ann", at: 1, isBeside: isBeside)
        #expect(count == 1)
        if isBeside { fixture.clock.advance(seconds: 61) }
        #expect(try await fixture.access(token) == nil)
    }

    @Test("CWE-367: a grant that ends while it is looked up is not remembered as one that lives")
    func endedMeanwhile() async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.exchange(try await fixture.code())
        let token = answer.json?["access_token"]?.text
        let authorizations = fixture.authorizations
        authorizations.afterNextLook {
            _ = try? authorizations.revokeGrants(ofAccount: "account-ann", at: 1, isBeside: false)
        }
        #expect(try await fixture.access(token) != nil)
        #expect(try await fixture.access(token) == nil)
    }

    @Test("A grant that cannot be looked up lets nobody in and tells nobody that the token is wrong")
    func outage() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "offline_access patient/*.rs"])
        fixture.authorizations.set(down: true)
        let answer = try await fixture.exchange(code)
        #expect(answer.status == 503)
        #expect(answer[.retryAfter] != nil)
        fixture.authorizations.set(down: false)
        let token = try await fixture.exchange(code).json?["access_token"]?.text
        fixture.authorizations.set(down: true)
        await #expect(throws: MemoryAuthorizations.Down.self) { try await fixture.access(token) }
    }

    @Test(
        "A code or refresh token is not used up by an answer that the audit trail held back, nor then taken for a stolen one"
    )
    func unaudited() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code(["scope": "offline_access patient/*.rs"])
        fixture.store.set(auditFull: true)
        #expect(try await fixture.exchange(code).status == 503)
        fixture.store.set(auditFull: false)
        let token = try requiredValue(try await fixture.exchange(code).json?["refresh_token"]?.text)
        fixture.store.set(auditFull: true)
        let answer = try await fixture.refresh(token)
        #expect(answer.status == 503)
        #expect(answer[.retryAfter] != nil)
        fixture.store.set(auditFull: false)
        let next = try requiredValue(try await fixture.refresh(token).json?["refresh_token"]?.text)
        // Nor does it end without a row that says who ended it.
        let form = [("token", next), ("client_id", "public")]
        fixture.store.set(auditFull: true)
        #expect(try await fixture.post("/oauth/revoke", form).status == 503)
        fixture.store.set(auditFull: false)
        #expect(try await fixture.post("/oauth/revoke", form).status == 200)
        #expect(fixture.details("revocation") == [nil])
        #expect(fixture.authorizations.grants.allSatisfy { $0.revokedAt != nil })
        #expect(!fixture.store.records.contains { $0.outcome == .seriousFailure })
    }

    @Test(
        "RFC 7662 §2.2: a refresh token that cannot be exchanged is not active: its session ended, its client is revoked"
    )
    func inactive() async throws {
        let fixture = try await Fixture()
        let basic = Fixture.basic("secret", Fixture.secret)
        func token(_ scope: String) async throws -> String {
            let code = try await fixture.code(["scope": scope], client: "secret")
            let answer = try await fixture.exchange(code, authorization: basic)
            return try requiredValue(answer.json?["refresh_token"]?.text)
        }
        func isActive(_ token: String) async throws -> Bool {
            let answer = try await fixture.post(
                "/oauth/introspect", [("token", token)], authorization: Fixture.basic("ehr", Fixture.secret))
            return answer.json?["active"] == .boolean(true)
        }
        let online = try await token("online_access patient/*.rs")
        let offline = try await token("offline_access patient/*.rs")
        #expect(try await isActive(online))
        fixture.sessions.end("session-ann")
        #expect(try await !isActive(online))
        #expect(try await isActive(offline))
        _ = try await fixture.store.revoke(clientID: "secret", at: 1)
        #expect(try await !isActive(offline))
    }

    @Test("A code of an account that was locked meanwhile is refused and no alarm: nobody has used it before")
    func lockedBeforeExchange() async throws {
        let fixture = try await Fixture()
        let code = try await fixture.code()
        _ = try await fixture.authorizations.revokeGrants(ofAccount: "account-ann", at: 1)
        #expect(try await fixture.exchange(code).error == "invalid_grant")
        #expect(fixture.details("token") == ["code-expired"])
    }

    @Test("Guesses of a public client are counted by address, and then told to wait")
    func throttled() async throws {
        var limits = StrangerLimits()
        limits.burst = 5
        limits.perMinute = 60
        let fixture = try await Fixture(strangers: limits)
        for _ in 0..<5 {
            #expect(try await fixture.exchange("guess", from: "192.0.2.66").error == "invalid_grant")
        }
        #expect(try await fixture.exchange("guess", from: "192.0.2.66").status == 429)
        let code = try await fixture.code()
        #expect(try await fixture.exchange(code, from: "198.51.100.1").status == 200)
    }

    @Test("A backend token that names a person or a grant of nobody is not taken")
    func foreignGrant() async throws {
        let fixture = try await Fixture()
        let grant = Grant(
            id: "none", clientID: "public", accountID: "a", sessionID: "s", displayName: "A", fhirUser: nil, reach: [],
            scopes: GrantedScopes("user/*.rs"), context: LaunchContext(), signedInAt: 0, grantedAt: 0, expires: 0)
        let now = fixture.clock.seconds
        let claims = AccessToken(
            clientID: "public", scopes: grant.scopes, grant: grant, identifier: "x", issuedAt: now, expires: now + 60)
        let token = try claims.signed(
            by: fixture.serverKey, issuer: Fixture.base, audience: Fixture.base + "/fhir")
        #expect(try await fixture.access(token) == nil)
    }
}
