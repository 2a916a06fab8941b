import TestSupport
import Testing

@testable import HTTPSupport

/// HTML Living Standard §13.3; CWE-79, CWE-601.
@Suite(.takingTurns) struct HTMLTests {
    @Test("What has a meaning in HTML leaves as a reference, in text and in attributes, also where it is interpolated")
    func escaped() {
        let name = #"</p><script>alert('1')</script>"& "#
        let escaped = "&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp; "
        #expect(HTML.text("<a href='x\"'>&amp;").markup == "&lt;a href=&#39;x&quot;&#39;&gt;&amp;amp;")
        #expect(HTML.element("p", [], .text(name)).markup == "<p>\(escaped)</p>")
        #expect(HTML.element("p", [], "Name: \(name)").markup == "<p>Name: \(escaped)</p>")
        #expect(HTML.element("p", [.init("title", name)]).markup == "<p title=\"\(escaped)\"></p>")
    }

    @Test(
        "Controls and marks that turn the order of text around are replaced, line breaks and letters of all kinds stay")
    func controls() {
        #expect(HTML.text("a\u{0}b\u{202E}c\u{7F}\u{2066}").markup == "a\u{FFFD}b\u{FFFD}c\u{FFFD}\u{FFFD}")
        #expect(HTML.text("a\u{202E}b\u{0}c\u{7F}").markup == "a\u{FFFD}b\u{FFFD}c\u{FFFD}")
        #expect(HTML.text("Ä 漢字\n").markup == "Ä 漢字\n")
        #expect(HTML.text("Ærø\t漢字\n👩‍⚕️").markup == "Ærø\t漢字\n👩‍⚕️")
    }

    @Test("Elements without content have no end tag, all others have one")
    func elements() {
        #expect(HTML.element("input", [.init("name", "a"), .flag("required")]).markup == "<input name=\"a\" required>")
        #expect(HTML.element("td").markup == "<td></td>")
        #expect(HTML.all([.element("b", [], "1"), .none, "2"]).markup == "<b>1</b>2")
    }

    @Test(
        "A URL that runs a script or hides another host leads nowhere",
        arguments: [
            "javascript:alert(1)", " javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example",
            "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "evil", "", "vbscript:x", "/a\r\nb",
        ])
    func links(_ url: String) {
        for name in ["href", "xlink:href", "action", "src", "formaction", "data", "HREF"] as [StaticString] {
            #expect(HTMLAttribute(name, url).markup == " \(name)=\"#\"")
        }
        #expect(HTML.script(url) == .none)
    }

    @Test("Paths of this server, places in the page and pages of the web are links")
    func goodLinks() {
        for url in ["/", "/a?b=c", "#main", "https://app.example/x"] {
            #expect(HTMLAttribute("href", url).markup == " href=\"\(url)\"")
        }
    }

    @Test("CWE-601: what a browser takes for a path of this server, and nothing else")
    func paths() {
        for path in ["/", "/account", "/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fapp.example", "/a//b"] {
            #expect(LocalPath.isLocal(path))
        }
        let foreign = [
            "", "account", "//evil.example", "///evil.example", "/\\evil.example", "https://evil.example", "/a b", "/ä",
            "/\u{0}", "/\r\nSet-Cookie: a=b", "\\/evil.example", "/a\\b",
            "/" + String(repeating: "a", count: LocalPath.bytesMax),
        ]
        for path in foreign { #expect(!LocalPath.isLocal(path)) }
    }
}
