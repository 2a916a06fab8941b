/// A typeface of our own for what is written into pictures: ASCII and the letters of Latin-1, five pixels wide and seven
/// high, in whole multiples of that. What it has no letter for is a box.
enum Typeface {
    /// From one letter to the next, and from one line to the next, in pixels of a scale of 1.
    static let advance = 6
    static let lineHeight = 12
    /// Rows that accents of capitals stand above the first row of a letter.
    static let rise = 2
    /// Rows of a letter: accents, seven on the line, two below it.
    static let rows = 11

    /// Five bits a row, the leftmost the highest; rows from the accents down.
    typealias Glyph = [UInt8]

    /// Rows and columns that letters of a text cover, without the space behind the last.
    static func size(columns: Int, lines: Int, scale: Int) -> (width: Int, height: Int) {
        (max(0, columns * advance - 1) * scale, max(0, lines * lineHeight - 1) * scale)
    }

    static func glyph(_ scalar: Unicode.Scalar) -> Glyph { glyphs[scalar] ?? box }

    private static let box: Glyph = [0, 0, 0x1F, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1F, 0, 0]

    private static let glyphs: [Unicode.Scalar: Glyph] = {
        var glyphs: [Unicode.Scalar: Glyph] = [:]
        for sheet in GlyphArt.sheets {
            let rows = sheet.rows.map { Array($0.utf8) }
            for (index, scalar) in sheet.letters.unicodeScalars.enumerated() {
                let cells = rows.map { row in
                    (0..<5).reduce(UInt8(0)) { bits, column in
                        let at = index * 6 + column
                        return bits << 1 | (at < row.count && row[at] == UInt8(ascii: "#") ? 1 : 0)
                    }
                }
                glyphs[scalar] = [0, 0] + cells
            }
        }
        for (letter, base, accent) in accented {
            guard let plain = glyphs[base], let mark = accents[accent] else { continue }
            glyphs[letter] = joined(plain, accent, mark, isSmall: ("a"..."z").contains(base))
        }
        glyphs["\u{A0}"] = glyphs[" "]
        glyphs["\u{AD}"] = glyphs["-"]
        glyphs["\u{2013}"] = glyphs["-"]
        glyphs["\u{2019}"] = glyphs["'"]
        return glyphs
    }()

    /// Two rows each.
    private static let accents: [Character: [UInt8]] = [
        "`": [0b01000, 0b00100], "'": [0b00010, 0b00100], "^": [0b00100, 0b01010], "~": [0b01101, 0b10010],
        "\"": [0b01010, 0], "o": [0b01100, 0b01100], ",": [0b00100, 0b01100],
    ]

    /// Letter, what it is made of, and its accent.
    private static let accented: [(Unicode.Scalar, Unicode.Scalar, Character)] = {
        let rows: [(letters: String, bases: String, accents: String)] = [
            ("ÀÁÂÃÄÅÇÈÉÊË", "AAAAAACEEEE", "`'^~\"o,`'^\""), ("ÌÍÎÏÑÒÓÔÕÖ", "IIIINOOOOO", "`'^\"~`'^~\""),
            ("ÙÚÛÜÝ", "UUUUY", "`'^\"'"), ("àáâãäåçèéêë", "aaaaaaceeee", "`'^~\"o,`'^\""),
            ("ìíîïñòóôõö", "iiiinooooo", "`'^\"~`'^~\""), ("ùúûüýÿ", "uuuuyy", "`'^\"'\""),
        ]
        return rows.flatMap { row in
            zip(row.letters.unicodeScalars, zip(row.bases.unicodeScalars, row.accents)).map { ($0, $1.0, $1.1) }
        }
    }()

    private static func joined(_ plain: Glyph, _ accent: Character, _ mark: [UInt8], isSmall: Bool) -> Glyph {
        var glyph = plain
        if accent == "," {
            glyph[9] = mark[0]
            glyph[10] = mark[1]
        } else {
            // Above a small letter, in place of a dot; above a capital.
            let row = isSmall ? 2 : 0
            glyph[row] = mark[0]
            glyph[row + 1] = mark[1]
        }
        return glyph
    }
}
