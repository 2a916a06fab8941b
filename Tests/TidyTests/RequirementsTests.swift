import Foundation
import Testing

/// `conformance/requirements.csv`: each requirement names a proof that is there.
@Suite struct RequirementsTests {
    @Test("Every requirement has an id of its own and a proof that exists: a file, or a text in one")
    func proofs() {
        let tree = PackageTree.here
        let files =
            tree.files(under: "Tests", ending: [".swift"]) + tree.files(under: "conformance", ending: [".py", ".js"])
        let table = tree.files(under: "conformance", ending: ["requirements.csv"]).first?.text ?? ""
        #expect(table.split(separator: "\n").count >= 40)
        #expect(Self.findings(table, files: files) == [])
    }

    @Test("Every row, suite and script that the page of DICOMweb names as its proof is there")
    func namedByPage() throws {
        let tree = PackageTree.here
        let page = try #require(tree.files(under: "conformance/dicomweb", ending: ["Status.md"]).first?.text)
        let start = try #require(page.range(of: "## Where it is shown"))
        let names = page[start.upperBound...].split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
            .flatMap { $0.split(separator: "|").last?.split(whereSeparator: { " ,".contains($0) }) ?? [] }
        #expect(names.count >= 80)
        let table = tree.files(under: "conformance", ending: ["requirements.csv"]).first?.text ?? ""
        let rows = Set(table.split(separator: "\n").compactMap { $0.split(separator: ",").first })
        let files = Set(
            (tree.files(under: "Tests", ending: [".swift"]) + tree.files(under: "conformance", ending: [".py"])).map {
                $0.name.hasSuffix(".swift") ? String($0.name.dropLast(6)) : String($0.name)
            })
        for name in names { #expect(rows.contains(name) || files.contains(String(name)), "\(name)") }
    }

    @Test("A proof that is not there, a text that is gone and an id used twice are named")
    func badSample() {
        let files = [PackageTree.File(path: "Tests/A.swift", text: "one fact")]
        let table = """
            id,clause,requirement,proof
            X-1,,a,Tests/A.swift#one fact
            X-2,,b,Tests/B.swift
            X-2,,c,Tests/A.swift#another fact
            X-3,,d
            """
        #expect(
            Self.findings(table, files: files) == [
                "X-2: no Tests/B.swift", "X-2: used twice", "X-2: Tests/A.swift has no \"another fact\"",
                "X-3: not four fields",
            ])
    }

    /// What is wrong with the table, one line each. Fields hold no commas and no quotes.
    static func findings(_ table: String, files: [PackageTree.File]) -> [String] {
        var seen: Set<String> = []
        return table.split(separator: "\n").dropFirst().flatMap { line -> [String] in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 4 else { return ["\(fields[0]): not four fields"] }
            var found = seen.insert(fields[0]).inserted ? [] : ["\(fields[0]): used twice"]
            let proof = fields[3].split(separator: "#", maxSplits: 1).map(String.init)
            guard let file = files.first(where: { $0.path == proof.first }) else {
                return found + ["\(fields[0]): no \(fields[3])"]
            }
            if proof.count == 2, !file.text.contains(proof[1]) {
                found.append("\(fields[0]): \(file.path) has no \"\(proof[1])\"")
            }
            return found
        }
    }
}
