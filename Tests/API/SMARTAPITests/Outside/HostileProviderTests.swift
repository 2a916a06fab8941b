import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Answers that are not the provider's, not this browser's, or not for this server. OpenID Connect Core 1.0 §3.1.3.7;
/// RFC 9207; RFC 9700 §4; RFC 8725 §3.
@Suite(.takingTurns) struct HostileProviderTests {
    private static func linking(_ provider: inout OutsideProvider) { provider.accountClaim = "preferred_username" }

    /// Each is one change of a good id_token, and why it is refused.
    private static let tokens: [(claims: [String: String?], header: [String: String?], reason: String)] = [
        (["nonce": "\"another\""], [:], "wrong-nonce"), (["nonce": nil], [:], "wrong-nonce"),
        (["iss": "\"https://login.test/realm/\""], [:], "other-issuer"), (["iss": nil], [:], "other-issuer"),
        (["iss": "\"https://other.test\""], [:], "other-issuer"),
        (["aud": "\"another\""], [:], "other-audience"), (["aud": "[]"], [:], "other-audience"),
        (["aud": "[\"hilum\",\"another\"]"], [:], "other-authorized-party"),
        (["aud": "[\"hilum\",\"another\"]", "azp": "\"another\""], [:], "other-authorized-party"),
        (["azp": "\"another\""], [:], "other-authorized-party"),
        (["exp": "1"], [:], "expired"), (["exp": nil], [:], "expired"), (["exp": "\"9999999999\""], [:], "expired"),
        (["iat": "1"], [:], "iat-too-old"), (["iat": nil], [:], "claims-missing"),
        (["iat": "9999999999"], [:], "nbf-or-iat-in-future"), (["nbf": "9999999999"], [:], "nbf-or-iat-in-future"),
        (["sub": nil], [:], "no-subject"), (["sub": "\"\""], [:], "no-subject"), (["sub": "\"é\""], [:], "no-subject"),
        (["at_hash": "\"AAAAAAAAAAAAAAAAAAAAAA\""], [:], "wrong-at-hash"),
        ([:], ["typ": "\"at+jwt\""], "token-type"), ([:], ["alg": "\"none\""], "algorithm-not-allowed"),
        ([:], ["alg": "\"HS256\""], "algorithm-not-allowed"), ([:], ["alg": "\"ES384\""], "algorithm-not-allowed"),
        ([:], ["alg": "\"RS256\""], "no-key"), ([:], ["kid": "\"unknown\""], "no-key"),
        ([:], ["crit": "[\"exp\"]"], "header-member-not-allowed"),
        ([:], ["jku": "\"https://evil.test/keys\""], "header-member-not-allowed"),
        ([:], ["jwk": "{}"], "header-member-not-allowed"), ([:], ["b64": "false"], "header-member-not-allowed"),
    ]

