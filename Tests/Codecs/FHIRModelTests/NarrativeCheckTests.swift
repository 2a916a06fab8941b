import FHIRModel
import Testing

/// Case X20: FHIR R4 narrative.html, txt-1.
@Suite struct NarrativeCheckTests {
    private static let open = "<div xmlns=\"http://www.w3.org/1999/xhtml\">"

    @Test(
        "R4 narrative: formatting, tables, links, images in the text, classes and styles are taken",
        arguments: [
            "text", "<p>a<br/>b &amp; c &#169; &#xe9; &nbsp;</p>", "<p style=\"color: red; padding-left: 3px\">a</p>",
            "<table class=\"grid\"><tbody><tr><td colspan='2'>a</td></tr></tbody></table>",
            "<a href=\"https://example.org/a?b=c&amp;d\">a</a>", "<a href=\"Patient/1\">a</a>", "<a name=\"x\">a</a>",
            "<a href=\"#x\">a</a>", "<a href=\"mailto:a@example.org\">a</a>", "<img src=\"#pic\" alt=\"a\"/>",
            "<img alt=\"\" src=\"data:image/png;base64,AAAA\"/>", "<img src=\"Binary/1\"></img>",
            "<!-- a comment -->", "<p xml:lang=\"de\" lang=\"de\">ä</p>", "<ul>\n\t<li>a &lt;script&gt;</li>\r\n</ul>",
            "<p title=\"a > b\">]] &gt;</p>",
        ])
    func harmless(_ inner: String) {
        #expect(NarrativeCheck.fault(in: Self.open + inner + "</div>") == nil)
        #expect(NarrativeCheck.fault(in: " <div>" + inner + "</div> ") == nil)
    }

    @Test(
        "X20, R4 narrative: what runs, is sent, or is loaded from elsewhere is refused",
        arguments: [
            ("<script>alert(1)</script>", NarrativeCheck.Fault.element), ("<SCRIPT src=\"a\"/>", .element),
            ("<svg onload=\"a()\"/>", .element), ("<math/>", .element), ("<iframe src=\"a\"/>", .element),
            ("<object data=\"a\"/>", .element), ("<embed/>", .element), ("<form action=\"a\"/>", .element),
            ("<input/>", .element), ("<link rel=\"stylesheet\" href=\"a\"/>", .element),
            ("<base href=\"a\"/>", .element),
            ("<meta http-equiv=\"refresh\"/>", .element), ("<style>a{}</style>", .element), ("<body/>", .element),
            ("<x:script xmlns:x=\"http://www.w3.org/1999/xhtml\"/>", .element), ("<html/>", .element),
            ("<p onclick=\"a()\">a</p>", .attribute), ("<p ONCLICK=\"a()\">a</p>", .attribute),
            ("<img src=\"#a\" onerror=\"a()\"/>", .attribute), ("<a href=\"#a\" target=\"_blank\">a</a>", .attribute),
            ("<p srcset=\"a\">a</p>", .attribute), ("<a xlink:href=\"a\">a</a>", .attribute),
            ("<p xmlns=\"http://www.w3.org/2000/svg\">a</p>", .attribute),
            ("<a href=\"javascript:a()\">a</a>", .address), ("<a href=\"JaVaScRiPt:a()\">a</a>", .address),
            ("<a href=\" javascript:a()\">a</a>", .address), ("<a href=\"java\nscript:a()\">a</a>", .address),
            ("<a href=\"java&#10;script:a()\">a</a>", .address),
            ("<a href=\"&#1;javascript:a()\">a</a>", .notWellFormed),
            ("<a href=\"&#x6A;avascript:a()\">a</a>", .address),
            ("<a href=\"javascript&colon;a()\">a</a>", .notWellFormed),
            ("<a href=\"vbscript:a\">a</a>", .address), ("<a href=\"data:text/html,a\">a</a>", .address),
            ("<img src=\"http://elsewhere.example/a.png\"/>", .address),
            ("<img src=\"//elsewhere.example/a\"/>", .address),
            ("<img src=\"/\\elsewhere.example/a\"/>", .address),
            ("<img src=\"data:image/svg+xml;base64,AA\"/>", .address),
            ("<img src=\"javascript:a()\"/>", .address), ("<q cite=\"javascript:a()\">a</q>", .address),
            ("<p style=\"background: url(http://a)\">a</p>", .style),
            ("<p style=\"background:u\\72l(a)\">a</p>", .style),
            ("<p style=\"width: expression(a())\">a</p>", .style),
            ("<p style=\"width: exp/**/ression(a())\">a</p>", .style),
            ("<p style=\"behavior: a\">a</p>", .style), ("<p style=\"-moz-binding: a\">a</p>", .style),
            ("<p style=\"background:&#117;rl(a)\">a</p>", .style), ("<p style=\"@import 'a'\">a</p>", .style),
        ])
    func active(_ inner: String, _ fault: NarrativeCheck.Fault) {
        #expect(NarrativeCheck.fault(in: Self.open + inner + "</div>") == fault)
    }

