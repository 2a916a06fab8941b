import Access
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Class B of the security rules. RFC 6749 §4.1; RFC 7636; RFC 9207; RFC 9700; SMART 2.2 app-launch.
@Suite(.takingTurns) struct AuthorizationEndpointTests {
    typealias Fixture = LaunchFixture

    @Test("SMART 2.2: a patient signs in, allows, and the code comes with state and iss to the registered place")
    func allowed() async throws {
        let fixture = try await Fixture()
        let page = try await fixture.authorize(Fixture.parameters())
        #expect(page.status == 200)
        #expect(page[.contentType] == "text/html; charset=utf-8")
        #expect(page[.cacheControl] == "no-store")
        let answer = try await fixture.consent(Fixture.parameters(), patient: "p1")
        #expect(answer.status == 303)
        #expect(answer.target == Fixture.redirectURI)
        #expect(answer.parameter("state") == "st&=+ate")
        #expect(answer.parameter("iss") == Fixture.base)
        #expect(answer.parameter("error") == nil)
        #expect(try requiredValue(answer.parameter("code")).utf8.count == 43)
        #expect(fixture.details("authorize") == ["openid fhirUser launch/patient patient/*.rs"])
        // Of the code its digest alone is kept.
        #expect(fixture.authorizations.codes.map(\.digest.count) == [32])
    }

