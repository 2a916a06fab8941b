/// Reads the tokens that the two grammars of paths share, ``FHIRPathParser`` and ``SearchExpressionParser``. FHIRPath N1 §2, §3.
protocol PathScanner {
    /// The expression in UTF-8.
    var text: [UInt8] { get }
    /// What is read next, as an index of ``text``; its count at the end.
    var at: Int { get set }
}

extension PathScanner {
    mutating func skipSpace() {
        while at < text.count, text[at] == 0x20 || 0x09...0x0D ~= text[at] { at += 1 }
    }

    /// Whether a mark is next, behind white space.
    mutating func peek(_ mark: Character) -> Bool {
        skipSpace()
        return at < text.count && text[at] == mark.asciiValue
    }

    /// Steps over a mark if it is next.
    mutating func take(_ mark: Character) -> Bool {
        guard peek(mark) else { return false }
        at += 1
        return true
    }

    /// Steps over a word if it is next, and not the beginning of a longer one.
    mutating func takeWord(_ word: String) -> Bool {
        skipSpace()
        let bytes = Array(word.utf8)
        guard text[at...].starts(with: bytes) else { return false }
        let after = at + bytes.count
        guard after == text.count || !Self.isNameByte(text[after]) else { return false }
        at = after
        return true
    }

    /// A name: letters, digits and underscores, no digit first. Nil where there is none; then ``at`` is behind the white
    /// space and the bytes that were looked at.
    mutating func takeName() -> String? {
        skipSpace()
        let start = at
        while at < text.count, Self.isNameByte(text[at]) { at += 1 }
        guard at > start, !(0x30...0x39 ~= text[start]) else { return nil }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    /// Decimal digits; nil where there are none.
    mutating func takeDigits() -> String? {
        skipSpace()
        let start = at
        while at < text.count, 0x30...0x39 ~= text[at] { at += 1 }
        return at > start ? String(decoding: text[start..<at], as: UTF8.self) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || byte == 0x5F
    }
}