    @Test(
        "X20: what an XML and an HTML reader take differently, or neither can read, is refused",
        arguments: [
            ("", NarrativeCheck.Fault.notWellFormed), ("text", .notWellFormed), ("<p>a</p>", .notWellFormed),
            ("<div>", .notWellFormed), ("<div/>", .notWellFormed), ("<div>a</div><div>b</div>", .notWellFormed),
            ("<div>a</div>b", .notWellFormed), ("<div><p>a</div></p>", .notWellFormed),
            ("<div>a & b</div>", .notWellFormed),
            ("<div>&;</div>", .notWellFormed), ("<div>&#0;</div>", .notWellFormed),
            ("<div>&#xD800;</div>", .notWellFormed),
            ("<div>&#-1;</div>", .notWellFormed), ("<div title>b</div>", .notWellFormed),
            ("<div class=a>b</div>", .notWellFormed),
            ("<div class=\"a\"class=\"b\">b</div>", .notWellFormed),
            ("<div class=\"a\" class=\"b\">b</div>", .notWellFormed),
            ("<div title=\"<\">b</div>", .notWellFormed), ("<div title=\"a>b</div>", .notWellFormed),
            ("<div>]]></div>", .notWellFormed), ("<div>\u{1}</div>", .notWellFormed), ("< div>a</div>", .notWellFormed),
            ("<div><!--></div>-->a</div>", .notWellFormed), ("<div><!---></div>-->a</div>", .notWellFormed),
            ("<div><!-- a -- b --></div>", .notWellFormed), ("<div><!-- a", .notWellFormed),
            ("<div><![CDATA[<script>]]></div>", .markup), ("<div><?php a ?></div>", .markup),
            ("<!DOCTYPE div [<!ENTITY a \"b\">]><div>&a;</div>", .notWellFormed),
            ("<div><!DOCTYPE a></div>", .markup), ("<div><script", .element),
            ("<?xml version=\"1.0\"?><div/>", .markup),
        ])
    func malformed(_ text: String, _ fault: NarrativeCheck.Fault) {
        // A document type before the div is refused, whichever fault is named.
        let found = NarrativeCheck.fault(in: text)
        #expect(found == fault || (text.hasPrefix("<!") && found == .markup), "\(text)")
    }

    @Test("X20: depth is bounded, and a large narrative is read in one pass")
    func bounds() {
        func nested(_ depth: Int) -> String {
            String(repeating: "<div>", count: depth) + "a" + String(repeating: "</div>", count: depth)
        }
        #expect(NarrativeCheck.fault(in: nested(NarrativeCheck.depthMax)) == nil)
        #expect(NarrativeCheck.fault(in: nested(NarrativeCheck.depthMax + 1)) == .tooDeep)
        let clock = ContinuousClock()
        let large = "<div>" + String(repeating: "<p title=\"&amp;\">a &lt; b</p>", count: 100_000) + "</div>"
        let time = clock.measure { #expect(NarrativeCheck.fault(in: large) == nil) }
        #expect(time < .seconds(20))
    }

    @Test("X20: narratives are looked at wherever a resource may stand: contained, in entries, parameters and sections")
    func everywhere() throws {
        let text = #""text":{"status":"generated","div":"<div><script>a</script></div>"}"#
        for (document, place) in [
            (#"{"resourceType":"Patient",\#(text)}"#, "Patient.text.div"),
            (
                #"{"resourceType":"Patient","contained":[{"resourceType":"Location",\#(text)}]}"#,
                "Patient.contained[0].text.div"
            ),
            (
                #"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient",\#(text)}}]}"#,
                "Bundle.entry[0].resource.text.div"
            ),
            (
                #"{"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient",\#(text)}}]}"#,
                "Parameters.parameter[0].resource.text.div"
            ),
            (
                #"{"resourceType":"Composition","status":"final","type":{"text":"a"},"date":"2026","title":"a","author":[{"display":"a"}],"section":[{"section":[{\#(text)}]}]}"#,
                "Composition.section[0].section[0].text.div"
            ),
        ] {
            let resource = try Resource(parsing: Array(document.utf8))
            let issues = StructureValidator().issues(in: resource).filter { $0.severity == .error }
            #expect(issues.map(\.expression) == [[place]], "\(place)")
            #expect(issues.first?.diagnostics?.contains("script") == false)
            #expect(
                StructureValidator(narrative: .keep).issues(in: resource).filter { $0.severity == .error }.isEmpty)
        }
    }
}
