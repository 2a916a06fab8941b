import Foundation

/// A Swift source without its comments and the insides of its string literals, so that a search finds code only.
/// Line breaks stay where they were. Interpolations count as string content: a check that must see them reads the text.
struct SwiftSource {
    let lines: [String]

    init(_ text: String) {
        lines = Self.code(of: text).split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }

    /// The modules that the source imports, with the number of the line (from 1).
    var imports: [(module: String, line: Int)] {
        lines.enumerated().compactMap { index, line in
            var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ";" }).map(String.init)
            while let first = words.first, first.hasPrefix("@") || Self.accessLevels.contains(first) {
                words.removeFirst()
            }
            guard words.first == "import", words.count >= 2 else { return nil }
            let name = words.count >= 3 && Self.kinds.contains(words[1]) ? words[2] : words[1]
            return (String(name.split(separator: ".").first ?? ""), index + 1)
        }
    }

    private static let accessLevels: Set<String> = ["public", "package", "internal", "private", "fileprivate"]
    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

    /// The numbers of the lines on which a word stands as code: not inside a longer identifier.
    func lines(containing word: String) -> [Int] {
        lines.enumerated().compactMap { index, line in Self.contains(line, word) ? index + 1 : nil }
    }

    private static func contains(_ line: String, _ word: String) -> Bool {
        var rest = line[...]
        while let range = rest.range(of: word) {
            let before = range.lowerBound == line.startIndex ? nil : line[line.index(before: range.lowerBound)]
            let after = range.upperBound == line.endIndex ? nil : line[range.upperBound]
            let startsFresh = !(word.first.map(isWord) ?? false) || !(before.map(isWord) ?? false)
            let endsFresh = !(word.last.map(isWord) ?? false) || !(after.map(isWord) ?? false)
            if startsFresh && endsFresh { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    /// The text with comments and string contents blanked. Handles nested block comments, raw and multi-line strings.
    private static func code(of text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        func starts(_ literal: StaticString, _ at: Int) -> Bool {
            literal.withUTF8Buffer { at + $0.count <= bytes.count && bytes[at..<at + $0.count].elementsEqual($0) }
        }
        while index < bytes.count {
            if starts("//", index) {
                while index < bytes.count, bytes[index] != 0x0A { index += 1 }
            } else if starts("/*", index) {
                var depth = 0
                repeat {
                    if starts("/*", index) {
                        depth += 1
                        index += 2
                    } else if starts("*/", index) {
                        depth -= 1
                        index += 2
                    } else {
                        if bytes[index] == 0x0A { out.append(0x0A) }
                        index += 1
                    }
                } while depth > 0 && index < bytes.count
            } else if bytes[index] == 0x22 || bytes[index] == 0x23, let end = stringEnd(bytes, index) {
                out.append(0x22)
                out.append(contentsOf: bytes[index..<end].filter { $0 == 0x0A })
                out.append(0x22)
                index = end
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Where the string literal that starts here ends (one past it), or nil when none starts here.
    private static func stringEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var hashes = 0
        while start + hashes < bytes.count, bytes[start + hashes] == 0x23 { hashes += 1 }
        var index = start + hashes
        guard index < bytes.count, bytes[index] == 0x22 else { return nil }
        let isMultiline = index + 2 < bytes.count && bytes[index + 1] == 0x22 && bytes[index + 2] == 0x22
        let quotes = isMultiline ? 3 : 1
        index += quotes
        let close = [UInt8](repeating: 0x22, count: quotes) + [UInt8](repeating: 0x23, count: hashes)
        let escape = [0x5C] + [UInt8](repeating: 0x23, count: hashes)
        while index < bytes.count {
            if bytes[index...].starts(with: close) { return index + close.count }
            if !isMultiline, bytes[index] == 0x0A { return index }
            if bytes[index...].starts(with: escape), index + escape.count < bytes.count {
                let next = index + escape.count
                index = bytes[next] == 0x28 ? interpolationEnd(bytes, next) : next + 1
            } else {
                index += 1
            }
        }
        return index
    }

    /// One past the parenthesis that closes an interpolation whose `(` stands here.
    private static func interpolationEnd(_ bytes: [UInt8], _ open: Int) -> Int {
        var depth = 0
        var index = open
        while index < bytes.count {
            switch bytes[index] {
            case 0x28: depth += 1
            case 0x29:
                depth -= 1
                if depth == 0 { return index + 1 }
            case 0x22, 0x23:
                if let end = stringEnd(bytes, index) {
                    index = end
                    continue
                }
            default: break
            }
            index += 1
        }
        return index
    }
}
