import TestSupport
import Testing

@testable import SMARTAPI

/// RFC 6749 §3.1.2; RFC 8252 §7; RFC 9700 §4.1; RFC 7636.
@Suite(.takingTurns) struct RedirectURITests {
    @Test(
        "A redirect URI that is relative, has a fragment, a user or a wildcard, or is clear text, is not registered",
        arguments: [
            "", "/cb", "app.test/cb", "https:", "https://", "https:///cb", "https://a.test/cb#x", "https://u@a.test/cb",
            "https://*.a.test/cb", "http://a.test/cb", "http://127.0.0.1.evil.test/cb", "javascript:alert(1)",
            "data:text/html,x", "myapp:/cb", "HTTPS://a.test/cb", "https://a.test/c b", "https://a.test/\"",
            "https://a.test/<", "https://ä.test/cb", "https://a.test;script-src/cb", "https://a.test,b/cb",
            "https://a.test/\r\n", "1a.b:/cb", "https://a.test/" + String(repeating: "x", count: 2000),
        ])
    func refused(_ uri: String) { #expect(RedirectURI.problem(uri, isPublic: true) != nil) }

    @Test("https, http on loopback, and for public clients a scheme of their own are registered")
    func taken() {
        for uri in [
            "https://a.test/cb", "https://a.test:8443/cb?x=1", "https://a.test", "http://127.0.0.1:5000/cb",
            "http://[::1]:5000/cb", "http://localhost/cb", "com.example.app:/cb", "com.example.app://cb",
        ] { #expect(RedirectURI.problem(uri, isPublic: true) == nil, "\(uri)") }
        #expect(RedirectURI.problem("com.example.app:/cb", isPublic: false) != nil)
    }

    @Test("Parameters are added to whatever query there is, and are escaped")
    func adding() {
        #expect(RedirectURI.adding([("a", "1 &=")], to: "https://a.test/cb") == "https://a.test/cb?a=1%20%26%3D")
        #expect(
            RedirectURI.adding([("a", "1"), ("b", "2")], to: "https://a.test/cb?x=y") == "https://a.test/cb?x=y&a=1&b=2"
        )
        #expect(RedirectURI.adding([("a", "1")], to: "https://a.test/cb?") == "https://a.test/cb?a=1")
    }

    @Test("A page's policy names the origin, or the scheme of an application on a device")
    func policy() {
        #expect(RedirectURI.policySource("https://a.test:8443/cb?x=;") == "https://a.test:8443")
        #expect(RedirectURI.policySource("https://a.test") == "https://a.test")
        #expect(RedirectURI.policySource("https://a.test?x") == "https://a.test")
        #expect(RedirectURI.policySource("https://A.Test:443/cb") == "https://a.test")
        #expect(RedirectURI.policySource("http://127.0.0.1:80/cb") == "http://127.0.0.1")
        #expect(RedirectURI.policySource("com.example.app://cb") == "com.example.app:")
        #expect(RedirectURI.policySource("http.example:/cb") == "http.example:")
        #expect(RedirectURI.policySource("https.example://cb") == "https.example:")
    }

    @Test("RFC 7636 Appendix B: the verifier of the example fits its challenge, and no other")
    func proofKey() {
        #expect(PKCE.isVerifier(LaunchFixture.verifier, of: LaunchFixture.challenge))
        #expect(!PKCE.isVerifier(LaunchFixture.challenge, of: LaunchFixture.challenge))
        #expect(PKCE.isChallenge(LaunchFixture.challenge))
        for text in ["", "a", LaunchFixture.challenge + "A", String(LaunchFixture.challenge.dropLast()) + "="] {
            #expect(!PKCE.isChallenge(text))
        }
    }

    @Test("A secret is read from Basic as RFC 6749 §2.3.1 encodes it, and from nothing else")
    func basic() throws {
        let text = LaunchFixture.basic("a:b c", LaunchFixture.secret)
        let found = try #require(ClientSecret.basic(text))
        #expect(found.id == "a:b c")
        #expect(found.secret == LaunchFixture.secret)
        for field in ["", "Basic", "Basic ", "Basic YQ", "Basic YQ==", "Basic Og==", "Bearer YTpi", "Basic YTpi!"] {
            #expect(ClientSecret.basic(field) == nil, "\(field)")
        }
        #expect(ClientSecret.basic("basic YTpi").map { [$0.id, $0.secret] } == ["a", "b"])
        let made = ClientSecret.made()
        #expect(made.text.utf8.count == 43)
        #expect(ClientSecret.isSecret(made.text, of: made.digest))
        #expect(!ClientSecret.isSecret(made.text + " ", of: made.digest))
        #expect(!ClientSecret.isSecret("", of: []))
    }
}
