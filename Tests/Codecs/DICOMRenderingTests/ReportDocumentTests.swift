import DICOMData
import Testing

@testable import DICOMRendering

/// Structured reports as text and HTML. PS3.3 §C.17.3, PS3.18 §8.7.4.
@Suite("Reports as text")
struct ReportDocumentTests {
    private static func code(_ meaning: String) -> DataSet {
        var code = DataSet()
        code.set(.codeValue, string: "1")
        code.set(.codeMeaning, string: meaning)
        return code
    }

    private static func item(_ type: String, _ name: String, _ fill: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var item = DataSet()
        item.set(.valueType, string: type)
        item.set(.conceptNameCodeSequence, items: [code(name)])
        fill(&item)
        return item
    }

    private static func report(_ content: [DataSet]) -> DataSet {
        var set = item("CONTAINER", "Chest <CT>") { $0.set(.contentSequence, items: content) }
        set.set(.patientName, string: "Doe^Jane")
        set.set(.patientID, string: "P\"1")
        return set
    }

    @Test("PS3.3 §C.17.3: text, codes, numbers with units and names stand under their containers, in order")
    func tree() throws {
        var unit = Self.code("millimetre")
        unit.set(.codeValue, string: "mm")
        var measured = DataSet()
        measured.set(.numericValue, string: "12.5")
        measured.set(Tag(0x0040, 0x08EA), .SQ, items: [unit])
        let findings = Self.item("CONTAINER", "Findings") {
            $0.set(
                .contentSequence,
                items: [
                    Self.item("NUM", "Diameter") { $0.set(.measuredValueSequence, items: [measured]) },
                    Self.item("CODE", "Side") { $0.set(.conceptCodeSequence, items: [Self.code("Left")]) },
                ])
        }
        let report = try #require(
            ReportDocument(
                Self.report([
                    findings, Self.item("TEXT", "Impression") { $0.set(.textValue, string: "Stable\r\n& small") },
                    Self.item("PNAME", "Reader") { $0.set(.personName, string: "Roe^Richard") },
                ])))
        #expect(
            report.plainText == """
                Chest <CT>

                Patient: Doe Jane
                Patient ID: P"1

                Findings
                  Diameter: 12.5 mm
                  Side: Left
                Impression: Stable
                  & small
                Reader: Roe Richard

                """)
        let html = report.html
        #expect(html.contains("<h1>Chest &lt;CT&gt;</h1>"))
        #expect(html.contains("<dd>P&quot;1</dd>"))
        #expect(html.contains("<em>Impression</em>: Stable<br>&amp; small</li>"))
        #expect(html.contains("<strong>Findings</strong><ul>\n<li><em>Diameter</em>: 12.5 mm</li>\n"))
        #expect(html.ranges(of: "<ul>").count == html.ranges(of: "</ul>").count)
        #expect(html.ranges(of: "<li>").count == html.ranges(of: "</li>").count)
    }

    @Test("Nothing of a report becomes markup, and control characters become U+FFFD")
    func escaping() {
        #expect(
            ReportDocument.escaped("<script>'\"&\u{0}\u{1B}\u{9B}é\r\n\r\u{2028}")
                == "&lt;script&gt;&#39;&quot;&amp;\u{FFFD}\u{FFFD}\u{FFFD}é\n\n\u{2028}")
    }

    @Test("A tree that is too deep or too wide is cut, and says so")
    func limits() throws {
        var item = Self.item("CONTAINER", "x")
        for _ in 0..<40 {
            let inner = item
            item = Self.item("CONTAINER", "x") { $0.set(.contentSequence, items: [inner]) }
        }
        let deep = try #require(ReportDocument(Self.report([item])))
        #expect(deep.items.count == ReportDocument.depthMax)
        #expect(deep.isCut)
        #expect(deep.plainText.contains("more items than are shown"))
        let wide = try #require(
            ReportDocument(
                Self.report([DataSet](repeating: Self.item("TEXT", "y"), count: ReportDocument.itemsMax + 1))))
        #expect(wide.items.count == ReportDocument.itemsMax)
        #expect(wide.isCut)
    }

    @Test("A data set that is no container with content is no report")
    func noReport() {
        #expect(ReportDocument(DataSet()) == nil)
        #expect(!ReportDocument.isReport(Self.item("CONTAINER", "x")))
        #expect(ReportDocument(Self.report([]))?.items == [])
    }
}
