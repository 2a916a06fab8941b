import Foundation

/// Reads the `layer("Folder", "Name", [...])` lines of Package.swift: the names in quotes are modules of ours.
enum ManifestReader {
    struct Target {
        let layer: String
        let name: String
        let ours: [String]
    }

    static func layers(in manifest: String) -> [Target] {
        // Comment lines are dropped by hand: the names stand in string literals, which SwiftSource blanks.
        let text = manifest.split(separator: "\n")
            .filter { !$0.drop(while: { $0 == " " }).hasPrefix("//") }.joined(separator: "\n")
            // A call may be broken after its parenthesis.
            .replacing(/layer\(\s+/, with: "layer(")
        var found: [Target] = []
        var rest = text[...]
        while let call = rest.range(of: "layer(\"") {
            rest = rest[call.upperBound...]
            guard let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]") else { break }
            let names = quoted(rest[..<open])
            // `layer("A", …)`: the search ate the first quote, so the folder is what precedes the next one.
            let folder = String(rest.prefix { $0 != "\"" })
            let inside = rest[rest.index(after: open)..<close]
            found.append(Target(layer: folder, name: names.last ?? "", ours: outsideParentheses(inside)))
            rest = rest[close...]
        }
        return found
    }

    static func findings(_ targets: [Target], table: ImportTable) -> [String] {
        targets.flatMap { target -> [String] in
            guard let row = table.rows[target.name] else { return ["\(target.name) has no row in the import table"] }
            var found = target.ours.filter { !row.ours.contains($0) }.map { "\(target.name) may not depend on \($0)" }
            if row.layer != target.layer { found.append("\(target.name) lies in \(target.layer), not \(row.layer)") }
            return found
        }
    }

    /// The string literals of a text, in order.
    private static func quoted(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 0 }.map { String($0.element) }.filter { !$0.isEmpty && !$0.contains(",") }
    }

    /// The string literals that are not arguments of a call: `"A", nio("B")` gives A.
    private static func outsideParentheses(_ text: Substring) -> [String] {
        var depth = 0
        var plain = ""
        for character in text {
            if character == "(" { depth += 1 }
            if depth == 0 { plain.append(character) }
            if character == ")" { depth -= 1 }
        }
        return plain.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
