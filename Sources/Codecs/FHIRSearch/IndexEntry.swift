/// One thing by which a resource can be found.
package struct IndexEntry: Sendable, Hashable {
    /// The parameter; see ``SearchParameterKey``.
    package let parameter: Int64
    /// Which element of a composite it belongs to, from 1; 0 outside of composites.
    package let part: Int64
    package let value: Value

    package enum Value: Sendable, Hashable {
        /// `system` is empty for none, and ``anySystem`` where the element itself implies it (a `code`).
        /// `code` is empty for a concept that only has text.
        case token(system: String, code: String)
        /// Folded, as ``IndexEntry/cut(_:)``, and as written, as ``IndexEntry/key(_:)``.
        case string(folded: String, exact: String)
        /// Microseconds since 1970 UTC; `high` excluded. An open end is `Int64.min` or `Int64.max`.
        case date(low: Int64, high: Int64)
        /// `type` is empty when `id` is a URL of something that is not on this server. Both are empty for a reference
        /// that only says that it is there.
        case reference(type: String, id: String)
        /// Equal bounds for one value. An open end is the greatest finite double. All texts may be empty.
        case quantity(low: Double, high: Double, system: String, code: String, unit: String)
        case uri(String)
    }

    package init(parameter: Int64, part: Int64 = 0, value: Value) {
        self.parameter = parameter
        self.part = part
        self.value = value
    }

    /// The system of a token whose element is a bare `code` or `boolean`: a search for any system finds it.
    package static let anySystem = "*"

    /// Bytes of one indexed text.
    package static let textBytesMax = 512

    /// The start of `text`, at most `textBytesMax` bytes and whole characters: what texts are compared with by their
    /// start or their middle. A searched start that is longer finds what agrees with it so far.
    package static func cut(_ text: String) -> String { cut(text, textBytesMax) }

    /// What stands for the whole of `text` where texts are compared for equality: the text itself, or where it is longer
    /// than `textBytesMax` its start, an ellipsis and the SHA-256 of all of it. Two texts have equal keys only when
    /// they are equal.
    package static func key(_ text: String) -> String {
        guard text.utf8.count > textBytesMax else { return text }
        return cut(text, keyStartBytes) + ellipsis + TextDigest.hex(text)
    }

    /// How the keys of texts longer than `textBytesMax` begin that may begin with `text`; nil where a text is short enough
    /// to be the beginning of such a key itself.
    package static func keyStart(_ text: String) -> String? {
        text.utf8.count > keyStartBytes ? cut(text, keyStartBytes) + ellipsis : nil
    }

    private static let ellipsis = "\u{2026}"
    /// Bytes of a long text that its key keeps.
    private static let keyStartBytes = textBytesMax - 80

    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: bytesMax)
        // Back from inside a character to its first byte.
        while end > text.startIndex, text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
