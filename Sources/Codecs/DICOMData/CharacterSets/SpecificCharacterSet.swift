/// The character set of a data set's text: the defined terms of (0008,0005) and what they mean.
/// PS3.3 §C.12.1.1.2, PS3.5 §6.1.
package struct SpecificCharacterSet: Hashable, Sendable, CustomStringConvertible {
    /// The terms as (0008,0005) holds them, without padding; an empty first term stands for the default repertoire.
    package let terms: [String]
    /// How the bytes are to be read.
    let scheme: Scheme

    /// The ways of coding text, chosen by the first term; terms that nobody defined are passed over.
    enum Scheme: Hashable, Sendable {
        case utf8
        case gb18030
        case gbk
        /// ISO 2022: what G0 and G1 hold at the start of a value, and all the sets that may be invoked, in order.
        case iso2022(g0: CodedCharacterSet, g1: CodedCharacterSet?, all: [CodedCharacterSet])
    }

    /// The character set of terms in the order of (0008,0005). Spaces around them do not count, and neither do `-` or
    /// `_` or a space between words, which objects in the field confuse (`ISO-IR 100`, `ISO_IR_100`).
    package init(terms: [String]) {
        self.terms = terms.count == 1 && terms[0].isEmpty ? [] : terms
        let keys = terms.map(Self.key)
        switch keys.first(where: { Self.wholeSchemes[$0] != nil }).flatMap({ Self.wholeSchemes[$0] }) {
        case .some(let scheme): self.scheme = scheme
        case nil:
            var g0 = CodedCharacterSet.ascii
            var g1: CodedCharacterSet?
            var all: [CodedCharacterSet] = [.ascii]
            for (position, key) in keys.enumerated() {
                for set in Self.sets[key] ?? [] {
                    if !all.contains(set) { all.append(set) }
                    // Multi-byte sets of the first term still need their escape sequence. PS3.3 Table C.12-4.
                    guard position == 0, set.bytesPerCharacter == 1 else { continue }
                    if set.isG1 { g1 = set } else { g0 = set }
                }
            }
            if g0 != .ascii { all.removeAll { $0 == .ascii } }
            if g0 != .ascii { all.append(.ascii) }
            scheme = .iso2022(g0: g0, g1: g1, all: all)
        }
    }

    /// ISO_IR 6, the default repertoire: what holds where (0008,0005) is absent. PS3.5 §6.1.1.
    package static let defaultRepertoire = SpecificCharacterSet(terms: [])
    /// ISO_IR 192: Unicode in UTF-8.
    package static let utf8 = SpecificCharacterSet(terms: ["ISO_IR 192"])
    /// ISO_IR 100: Latin alphabet No. 1.
    package static let latin1 = SpecificCharacterSet(terms: ["ISO_IR 100"])

    /// The value of (0008,0005), terms parted by `\`.
    package var description: String { terms.joined(separator: "\\") }

    /// Every term is one that PS3.3 §C.12.1.1.2 defines.
    package var isKnown: Bool {
        terms.allSatisfy { term in
            let key = Self.key(term)
            return key.isEmpty || Self.sets[key] != nil || Self.wholeSchemes[key] != nil
        }
    }

    package static func == (a: SpecificCharacterSet, b: SpecificCharacterSet) -> Bool { a.terms == b.terms }
    package func hash(into hasher: inout Hasher) { hasher.combine(terms) }

    /// Letters and digits only, upper case, without the words that say how, not what.
    private static func key(_ term: String) -> String {
        var key = ""
        for byte in term.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A: key.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x61...0x7A: key.unicodeScalars.append(Unicode.Scalar(byte - 0x20))
            default: continue
            }
        }
        if key.hasPrefix("ISO2022IR") { return String(key.dropFirst(9)) }
        if key.hasPrefix("ISOIR") { return String(key.dropFirst(5)) }
        return key
    }

    private static let wholeSchemes: [String: Scheme] = [
        "192": .utf8, "GB18030": .gb18030, "GBK": .gbk,
        // Never defined terms, but seen in the field for what they say.
        "UTF8": .utf8, "ISO10646": .utf8,
    ]

    private static let sets: [String: [CodedCharacterSet]] = [
        "6": [.ascii], "13": [.jisRoman, .jisKatakana], "100": [.latin1], "101": [.latin2], "109": [.latin3],
        "110": [.latin4], "144": [.cyrillic], "127": [.arabic], "126": [.greek], "138": [.hebrew], "148": [.latin5],
        "203": [.latin9], "166": [.thai], "87": [.jisX0208], "159": [.jisX0212], "149": [.ksX1001], "58": [.gb2312],
    ]
}
