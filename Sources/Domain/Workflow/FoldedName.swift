/// Names as they are indexed and asked for: in lower case, components without spaces around them, empty ones at the end
/// left out. PS3.5 §6.2.1.1, PS3.4 §C.2.2.2.1.1.
package enum FoldedName {
    /// What a name is found by: the whole value and each of its component groups.
    package static func rows(_ name: String) -> Set<String> {
        let whole = fold(name)
        return Set(whole.split(separator: "=").map(String.init) + [whole]).subtracting([""])
    }

    /// The patterns of which a row must match one. A component that may be empty may also be left out: `doe^*` finds
    /// `doe`.
    package static func patterns(_ key: String) -> [String] {
        let folded = fold(key)
        var short = folded[...]
        while short.hasSuffix("^*") { short = short.dropLast(2) }
        return short.isEmpty || short.count == folded.count || folded.contains("=")
            ? [folded] : [folded, String(short)]
    }

    package static func fold(_ name: String) -> String {
        joined(
            name.lowercased().split(separator: "=", omittingEmptySubsequences: false).map { group in
                joined(group.split(separator: "^", omittingEmptySubsequences: false).map(trimmed), "^")
            }, "=")
    }

    private static func joined(_ parts: [String], _ separator: String) -> String {
        let end = (parts.lastIndex { !$0.isEmpty }).map { $0 + 1 } ?? 0
        return parts[..<end].joined(separator: separator)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
