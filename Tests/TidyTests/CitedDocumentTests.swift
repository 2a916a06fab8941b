import Foundation
import Testing

/// What code and documents cite is there.
@Suite struct CitedDocumentTests {
    private static let page = "Sources/Server/Server.docc/Architecture.md"

    private static var architecture: String {
        PackageTree.here.files(under: "Sources/Server/Server.docc", ending: [".md"]).first { $0.path == page }?.text
            ?? ""
    }

    /// The numbers in `house decision 4` and `House decisions 1 and 8`.
    static func decisions(in text: String) -> [Int] {
        text.lowercased().split(separator: "house decision", omittingEmptySubsequences: false).dropFirst().flatMap {
            rest -> [Int] in
            var words = rest.drop { $0 == "s" || $0 == " " }.prefix(20).split { !$0.isNumber && !$0.isLetter }
            var found: [Int] = []
            while let word = words.first {
                if let number = Int(word) { found.append(number) } else if word != "and" { break }
                words.removeFirst()
            }
            return found
        }
    }

    @Test("Every house decision that is named has its number on the page of the architecture")
    func houseDecisions() {
        let numbered = Set(
            Self.architecture.split(separator: "\n").compactMap { line in
                line.contains("**") ? line.split(separator: ".").first.flatMap { Int($0) } : nil
            })
        #expect(numbered.isSuperset(of: 1...12))
        var named = 0
        for file in ["Sources", "Tests", "conformance"].flatMap({
            PackageTree.here.files(under: $0, ending: [".swift", ".csv", ".md"])
        }) where !file.path.contains("CitedDocumentTests") {
            for number in Self.decisions(in: file.text) {
                named += 1
                #expect(numbered.contains(number), "\(file.path) names house decision \(number)")
            }
        }
        #expect(named >= 10)
    }

    /// The names in backquotes that stand for files, in the lists of journeys.
    static func files(in text: String) -> [Substring] {
        guard let start = text.range(of: "## Seven journeys"), let end = text.range(of: "## Where to begin") else {
            return []
        }
        return text[start.upperBound..<end.lowerBound].split(separator: "\n").filter { $0.first?.isNumber == true }
            .flatMap { line in
                line.split(separator: "`", omittingEmptySubsequences: false).enumerated().compactMap {
                    $0.offset % 2 == 1 ? $0.element.split(separator: ".").first ?? $0.element : nil
                }
            }
    }

    @Test("Every file or module on the seven journeys exists")
    func journeys() {
        let tree = PackageTree.here.files(under: "Sources", ending: [".swift"])
        let names = Set(tree.map { $0.name.dropLast(6) })
        let modules = Set(tree.compactMap { $0.components.count > 3 ? Substring($0.components[2]) : nil })
        let cited = Self.files(in: Self.architecture)
        #expect(cited.count >= 60)
        for name in cited {
            // `+Fed` stands for one file of each type.
            let isEnding = name.hasPrefix("+") && names.contains { $0.hasSuffix(name) }
            #expect(isEnding || names.contains(name) || modules.contains(name), "\(name)")
        }
    }

    @Test("Every document that a comment or another document cites by its path exists")
    func paths() {
        let files = PackageTree.here.files(under: "", ending: [".md"])
        let known = Set(files.map(\.path))
        var cited = 0
        for file in files + PackageTree.here.files(under: "Sources", ending: [".swift"]) {
            for word in file.text.split(whereSeparator: { " \n()`\"[]<>,;".contains($0) })
            where word.hasSuffix(".md") && word.contains("/") && !word.hasPrefix("http") {
                cited += 1
                let isThere = known.contains(String(word)) || known.contains(Self.path(word, from: file))
                #expect(isThere, "\(file.path) cites \(word)")
            }
        }
        #expect(cited >= 5)
    }

    /// A path as it is written in a file, from the root of the package.
    private static func path(_ word: Substring, from file: PackageTree.File) -> String {
        var parts = file.components.dropLast().map { Substring($0) }
        for part in word.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    @Test("A number, two numbers and none are read")
    func badSample() {
        #expect(
            Self.decisions(in: "House decision 4: no. House decisions 1 and 8. (house decision 5)") == [4, 1, 8, 5])
        #expect(Self.decisions(in: "a house decision of note") == [])
    }
}
