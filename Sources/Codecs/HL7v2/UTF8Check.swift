/// Well-formedness of UTF-8. RFC 3629 §4.
enum UTF8Check {
    /// The offset of the first byte that is not part of well-formed UTF-8, nil when all is.
    static func firstFault(_ bytes: Span<UInt8>) -> Int? {
        var at = 0
        while at < bytes.count {
            let lead = bytes[at]
            if lead < 0x80 {
                at += 1
                continue
            }
            guard let length = sequenceLength(bytes, at: at) else { return at }
            at += length
        }
        return nil
    }

    /// The length of the multi-byte sequence at `at`, nil when it is malformed, overlong, a surrogate or cut off.
    private static func sequenceLength(_ bytes: Span<UInt8>, at: Int) -> Int? {
        let lead = bytes[at]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return nil
        }
        guard at + length <= bytes.count, second.contains(bytes[at + 1]) else { return nil }
        for next in (at + 2)..<max(at + length, at + 2) where bytes[next] & 0xC0 != 0x80 { return nil }
        return length
    }
}
