import Access
import HTTPTypes
import HummingbirdCore
import TestSupport
import Testing

@testable import HTTPSupport

/// CSP Level 3 §6; WCAG 2.2; RFC 9110 §12.5.4.
@Suite(.takingTurns) struct PageTests {
    private static func responder() throws -> APIResponder {
        let group = RouteGroup(
            name: "pages", prefix: "/pages", errorBody: PageErrorBody(),
            routes: [
                Stylesheet.route,
                Route(.get, "/pages/one", operationID: "one", access: .open) { _ in
                    Page("A & B", .english, [.element("p", [], .text(String(repeating: "x", count: 4000)))]).response()
                },
                Route(.get, "/pages/bad", operationID: "bad", access: .open) { _ in
                    throw HTTPFailure(.insufficientScope, "<not> yours")
                },
            ])
        return APIResponder(
            table: try RouteTable([group]),
            authenticator: BearerAuthenticator(tokens: NoTokens(), audit: APIResponderTests.Trail(), realm: "r"),
            newRequestID: { "r-1" })
    }

    @Test("A page is no part of another, runs nothing, and is kept by no cache")
    func policy() async throws {
        let answer = try await Self.responder().answer(.get, "/pages/one")
        let policy = try #require(answer[.contentSecurityPolicy])
        for part in [
            "default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
        ] { #expect(policy.contains(part)) }
        #expect(!policy.contains("unsafe"))
        #expect(answer[.xFrameOptions] == "DENY")
        #expect(answer[.cacheControl] == "no-store")
        #expect(answer[.referrerPolicy] == "same-origin")
        #expect(answer[.contentType] == "text/html; charset=utf-8")
    }

    @Test("A page says its language, has one main part and one first heading, a link past the links, and fits a phone")
    func structure() {
        var page = Page("A & B", .english, ["text"])
        page.navigation = [.init("/account", "Account")]
        let text = String(decoding: page.bytes, as: UTF8.self)
        #expect(text.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
        for part in [
            "<title>A &amp; B – Hilum</title>", "<h1>A &amp; B</h1>", "<main id=\"main\">", "href=\"#main\"",
            "width=device-width", "<nav aria-label=", "<link rel=\"stylesheet\" href=\"/assets/hilum-",
        ] { #expect(text.components(separated: part) == 2, "\(part)") }
        #expect(!text.contains("<script") && !text.contains("style="))
    }

    @Test("Forms lead to other origins only where a page names them, and to nothing that is no origin")
    func formOrigins() {
        var page = Page("A", .english, [])
        page.formOrigins = ["https://app.example", "https://app.example/path", "'unsafe-inline'", "*", "https://a;b"]
        let policy = page.response().headers[.contentSecurityPolicy] ?? ""
        #expect(policy.contains("form-action 'self' https://app.example;"))
        #expect(!policy.contains("path") && !policy.contains("unsafe") && !policy.contains("*"))
    }

    @Test(
        "RFC 8252 §7.1: forms may lead to the own scheme of an application, to no other scheme, and from a page without any"
    )
    func formSchemes() {
        var page = Page("A", .english, [])
        page.formOrigins = [
            "com.example.app:", "https:", "data:", "javascript:", "com.example.app", "Com.example:", "com.example:;",
            ".a:",
        ]
        let policy = page.response().headers[.contentSecurityPolicy] ?? ""
        #expect(policy.contains("form-action 'self' com.example.app:; "))
        page.hasForms = false
        #expect(page.response().headers[.contentSecurityPolicy]?.contains("form-action 'none'; ") == true)
        #expect(page.response(headers: [.referrerPolicy: "no-referrer"]).headers[.referrerPolicy] == "no-referrer")
    }

    @Test("CSP Level 3 §6.1.10: a script is a file of this server, of a page that names one")
    func scripts() {
        var page = Page("A", .english, [])
        for path in ["https://evil.example/x.js", "//evil.example/x.js", "data:text/javascript,x"] {
            page.script = path
            #expect(!String(decoding: page.bytes, as: UTF8.self).contains("<script"))
        }
        page.script = "/assets/a.js?b=\"c&d"
        let text = String(decoding: page.bytes, as: UTF8.self)
        #expect(text.components(separated: "<script src=\"/assets/a.js?b=&quot;c&amp;d\" defer></script>") == 2)
        #expect(page.response().headers[.contentSecurityPolicy]?.contains("script-src 'self'; ") == true)
    }

    @Test("A page goes on by itself within this server alone")
    func continues() {
        var page = Page("A", .english, [])
        page.continuesTo = "/oauth/authorize?a=b&c=d"
        #expect(String(decoding: page.bytes, as: UTF8.self).contains("content=\"0;url=/oauth/authorize?a=b&amp;c=d\""))
        page.continuesTo = "//evil.example"
        #expect(!String(decoding: page.bytes, as: UTF8.self).contains("refresh"))
    }

    @Test("BREACH: a page is not compressed, the stylesheet is")
    func compression() async throws {
        let responder = try Self.responder()
        let page = try await responder.answer(.get, "/pages/one", headers: [.acceptEncoding: "gzip"])
        #expect(page[.contentEncoding] == nil)
        #expect(page.body.count > 4000)
        let style = try await responder.answer(.get, Stylesheet.path, headers: [.acceptEncoding: "gzip"])
        #expect(style[.contentEncoding] == "gzip")
    }

    @Test("The stylesheet is kept for ever under its digest; under another there is none")
    func stylesheet() async throws {
        let responder = try Self.responder()
        let style = try await responder.answer(.get, Stylesheet.path)
        #expect(style.status == 200)
        #expect(style[.contentType] == "text/css; charset=utf-8")
        #expect(style[.cacheControl] == "public, max-age=31536000, immutable")
        for part in ["prefers-color-scheme: dark", ":focus-visible", "max-width: 30rem"] {
            #expect(style.text.contains(part))
        }
        #expect(try await responder.answer(.get, "/assets/hilum-0000.css").status == 404)
        #expect(try await responder.answer(.get, "/assets/hilum.js").status == 404)
    }

    @Test("An error is a page that quotes the request and holds no markup of others")
    func errors() async throws {
        let responder = try Self.responder()
        let refused = try await responder.answer(.get, "/pages/bad")
        #expect(refused.status == 403)
        #expect(refused.text.contains("&lt;not&gt; yours") && refused.text.contains("r-1"))
        #expect(refused[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
        #expect(try await responder.answer(.get, "/pages/none").text.contains("There is no such page"))
    }

    @Test("English has every text; a browser's languages choose among those that there are")
    func languages() {
        #expect(PageLanguage.english.missing == [])
        let norwegian = PageLanguage(tag: "nb", texts: [.signInTitle: "Logg inn"])
        let all = [PageLanguage.english, norwegian]
        #expect(PageLanguage.best(of: "nb-NO, en;q=0.8", among: all).tag == "nb")
        #expect(PageLanguage.best(of: "fr, nb;q=0.5, en;q=0.9", among: all).tag == "en")
        for header in [nil, "", "fr", "nb;q=0", ";;;,,,q=", "*"] {
            #expect(PageLanguage.best(of: header, among: all).tag == "en")
        }
        #expect(norwegian[.signInTitle] == "Logg inn")
        #expect(norwegian[.passwordLabel] == "Password", "what is not translated is said in English")
    }
}

extension String {
    /// How many pieces a text is cut into by another.
    fileprivate func components(separated by: String) -> Int {
        split(separator: by, omittingEmptySubsequences: false).count
    }
}
