/// Base 64 with padding. RFC 4648 §4.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let first = bytes[index]
            let second = index + 1 < bytes.count ? bytes[index + 1] : 0
            let third = index + 2 < bytes.count ? bytes[index + 2] : 0
            out.append(alphabet[Int(first >> 2)])
            out.append(alphabet[Int((first & 3) << 4 | second >> 4)])
            out.append(index + 1 < bytes.count ? alphabet[Int((second & 15) << 2 | third >> 6)] : 61)
            out.append(index + 2 < bytes.count ? alphabet[Int(third & 63)] : 61)
            index += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil for any character outside the alphabet, wrong padding, or set bits beyond the last byte.
    /// White space (CR, LF, space, tab) is skipped when `ignoringWhiteSpace`.
    package static func decode(_ text: some Sequence<UInt8>, ignoringWhiteSpace: Bool = false) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var digits = 0
        var padding = 0
        for byte in text {
            if ignoringWhiteSpace, byte == 32 || byte == 9 || byte == 10 || byte == 13 { continue }
            if byte == 61 {
                padding += 1
                continue
            }
            guard padding == 0 else { return nil }
            let value: UInt32
            switch byte {
            case 65...90: value = UInt32(byte) - 65
            case 97...122: value = UInt32(byte) - 71
            case 48...57: value = UInt32(byte) + 4
            case 43: value = 62
            case 47: value = 63
            default: return nil
            }
            bits = bits << 6 | value
            digits += 1
            if digits == 4 {
                out.append(UInt8(truncatingIfNeeded: bits >> 16))
                out.append(UInt8(truncatingIfNeeded: bits >> 8))
                out.append(UInt8(truncatingIfNeeded: bits))
                bits = 0
                digits = 0
            }
        }
        switch (digits, padding) {
        case (0, 0): return out
        case (2, 2) where bits & 0x0F == 0: return out + [UInt8(truncatingIfNeeded: bits >> 4)]
        case (3, 1) where bits & 0x03 == 0:
            return out + [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        default: return nil
        }
    }
}
