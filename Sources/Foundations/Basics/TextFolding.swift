/// Folding of text for search: case, accents, punctuation and runs of white space make no difference. FHIR R4
/// search.html#string.
///
/// An apostrophe and a full stop are left out (`O'Connor` is `oconnor`), any other punctuation is a gap (`Smith-Jones` is
/// `smith jones`). A text of punctuation alone keeps it.
///
/// Covers the Latin, Greek and Cyrillic letters that Unicode writes with marks; other scripts keep their letters and
/// lose only free-standing combining marks.
package enum TextFolding {
    /// The folded form. Idempotent.
    package static func folded(_ text: some StringProtocol) -> String {
        let plain = folded(text, keepsPunctuation: false)
        return plain.isEmpty ? folded(text, keepsPunctuation: true) : plain
    }

    /// The folded form without gaps where the text has punctuation: `smithjones` of `Smith-Jones`.
    package static func joined(_ text: some StringProtocol) -> String {
        folded(String(String.UnicodeScalarView(text.unicodeScalars.filter { !isGap($0) })))
    }

    /// Punctuation that stands inside one word.
    private static func isInsideWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x27, 0x2E, 0x60, 0xB4, 0x2B9, 0x2BB, 0x2BC, 0x2BD, 0x2C8, 0x2018, 0x2019, 0x201B, 0x2032, 0xFF07: true
        default: false
        }
    }

    /// Punctuation between words. A symbol such as `+`, `%` or `<` is none.
    private static func isGap(_ scalar: Unicode.Scalar) -> Bool {
        if isInsideWord(scalar) { return false }
        if scalar.isASCII {
            // The punctuation of ASCII but %, &, @, #, *, which may stand for something.
            switch scalar {
            case "!", "\"", "(", ")", ",", "-", "/", ":", ";", "?", "[", "\\", "]", "_", "{", "}": return true
            default: return false
            }
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    private static func folded(_ text: some StringProtocol, keepsPunctuation: Bool) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        var pendingSpace = false
        for scalar in text.unicodeScalars {
            let value = scalar.value
            if !keepsPunctuation {
                if isInsideWord(scalar) { continue }
                if isGap(scalar) {
                    pendingSpace = !out.isEmpty
                    continue
                }
            }
            if value < 0x80 {
                if value == 0x20 || 0x09...0x0D ~= value {
                    pendingSpace = !out.isEmpty
                    continue
                }
                if pendingSpace { out.append(0x20) }
                pendingSpace = false
                out.append(UInt8(truncatingIfNeeded: 0x41...0x5A ~= value ? value | 0x20 : value))
                continue
            }
            if scalar.properties.isWhitespace {
                pendingSpace = !out.isEmpty
                continue
            }
            if isMark(value) { continue }
            if pendingSpace { out.append(0x20) }
            pendingSpace = false
            for lower in scalar.properties.lowercaseMapping.unicodeScalars where !isMark(lower.value) {
                out.append(contentsOf: (baseLetters[lower.value] ?? String(lower)).utf8)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The blocks of combining marks. Unicode 15 §7.9.
    private static func isMark(_ value: UInt32) -> Bool {
        0x300...0x36F ~= value || 0x1AB0...0x1AFF ~= value || 0x1DC0...0x1DFF ~= value || 0x20D0...0x20FF ~= value
            || 0xFE20...0xFE2F ~= value
    }

    /// Lower-case letters with marks, and what is left without them.
    ///
    /// Strings compare by canonical equivalence, so a letter followed by marks finds the letter that has them built in.
    private static let baseLetters: [UInt32: String] = {
        var composed: [String: String] = [:]
        let bases = "abcdefghijklmnopqrstuvwxyzαεηιουωабвгежзийклмнопрстуфхцчшщъыьэюяі"
        let marks = (0x300...0x345).compactMap { Unicode.Scalar($0) }
        for base in bases.unicodeScalars {
            for mark in marks {
                var one = String(base)
                one.unicodeScalars.append(mark)
                composed[one] = String(base)
            }
            for first in [0x302, 0x306, 0x31B, 0x323, 0x304, 0x307, 0x308].compactMap({ Unicode.Scalar($0) }) {
                for second in marks {
                    var two = String(base)
                    two.unicodeScalars.append(first)
                    two.unicodeScalars.append(second)
                    composed[two] = String(base)
                }
            }
        }
        var found: [UInt32: String] = [:]
        for range in [0xC0...0x24F as ClosedRange<UInt32>, 0x386...0x3CE, 0x400...0x4FF, 0x1E00...0x1EFF] {
            for value in range {
                guard let scalar = Unicode.Scalar(value), let base = composed[String(scalar)] else { continue }
                found[value] = base
            }
        }
        // Letters that Unicode does not decompose.
        for (letter, base) in [
            ("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ħ", "h"), ("ı", "i"),
            ("ŧ", "t"),
            ("þ", "th"), ("ð", "d"), ("ς", "σ"), ("ſ", "s"),
        ] {
            if let scalar = letter.unicodeScalars.first { found[scalar.value] = base }
        }
        return found
    }()
}
