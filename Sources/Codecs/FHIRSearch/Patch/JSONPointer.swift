/// A place in a JSON document. RFC 6901.
package struct JSONPointer: Hashable, Sendable {
    /// Names and positions from the root, unescaped; none for the whole document.
    package let tokens: [String]

    /// Names and positions of one pointer; deeper than any text that the reader takes.
    static let tokensMax = 128

    init(_ tokens: [String]) { self.tokens = tokens }

    /// Nil for a text that is no pointer: one that starts without `/`, a `~` before anything but 0 or 1, or more than
    /// 128 tokens.
    package init?(_ text: String) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard tokens.count < Self.tokensMax, let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    private static func unescaped(_ part: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var isEscape = false
        for byte in part {
            switch (isEscape, byte) {
            case (true, UInt8(ascii: "0")): bytes.append(UInt8(ascii: "~"))
            case (true, UInt8(ascii: "1")): bytes.append(UInt8(ascii: "/"))
            case (true, _): return nil
            case (false, UInt8(ascii: "~")):
                isEscape = true
                continue
            case (false, _): bytes.append(byte)
            }
            isEscape = false
        }
        return isEscape ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the other place is within this one, and not this one itself.
    func contains(_ other: JSONPointer) -> Bool {
        tokens.count < other.tokens.count && other.tokens.starts(with: tokens)
    }

    /// A position in an array: digits without a leading zero; nil for everything else. RFC 6901 §4.
    static func position(_ token: String) -> Int? {
        let digits = token.utf8
        guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }), digits.count == 1 || digits.first != 0x30
        else { return nil }
        return Int(token)
    }
}