    @Test("Who is not signed in is sent to sign in and back to the same request")
    func signIn() async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.authorize(Fixture.parameters(), as: nil)
        #expect(answer.status == 303)
        let location = try requiredValue(answer[.location])
        #expect(location.hasPrefix("/sign-in?to=/auth/authorize?response_type=code&client_id=public&"))
        #expect(location.contains("&state=st%26%3D%2Bate&"))
        let back = try requiredValue(location.split(separator: "=", maxSplits: 1).last.map(String.init))
        #expect(try await fixture.responder.answer(.get, back, headers: [.cookie: "ann"]).status == 200)
    }

    @Test(
        "RFC 6749 §4.1.2.1, RFC 9700 §4.1: an unknown client or another redirect URI gets a page and no redirect",
        arguments: [
            ("client_id", nil), ("client_id", "nobody"), ("client_id", ""), ("client_id", "PUBLIC"),
            ("client_id", "ehr"), ("redirect_uri", nil), ("redirect_uri", ""), ("redirect_uri", "https://evil.test/cb"),
            ("redirect_uri", "https://app.test/cb/"), ("redirect_uri", "https://app.test/cb?x=1"),
            ("redirect_uri", "https://app.test/CB"), ("redirect_uri", "https://app.test/cb#f"),
            ("redirect_uri", "https://app.test/cb/../cb"), ("redirect_uri", "http://app.test/cb"),
            ("redirect_uri", "https://app.test.evil.test/cb"), ("redirect_uri", "https://app.test@evil.test/cb"),
            ("redirect_uri", "https://app.test/cb\r\nX: y"), ("redirect_uri", "javascript:alert(1)"),
            ("redirect_uri", "https://app.test/cb "),
        ] as [(String, String?)])
    func unaddressed(name: String, value: String?) async throws {
        let fixture = try await Fixture()
        for cookie in ["ann", nil] {
            let answer = try await fixture.authorize(Fixture.parameters([name: value]), as: cookie)
            #expect(answer.status == 400)
            #expect(answer[.location] == nil)
            #expect(answer[.contentType] == "text/html; charset=utf-8")
        }
        let answer = try await fixture.consent(Fixture.parameters([name: value]), patient: "p1")
        #expect(answer.status == 400)
        #expect(answer[.location] == nil)
        #expect(fixture.authorizations.grants.isEmpty)
        #expect(fixture.details("authorize").count == 3)
    }

    @Test("A parameter that decides where the answer goes is not given twice")
    func addressedTwice() async throws {
        let fixture = try await Fixture()
        for more in [
            ("redirect_uri", Fixture.redirectURI), ("redirect_uri", "https://evil.test"), ("client_id", "other"),
        ] {
            let answer = try await fixture.authorize(Fixture.parameters() + [more])
            #expect(answer.status == 400)
            #expect(answer[.location] == nil)
        }
        let twice = try await fixture.authorize(Fixture.parameters() + [("scope", "openid")])
        #expect(twice.parameter("error") == "invalid_request")
    }

    @Test(
        "RFC 6749 §4.1.2.1, RFC 7636 §4.4.1: every other error goes to the registered place, with state and iss",
        arguments: [
            ("response_type", nil, "invalid_request"), ("response_type", "token", "unsupported_response_type"),
            ("response_type", "code id_token", "unsupported_response_type"),
            ("code_challenge", nil, "invalid_request"), ("code_challenge", "short", "invalid_request"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=", "invalid_request"),
            ("code_challenge_method", nil, "invalid_request"), ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge_method", "s256", "invalid_request"), ("aud", nil, "invalid_request"),
            ("aud", "https://hilum.test", "invalid_request"), ("aud", "https://hilum.test/fhir/", "invalid_request"),
            ("aud", "https://evil.test/fhir", "invalid_request"), ("aud", "HTTPS://hilum.test/fhir", "invalid_request"),
            ("scope", nil, "invalid_scope"), ("scope", "", "invalid_scope"), ("scope", "unknown x/y", "invalid_scope"),
            ("scope", "patient/*.rs system/*.rs", "invalid_scope"), ("scope", "patient/Patient.d", "invalid_scope"),
            ("prompt", "none login", "invalid_request"), ("prompt", "dance", "invalid_request"),
            ("max_age", "-1", "invalid_request"), ("max_age", "soon", "invalid_request"),
            ("request", "eyJ", "request_not_supported"), ("request_uri", "https://x", "request_uri_not_supported"),
            ("response_mode", "fragment", "invalid_request"), ("launch", "guess", "invalid_request"),
        ] as [(String, String?, String)])
    func refused(name: String, value: String?, error: String) async throws {
        let fixture = try await Fixture()
        let fields = Fixture.parameters([name: value])
        for answer in [try await fixture.authorize(fields), try await fixture.consent(fields, patient: "p1")] {
            #expect(answer.status == 303)
            #expect(answer.target == Fixture.redirectURI)
            #expect(answer.parameter("error") == error)
            #expect(answer.parameter("state") == "st&=+ate")
            #expect(answer.parameter("iss") == Fixture.base)
            #expect(answer.parameter("code") == nil)
        }
        #expect(fixture.authorizations.grants.isEmpty)
        #expect(fixture.details("authorize") == [error, error])
    }

    @Test("A state that is missing or beyond its limit is an error without state")
    func states() async throws {
        let fixture = try await Fixture()
        for state in [nil, "", String(repeating: "s", count: AuthorizationRequest.stateBytesMax + 1)] {
            let answer = try await fixture.authorize(Fixture.parameters(["state": state]))
            #expect(answer.parameter("error") == "invalid_request")
        }
        let most = String(repeating: "s", count: AuthorizationRequest.stateBytesMax)
        #expect(try await fixture.authorize(Fixture.parameters(["state": most])).status == 200)
    }

    @Test("A scope of any size is bounded: 8 KiB is read, more is invalid_scope, 100 KB by GET is 414, with a row each")
    func longScope() async throws {
        let fixture = try await Fixture()
        let word = "patient/*.rs "
        let fitting = word + String(repeating: "x", count: AuthorizationRequest.scopeBytesMax - word.utf8.count)
        #expect(try await fixture.authorize(Fixture.parameters(["scope": fitting])).status == 200)
        let longer = try await fixture.authorize(Fixture.parameters(["scope": fitting + "x"]))
        #expect(longer.parameter("error") == "invalid_scope")
        #expect(fixture.details("authorize").last == "invalid_scope")
        let huge = String(repeating: "patient/*.rs ", count: 8_000)
        let rows = fixture.details("authorize").count
        let got = try await fixture.authorize(Fixture.parameters(["scope": huge]))
        #expect(got.status == 414)
        #expect(got.error == "invalid_request")
        #expect(fixture.details("authorize").dropFirst(rows) == ["target-too-long"])
        let posted = try await fixture.post("/auth/authorize", Fixture.parameters(["scope": huge]))
        #expect(posted.parameter("error") == "invalid_scope")
        #expect(fixture.details("authorize").last == "invalid_scope")
        let larger = String(repeating: "x", count: AuthorizationEndpoint.formBytesMax)
        let refused = try await fixture.post("/auth/authorize", Fixture.parameters(["scope": larger]))
        #expect(refused.status == 413)
        #expect(refused[.location] == nil)
        #expect(fixture.details("authorize").dropFirst(rows + 2) == ["body-too-large"])
    }

    @Test("A request by POST that is too long as a link is refused at the application's place")
    func longLink() async throws {
        let fixture = try await Fixture()
        let scope = "patient/*.rs " + String(repeating: "/", count: AuthorizationRequest.scopeBytesMax - 13)
        let answer = try await fixture.post("/auth/authorize", Fixture.parameters(["scope": scope]))
        #expect(answer.parameter("error") == "invalid_request")
    }

    @Test("Of a request with as many scopes as fit, each can be kept, and each is in the grant")
    func manyScopes() async throws {
        let fixture = try await Fixture()
        let words = (100..<300).map { "patient/Observation.rs?category=c\($0)" }
        let fields = Fixture.parameters(["scope": words.joined(separator: " ")])
        #expect(try await fixture.authorize(fields).status == 200)
        #expect(try await fixture.consent(fields, patient: "p1").parameter("code") != nil)
        #expect(fixture.authorizations.grants.map(\.scopes.resources.count) == [200])
    }

    @Test("SMART 2.2 authorize-post: a request by POST goes on as a link, which carries the browser's cookie")
    func byPost() async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.post("/auth/authorize", Fixture.parameters() + [("more", "x")])
        #expect(answer.status == 303)
        #expect(answer.target == "/auth/authorize")
        #expect(answer.parameter("more") == nil)
        let link = try requiredValue(answer[.location])
        #expect(try await fixture.responder.answer(.get, link, headers: [.cookie: "ann"]).status == 200)
        let refused = try await fixture.post("/auth/authorize", Fixture.parameters(["aud": "x"]))
        #expect(refused.parameter("error") == "invalid_request")
        let json = try await fixture.responder.answer(
            .post, "/auth/authorize", headers: [.contentType: "application/json"], body: Array("{}".utf8))
        #expect(json.status == 415)
    }

    @Test(
        "OWASP ASVS 3.4: the page is in nobody's frame, runs no script, and its form leads here and to the application")
    func framed() async throws {
        let fixture = try await Fixture()
        let page = try await fixture.authorize(Fixture.parameters())
        let policy = try requiredValue(page[.contentSecurityPolicy])
        #expect(policy.contains("frame-ancestors 'none'"))
        #expect(policy.contains("default-src 'none'"))
        #expect(policy.contains("form-action 'self' https://app.test;"))
        #expect(!policy.contains("unsafe"))
        #expect(page.headers[HTTPField.Name("X-Frame-Options")!] == "DENY")
        #expect(page.headers[HTTPField.Name("Referrer-Policy")!] == "no-referrer")
        // The window of a framed viewer's sign-in keeps its opener on the way through this page: see record 0063.
        #expect(page.headers[HTTPField.Name("Cross-Origin-Opener-Policy")!] == nil)
        let device = try await fixture.authorize(Fixture.parameters(["redirect_uri": "com.example.app:/cb"]))
        #expect(device[.contentSecurityPolicy]?.contains("form-action 'self' com.example.app:;") == true)
        let problem = try await fixture.authorize(Fixture.parameters(["client_id": "nobody"]))
        #expect(problem[.contentSecurityPolicy]?.contains("form-action 'none'") == true)
    }

    @Test("Nothing of a request, a client or a person becomes markup")
    func markup() async throws {
        let fixture = try await Fixture()
        let page = try await fixture.authorize(
            Fixture.parameters(["state": "\"><script>", "nonce": "'<b>", "scope": "patient/*.rs?a=\"><i> patient/*.rs"])
        )
        #expect(page.status == 200)
        for mark in ["<script", "<b>", "<i>", "App <public>", "Ann <One>", "\"ann\""] {
            #expect(!page.text.contains(mark), "\(mark)")
        }
        #expect(page.text.contains("App &lt;public&gt;"))
        #expect(page.text.contains("Ann &lt;One&gt;"))
        #expect(page.text.contains("value=\"&quot;&gt;&lt;script&gt;\""))
    }

    @Test("A scope is told in words, and one that is not for the person or the application is not offered")
    func words() async throws {
        let fixture = try await Fixture()
        let scope = "openid launch/patient offline_access patient/ImagingStudy.rs user/Task.c patient/Patient.u"
        let page = try await fixture.authorize(Fixture.parameters(["scope": scope]))
        #expect(page.text.contains("See and search imaging studies and their images of this patient"))
        #expect(page.text.contains("Add to tasks that you may see"))
        #expect(page.text.contains("Know who you are"))
        #expect(page.text.contains("Keep this access after you have signed out"))
        #expect(!page.text.contains("value=\"patient/Patient.u\""))
        #expect(!page.text.contains("value=\"launch/patient\""))
    }

    @Test(
        "CSRF: a form without the session's token, or with another session's, gives nothing",
        arguments: ["", "x", "csrf-session-doctor"])
    func forged(token: String) async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.consent(Fixture.parameters(), csrf: token, patient: "p1")
        #expect(answer.status == 403)
        #expect(answer[.location] == nil)
        #expect(fixture.authorizations.grants.isEmpty)
        #expect(fixture.details("authorize") == ["no-csrf-token"])
    }

    @Test("A consent of who is not signed in any more leads to signing in")
    func consentSignedOut() async throws {
        let fixture = try await Fixture()
        let answer = try await fixture.consent(Fixture.parameters(), as: nil, patient: "p1")
        #expect(answer.target == "/sign-in")
        #expect(fixture.authorizations.grants.isEmpty)
    }

    @Test("CWE-367: a session that ends while its consent is under way gives no code")
    func sessionEnds() async throws {
        let fixture = try await Fixture()
        fixture.authorizations.end(session: "session-ann")
        let answer = try await fixture.consent(Fixture.parameters(), patient: "p1")
        #expect(answer.parameter("error") == "invalid_request")
        #expect(answer.parameter("code") == nil)
        #expect(fixture.authorizations.grants.isEmpty)
    }

    @Test("Who does not allow it, or leaves nothing ticked, answers access_denied; an unknown decision allows nothing")
    func denied() async throws {
        let fixture = try await Fixture()
        for (decision, keep) in [("deny", nil), ("allow", []), ("", nil), ("Allow", nil)] as [(String, [String]?)] {
            let answer = try await fixture.consent(
                Fixture.parameters(), keep: keep, patient: "p1", decision: decision)
            #expect(answer.parameter("error") == "access_denied")
            #expect(answer.parameter("state") == "st&=+ate")
        }
        #expect(fixture.authorizations.grants.isEmpty)
        #expect(fixture.details("authorize").filter { $0 == "denied" }.count == 4)
    }

    @Test("A person may drop scopes, and cannot add one that was not asked for")
    func dropped() async throws {
        let fixture = try await Fixture()
        let fields = Fixture.parameters(["scope": "openid fhirUser patient/Patient.rs patient/Observation.rs"])
        let answer = try await fixture.consent(
            fields, keep: ["patient/Patient.rs", "patient/*.rs", "user/*.rs", "offline_access"], patient: "p1")
        #expect(answer.parameter("code") != nil)
        #expect(fixture.authorizations.grants.first?.scopes.text == "patient/Patient.rs")
    }

    @Test("A patient chooses only from those they act for, and a practitioner from those they may see")
    func strangers() async throws {
        let fixture = try await Fixture()
        let page = try await fixture.authorize(Fixture.parameters())
        #expect(page.text.contains("value=\"p1\" checked"))
        #expect(!page.text.contains("Bo Two"))
        for (who, patient) in [("ann", "p2"), ("ann", nil), ("ann", "../p1"), ("doctor", "p2"), ("doctor", nil)] {
            let answer = try await fixture.consent(Fixture.parameters(), as: who, patient: patient)
            #expect(answer.status == 200)
            #expect(answer.text.contains("Choose the patient"))
            #expect(!answer.text.contains("Bo Two"))
        }
        #expect(fixture.authorizations.grants.isEmpty)
        let found = try await fixture.authorize(Fixture.parameters() + [("find", "ann")], as: "doctor")
        #expect(found.text.contains("Ann &lt;One&gt;"))
        let none = try await fixture.authorize(Fixture.parameters() + [("find", "bo")], as: "doctor")
        #expect(none.text.contains("There is no patient to choose"))
        #expect(!none.text.contains("value=\"allow\""))
        let queries = fixture.store.records.filter { $0.interaction == "launch-patients" }
        #expect(queries.map(\.query).contains("name=bo"))
        #expect(try await fixture.consent(Fixture.parameters(), as: "doctor", patient: "p1").parameter("code") != nil)
        #expect(fixture.authorizations.grants.map(\.context.patient) == ["p1"])
    }

    @Test("An operator lends no patient's data")
    func operators() async throws {
        let fixture = try await Fixture()
        let data = try await fixture.authorize(Fixture.parameters(["scope": "patient/*.rs user/*.rs"]), as: "desk")
        #expect(data.parameter("error") == "invalid_scope")
        let identity = try await fixture.consent(
            Fixture.parameters(["scope": "openid launch/patient patient/*.rs"]), as: "desk", patient: "p1")
        #expect(identity.parameter("code") != nil)
        #expect(fixture.authorizations.grants.map(\.scopes.text) == ["openid"])
        #expect(fixture.authorizations.grants.map(\.context.patient) == [nil])
    }

    @Test("OpenID §3.1.2.1: prompt=none shows nobody anything; login and max_age ask for a new sign-in, once")
    func prompts() async throws {
        let fixture = try await Fixture()
        let silent = Fixture.parameters(["prompt": "none"])
        #expect(try await fixture.authorize(silent, as: nil).parameter("error") == "login_required")
        #expect(try await fixture.authorize(silent).parameter("error") == "consent_required")
        let old = Fixture.parameters(["prompt": "none", "max_age": "10"])
        #expect(try await fixture.authorize(old).parameter("error") == "login_required")
        // Signed in a minute ago.
        #expect(try await fixture.authorize(Fixture.parameters(["max_age": "60"])).status == 200)
        for changes in [["max_age": "59"], ["max_age": "0"], ["prompt": "login"], ["prompt": "select_account"]] {
            let fixture = try await Fixture()
            let fields = Fixture.parameters(changes)
            let first = try await fixture.authorize(fields)
            #expect(first.target == "/sign-in")
            // A form that skips the page is not taken either.
            #expect(try await fixture.consent(fields, patient: "p1").target == "/sign-in")
            let link = try requiredValue(first[.location]?.split(separator: "=", maxSplits: 1).last.map(String.init))
            // Who has not signed in again is not let on by the link, nor by one that says an earlier time.
            #expect(try await fixture.responder.answer(.get, link, headers: [.cookie: "ann"]).status == 303)
            let forged = try await fixture.authorize(fields + [("asked", "1.AAAA")])
            #expect(forged.target == "/sign-in")
            fixture.clock.advance(seconds: 5)
            fixture.sessions.set(
                "ann",
                SignedInPerson(
                    accountID: "account-ann", role: .patient, displayName: "Ann", fhirUser: nil, patientIDs: ["p1"],
                    sessionID: "session-ann", signedInAt: fixture.clock.now / 1000))
            #expect(try await fixture.responder.answer(.get, link, headers: [.cookie: "ann"]).status == 200)
            // The mark is of this request only.
            let mark = try requiredValue(link.split(separator: "=").last.map(String.init))
            fixture.clock.advance(seconds: 5)
            let other = try await fixture.authorize(
                Fixture.parameters(changes.merging(["state": "x"]) { $1 }) + [("asked", mark)])
            #expect(other.status == (changes["max_age"] == "59" ? 200 : 303))
        }
    }

    @Test("Where sessions, grants or the audit trail cannot be reached, a page says so and nothing is given")
    func outage() async throws {
        let fixture = try await Fixture()
        fixture.sessions.set(down: true)
        #expect(try await fixture.authorize(Fixture.parameters()).status == 503)
        fixture.sessions.set(down: false)
        fixture.authorizations.set(down: true)
        #expect(try await fixture.consent(Fixture.parameters(), patient: "p1").status == 503)
        fixture.authorizations.set(down: false)
        fixture.store.set(auditFull: true)
        let answer = try await fixture.consent(Fixture.parameters(), patient: "p1")
        #expect(answer.status == 503)
        #expect(answer[.location] == nil)
        #expect(answer[.contentType] == "text/html; charset=utf-8")
        fixture.store.set(auditFull: false)
        fixture.store.set(down: true)
        #expect(try await fixture.authorize(Fixture.parameters()).status == 503)
    }

    @Test("The client of a revoked registration is unknown")
    func revokedClient() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.store.revoke(clientID: "public", at: 1)
        #expect(try await fixture.authorize(Fixture.parameters()).status == 400)
    }
}
