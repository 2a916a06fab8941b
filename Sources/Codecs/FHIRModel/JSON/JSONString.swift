/// Unescaping and comparing of string tokens.
enum JSONString {
    /// The characters of a string or name token as UTF-8, escapes expanded, quotes left out.
    static func decoded(in bytes: [UInt8], _ node: JSONTapeNode) -> [UInt8] {
        decoded(bytes.span.bytes, node)
    }

    /// The characters of a string or name token as UTF-8, escapes expanded, quotes left out.
    static func decoded(_ text: borrowing RawSpan, _ node: JSONTapeNode) -> [UInt8] {
        let start = Int(node.start) + 1
        let end = node.end - 1
        var out: [UInt8] = []
        out.reserveCapacity(max(end - start, 0))
        var at = start
        while at < end {
            let b = JSONScanner.byte(text, at)
            guard b == 0x5C else {
                out.append(b)
                at += 1
                continue
            }
            let kind = JSONScanner.byte(text, at + 1)
            at += 2
            switch kind {
            case 0x62: out.append(0x08)
            case 0x66: out.append(0x0C)
            case 0x6E: out.append(0x0A)
            case 0x72: out.append(0x0D)
            case 0x74: out.append(0x09)
            case 0x75:
                var scalar = unit(text, at)
                at += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (unit(text, at + 2) & 0x3FF)
                    at += 6
                }
                appendUTF8(scalar, to: &out)
            default: out.append(kind)
            }
        }
        return out
    }

    /// The UTF-16 unit written as four hexadecimal digits at `position`; the reader has checked them.
    private static func unit(_ text: borrowing RawSpan, _ position: Int) -> UInt32 {
        var value: UInt32 = 0
        for i in 0..<4 { value = value << 4 | (JSONScanner.hexDigit(JSONScanner.byte(text, position + i)) ?? 0) }
        return value
    }

    private static func appendUTF8(_ scalar: UInt32, to out: inout [UInt8]) {
        switch scalar {
        case ..<0x80:
            out.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            out.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            out.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        case ..<0x10000:
            out.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            out.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            out.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        default:
            out.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            out.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            out.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            out.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }
}

/// RFC 6901 spelling.
package enum JSONPointer {
    /// One reference token with `~` and `/` escaped. RFC 6901 §3.
    package static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == 0x7E || $0 == 0x2F }) else { return name }
        var out = ""
        for character in name.unicodeScalars {
            switch character {
            case "~": out += "~0"
            case "/": out += "~1"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
