import Testing

/// The page of the configuration names what can be configured.
@Suite struct ConfigurationPageTests {
    private static let page = "Sources/Server/Server.docc/Configuration.md"

    /// The raw values of the cases of each `CodingKeys` of a source.
    static func keys(in source: String) -> [String] {
        var found: [String] = []
        for body in source.components(after: "CodingKeys: String, CodingKey, CaseIterable {") {
            // A computed property ends the cases.
            let cases = body.prefix { $0 != "}" }.prefixUpTo("var ")
            for list in cases.split(separator: "case ").dropFirst() {
                for part in list.split(separator: ",") {
                    let words = part.split(separator: "\n").first ?? part
                    let sides = words.split(separator: "=").map { $0.trimmingWhitespace() }
                    guard let name = sides.last, !name.isEmpty, !name.hasPrefix("//") else { continue }
                    found.append(name.filter { $0 != "\"" && $0 != "`" })
                }
            }
        }
        return found
    }

    @Test("Keys are read with their names in the file, several of a line too")
    func reader() {
        let source = """
            enum CodingKeys: String, CodingKey, CaseIterable {
                case `protocol`, host,
                    port
                // Of a door.
                case clearText = "clear-text"
                /// Which.
                var doors: Int { switch self { case .host: 1 } }
            }
            private enum CodingKeys: String, CodingKey, CaseIterable { case issuer, keySetURL = "jwks-url" }
            """
        #expect(Self.keys(in: source) == ["protocol", "host", "port", "clear-text", "issuer", "jwks-url"])
    }

    @Test("Every key of hilum.yaml stands on the page")
    func complete() throws {
        let page = try #require(
            PackageTree.here.files(under: "Sources/Server/Server.docc", ending: [".md"]).first { $0.path == Self.page })
        // Words in backquotes, also `publishing.quiet-seconds` and `{ value, role }`.
        let named = Set(
            page.text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }
                .flatMap { $0.element.split { !($0.isLetter || $0.isNumber || $0 == "-") } })
        var count = 0
        for file in PackageTree.here.files(under: "Sources/Server/Configuration", ending: [".swift"]) {
            for key in Self.keys(in: file.text) {
                count += 1
                #expect(named.contains(Substring(key)), "\(file.path): `\(key)` is not on \(Self.page)")
            }
        }
        #expect(count > 150)
    }
}

extension StringProtocol {
    /// What follows each place of a text.
    fileprivate func components(after mark: String) -> [Substring] {
        var found: [Substring] = []
        var rest = Substring(self)
        while let range = rest.firstRange(of: mark) {
            rest = rest[range.upperBound...]
            found.append(rest)
        }
        return found
    }

    fileprivate func prefixUpTo(_ mark: String) -> Substring {
        let text = Substring(self)
        return text.firstRange(of: mark).map { text[..<$0.lowerBound] } ?? text
    }

    fileprivate func trimmingWhitespace() -> String {
        String(self.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
