import Foundation
import Testing

/// The page of operations names what the server measures.
@Suite struct MetricsPageTests {
    private static let page = "conformance/operations/Status.md"

    /// Names of metrics in a text, each once; in sources those in quotes.
    static func names(in text: some StringProtocol, quoted: Bool) -> Set<String> {
        let text = String(text)
        return quoted
            ? Set(text.matches(of: /"(hilum_[a-z_]+)/).map { String($0.1) })
            : Set(text.matches(of: /`(hilum_[a-z_]+)/).map { String($0.1) })
    }

    @Test("Names are read with their labels left out, of sources only those in quotes")
    func reader() {
        #expect(
            Self.names(in: "`hilum_a_total{x,y}`, hilum_b, `hilum_c`", quoted: false) == ["hilum_a_total", "hilum_c"])
        #expect(Self.names(in: "// hilum_a\ncount(\"hilum_b\", [])", quoted: true) == ["hilum_b"])
    }

    @Test("Every metric stands on the page of operations, and nothing stands there that is not measured")
    func complete() throws {
        let tree = PackageTree.here
        let page = try #require(
            tree.files(under: "conformance/operations", ending: [".md"]).first { $0.path == Self.page })
        let start = try #require(page.text.range(of: "\n## Metrics\n"))
        let told = Self.names(in: page.text[start.upperBound...], quoted: false)
        var measured: Set<String> = []
        for folder in ["Sources/API/OpsAPI", "Sources/Server/Composition"] {
            for file in tree.files(under: folder, ending: [".swift"]) {
                measured.formUnion(Self.names(in: file.text, quoted: true))
            }
        }
        #expect(measured.count > 50)
        for name in measured.sorted() {
            // What ends in `_` is the beginning of several.
            #expect(told.contains { $0.hasPrefix(name) }, "\(name) is not on \(Self.page)")
        }
        for name in told.sorted() {
            #expect(measured.contains { name.hasPrefix($0) }, "\(name) of \(Self.page) is not measured")
        }
    }
}
