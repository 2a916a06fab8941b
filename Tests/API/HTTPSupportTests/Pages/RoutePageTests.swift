import HTTPTypes
import Testing

@testable import HTTPSupport

/// When a request asks for a page. RFC 9110 §12.5.1; FHIR R4 http.html#mime-type.
struct RoutePageTests {
    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

    @Test(
        "Whoever likes HTML best is given the page; who names JSON as well, or nothing, is not",
        arguments: [
            (browser, true), ("text/html", true), ("TEXT/HTML", true), ("text/html;charset=utf-8", true),
            ("text/html;q=0.9, application/json;q=0.8", true), ("application/fhir+json, text/html", false),
            ("text/html;q=0.5, application/fhir+json;q=0.6", false), ("text/html;q=0", false), ("*/*", false),
            ("text/*", true), ("", false), ("text/plain", false), ("text/html, */*", false),
        ])
    func accept(_ text: String, _ isAsked: Bool) {
        #expect(RoutePage.isAsked([.accept: text], rawQuery: "") == isAsked)
        #expect(!RoutePage.isAsked([.accept: text, .authorization: "Bearer x"], rawQuery: ""))
    }

    @Test("_format goes before Accept, and a token before both")
    func format() {
        #expect(RoutePage.isAsked([:], rawQuery: "_format=html"))
        #expect(RoutePage.isAsked([.accept: "application/fhir+json"], rawQuery: "a=b&_format=text%2Fhtml"))
        #expect(!RoutePage.isAsked([.accept: Self.browser], rawQuery: "_format=json"))
        #expect(!RoutePage.isAsked([:], rawQuery: "_format=%zz"), "a query that cannot be read says nothing")
        #expect(!RoutePage.isAsked([.authorization: "Bearer x"], rawQuery: "_format=html"))
        #expect(!RoutePage.isAsked([:], rawQuery: ""))
    }

    @Test("CWE-79: a foreign document is a value of its frame, and nothing of it is the page's own")
    func frame() {
        let markup = HTML.frame(of: "<div>\"><script>alert(1)</script></div>", title: "a \"title\"").markup
        #expect(markup.hasPrefix("<iframe sandbox=\"\" "))
        #expect(!markup.contains("<script") && !markup.contains("<div"))
        #expect(markup.contains("title=\"a &quot;title&quot;\""))
        #expect(markup.hasSuffix("&lt;/div&gt;\"></iframe>"))
    }
}
