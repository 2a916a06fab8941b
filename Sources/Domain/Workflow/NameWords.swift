import Basics

/// Names as fuzzy matching compares them: word by word, in any order, without regard to case, marks and punctuation, each
/// word as it is written or as it sounds. Whatever literal matching finds is found too. PS3.4 §C.2.2.2.1.1, PS3.18 §8.3.4.2.
package enum NameWords {
    /// Words of a name that are looked at; more have been written by no one who has a name.
    static let wordsMax = 64

    /// One word of a key.
    package struct Word: Sendable, Hashable {
        /// The word in its folded form; `*` at one of its ends, or both, is any run of characters.
        package let pattern: String
        /// How it sounds, where it has no wildcard; nil where nothing but the pattern counts.
        package let code: String?

        /// Whether the pattern alone would find codes, too: it begins anywhere and has nothing but digits.
        package var findsCodes: Bool {
            pattern.first == "*" && pattern.utf8.allSatisfy { $0 == UInt8(ascii: "*") || (0x30...0x39).contains($0) }
        }
    }

    /// What no code lies outside of, and no folded word in: all that begins with a capital.
    package static let codes: Range<String> = "A"..<"["

    /// What a name is found by: each of its words and their codes. Codes have capitals and folded words have none, so
    /// neither is mistaken for the other.
    package static func rows(_ name: String) -> Set<String> {
        let words = words(name)
        return Set(words).union(words.compactMap { Soundex.code($0) })
    }

    /// The words of a key, all of which must be in a name; none for a key without letters. A wildcard matches across words
    /// in literal matching: what stands on either side of it is looked for by itself, `sm*th` in words that begin with
    /// `sm` and words that end with `th`.
    package static func words(ofKey key: String) -> [Word] {
        var found: [Word] = []
        for group in parts(key) {
            let pieces = group.split(omittingEmptySubsequences: false, whereSeparator: isWildcard)
            for (index, piece) in pieces.enumerated() {
                let words = folded(piece)
                for (place, word) in words.enumerated() {
                    let isOpenBefore = place == 0 && index > 0 && touches(piece.first)
                    let isOpenBehind = place == words.count - 1 && index < pieces.count - 1 && touches(piece.last)
                    let pattern = (isOpenBefore ? "*" : "") + word + (isOpenBehind ? "*" : "")
                    let isWhole = !isOpenBefore && !isOpenBehind
                    found.append(Word(pattern: pattern, code: isWhole ? Soundex.code(word) : nil))
                }
            }
        }
        var seen: Set<Word> = []
        return Array(found.filter { seen.insert($0).inserted }.prefix(wordsMax))
    }

    /// Whether a name has all words of a key.
    package static func matches(_ name: String, _ key: String) -> Bool {
        let words = words(ofKey: key)
        let rows = rows(name)
        return words.allSatisfy { word in
            rows.contains { row in
                row == word.code || KeyMatch.matches(row, word.pattern) && !(word.findsCodes && codes.contains(row))
            }
        }
    }

    private static func words(_ name: String) -> [String] {
        Array(parts(name).flatMap { folded($0) }.prefix(wordsMax))
    }

    /// The components of all component groups.
    private static func parts(_ text: String) -> [Substring] { text.split { $0 == "^" || $0 == "=" } }

    private static func folded(_ text: Substring) -> [String] {
        TextFolding.folded(text).split(separator: " ").map(String.init).filter { word in
            word.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil }
        }
    }

    private static func isWildcard(_ character: Character) -> Bool { character == "*" || character == "?" }

    /// A wildcard beside a space stands for words of their own.
    private static func touches(_ character: Character?) -> Bool { character.map { !$0.isWhitespace } ?? false }
}