    @Test(
        "OpenID Connect Core §3.1.3.7: an id_token with any one thing wrong signs nobody in", arguments: tokens.indices)
    func idTokens(index: Int) async throws {
        let hostile = Self.tokens[index]
        try await OutsideFixture.with(Self.linking) { fixture in
            try await fixture.people.add("anna")
            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser)
            let claims = hostile.claims.merging(["preferred_username": "\"anna\""]) { $1 }
            try fixture.give(departure, claims, header: hostile.header)
            try await fixture.comeBack(browser, departure)
            #expect(browser.status == (hostile.reason == "no-key" ? 503 : 403))
            #expect(try await !fixture.isSignedIn(browser))
            #expect(fixture.lastDetail == "outside:hospital:" + hostile.reason)
            #expect(!browser.text.contains(hostile.reason))
        }
    }

    @Test("RFC 8725 §2.1: HS256 with the public key and another's signature are no signatures of the provider")
    func forged() async throws {
        try await OutsideFixture.with(Self.linking) { fixture in
            try await fixture.people.add("anna")
            for key in [try IssuerKey("ES256"), try IssuerKey("ES256", kid: "o1")] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, ["preferred_username": "\"anna\""], key: key)
                try await fixture.comeBack(browser, departure)
                #expect(browser.status == 403)
                #expect(fixture.lastDetail == "outside:hospital:bad-signature")
            }
        }
    }

    @Test("OpenID Connect Core §10.1.1: a new key of the provider is found once, and then at most each minute")
    func rotated() async throws {
        try await OutsideFixture.with(Self.linking) { fixture in
            try await fixture.people.add("anna")
            let next = try IssuerKey("ES256", kid: "o2")
            func signIn(_ key: IssuerKey) async throws -> Int {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try fixture.give(departure, ["preferred_username": "\"anna\""], key: key)
                try await fixture.comeBack(browser, departure)
                return browser.status
            }
            func keyFetches() -> Int { fixture.server.fetched.count { $0 == "https://login.test/keys" } }
            #expect(try await signIn(fixture.key) == 200)
            #expect(try await signIn(next) == 503)
            #expect(try await signIn(next) == 503)
            #expect(keyFetches() == 1)
            fixture.server.document("https://login.test/keys", "{\"keys\":[\(try next.jwk)]}")
            fixture.people.clock.advance(seconds: 61)
            #expect(try await signIn(next) == 200)
            #expect(try await signIn(fixture.key) == 503)
            #expect(keyFetches() == 2)
        }
    }

    @Test("RFC 9207 §2.4: an answer that names another issuer, or none where one is promised, goes no further")
    func mixedUp() async throws {
        try await OutsideFixture.with(Self.linking) { fixture in
            let document = OutsideFixture.issuer + "/.well-known/openid-configuration"
            let browser = fixture.people.browser()
            var departure = try await fixture.leave(browser)
            try await fixture.comeBack(browser, departure, ["iss": "https://other.test"])
            #expect(browser.status == 403)
            #expect(fixture.lastDetail == "outside:hospital:mixed-up-issuer")
            // The state of one provider is nothing at another.
            try await fixture.comeBack(browser, departure, as: "other")
            #expect(fixture.lastDetail == "outside:other:unknown-state")
            fixture.server.document(
                document, OutsideFixture.metadata(["authorization_response_iss_parameter_supported": "true"]))
            fixture.people.clock.advance(seconds: 301)
            departure = try await fixture.leave(browser)
            try await fixture.comeBack(browser, departure, ["iss": nil])
            #expect(fixture.lastDetail == "outside:hospital:no-issuer")
            // Nobody was shown a code.
            #expect(fixture.server.posted.isEmpty)
        }
    }

    @Test("RFC 9700 §4.7: a state is of one browser, one sign-in and ten minutes")
    func states() async throws {
        try await OutsideFixture.with(Self.linking) { fixture in
            try await fixture.people.add("anna")
            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser)
            try fixture.give(departure, ["preferred_username": "\"anna\""])
            // Another browser, which has begun one itself: nobody is signed in with a stranger's code.
            let victim = fixture.people.browser()
            _ = try await fixture.leave(victim)
            try await fixture.comeBack(victim, departure)
            #expect(victim.status == 403)
            #expect(fixture.lastDetail == "outside:hospital:state-of-another-browser")
            let bare = fixture.people.browser()
            try await fixture.comeBack(bare, departure)
            #expect(bare.status == 403)
            for state in [nil, "", "x", departure["state"] + "A", String(departure["state"].dropLast(4))] as [String?] {
                try await fixture.comeBack(browser, departure, ["state": state])
                #expect(browser.status == 403)
                #expect(fixture.lastDetail == "outside:hospital:unknown-state")
            }
            let cookies = browser.cookies
            try await fixture.comeBack(browser, departure)
            #expect(try await fixture.isSignedIn(browser))
            browser.cookies = cookies
            try await fixture.comeBack(browser, departure)
            #expect(browser.status == 403)
            #expect(fixture.lastDetail == "outside:hospital:state-used-twice")
            #expect(fixture.server.posted.count == 1)
            let late = try await fixture.leave(browser)
            fixture.people.clock.advance(seconds: 601)
            try await fixture.comeBack(browser, late)
            #expect(fixture.lastDetail == "outside:hospital:state-of-another-browser")
        }
    }

    @Test("RFC 6749 §4.1.2.1: an error of the provider is told in our words, and nothing of it is shown or kept")
    func errors() async throws {
        try await OutsideFixture.with { fixture in
            for (error, reason) in [("access_denied", "access_denied"), ("<b>x</b>", "other")] {
                let browser = fixture.people.browser()
                let departure = try await fixture.leave(browser)
                try await fixture.comeBack(
                    browser, departure,
                    ["code": nil, "error": error, "error_description": "<i>call 555</i>"])
                #expect(browser.status == 403)
                #expect(browser.text.contains("The provider did not sign you in"))
                #expect(!browser.text.contains("555"))
                #expect(fixture.lastDetail == "outside:hospital:provider-says-" + reason)
            }
            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser)
            try await browser.get(
                "/account/sign-in/outside/hospital/answer?code=a&code=b&state="
                    + PercentCoding.encoded(departure["state"]))
            #expect(fixture.lastDetail == "outside:hospital:parameter-twice")
        }
    }

    @Test("CWE-601: the sign-in leads back to paths of this server alone, and begins by its own form alone")
    func elsewhere() async throws {
        try await OutsideFixture.with(Self.linking) { fixture in
            try await fixture.people.add("anna")
            for path in ["https://evil.test/", "//evil.test", "/\\evil.test", "/account/sign-in"] {
                let browser = fixture.people.browser()
                try await browser.get("/account/sign-in")
                try await browser.post("/account/sign-in/outside/hospital", ["return": path])
                let url = try #require(browser.value(after: "content=\"0;url=", until: "\""))
                let query = url.replacing("&amp;", with: "&").split(separator: "?", maxSplits: 1).last ?? ""
                let departure = OutsideFixture.Departure(query: try QueryParameters(String(query)))
                try fixture.give(departure, ["preferred_username": "\"anna\""])
                try await fixture.comeBack(browser, departure)
                #expect(try await fixture.isSignedIn(browser))
                #expect(browser.text.contains("content=\"0;url=/account\""))
            }
            let browser = fixture.people.browser()
            try await browser.get("/account/sign-in")
            try await browser.post("/account/sign-in/outside/hospital", ["return": "/account"], token: "x")
            #expect(browser.status == 403)
            browser.headers = [.secFetchSite: "cross-site"]
            try await browser.post("/account/sign-in/outside/hospital", ["return": "/account"])
            #expect(browser.status == 403)
        }
    }

    @Test("A locked account is not signed in from elsewhere, and an answer that comes too often is not looked at")
    func refused() async throws {
        try await OutsideFixture.with(Self.linking) { fixture in
            let anna = try await fixture.people.add("anna")
            _ = try await fixture.people.directory.change(
                accountID: anna.id, .state(.locked), at: fixture.people.clock.now)
            let browser = fixture.people.browser()
            let departure = try await fixture.leave(browser)
            try fixture.give(departure, ["preferred_username": "\"anna\""])
            try await fixture.comeBack(browser, departure)
            #expect(browser.status == 403)
            #expect(fixture.lastDetail == "outside:hospital:account-locked")
            var statuses: [Int] = []
            for _ in 0..<30 { statuses.append(try await fixture.comeBack(browser, departure, ["state": "x"]).status) }
            #expect(statuses.prefix(29).allSatisfy { $0 == 403 })
            #expect(statuses.last == 429)
            #expect(browser.page?[.retryAfter] != nil)
        }
    }

    @Test(
        "OpenID Connect Discovery §4.3: the document of another issuer, or with endpoints that are not https, is none")
    func documents() async throws {
        for changes in [
            ["issuer": "\"https://evil.test\""], ["issuer": "\"https://login.test/realm/\""],
            ["token_endpoint": "\"http://login.test/token\""], ["jwks_uri": nil],
            ["jwks_uri": "\"file:///etc/passwd\""], ["authorization_endpoint": "\"javascript:alert(1)\""],
            ["code_challenge_methods_supported": "[\"plain\"]"],
        ] as [[String: String?]] {
            let text = Array(OutsideFixture.metadata(changes).utf8)
            #expect(ProviderMetadata(text, issuer: OutsideFixture.issuer) == nil, "\(changes)")
        }
        let good = ProviderMetadata(Array(OutsideFixture.metadata().utf8), issuer: OutsideFixture.issuer)
        #expect(good?.tokenEndpoint == "https://login.test/token")
        #expect(good?.namesIssuer == false)
    }
}
