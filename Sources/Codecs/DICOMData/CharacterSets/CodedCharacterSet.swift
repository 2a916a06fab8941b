/// One coded character set that a defined term of (0008,0005) brings in, with its ISO 2022 escape sequence.
/// PS3.3 §C.12.1.1.2, Tables C.12-2 to C.12-5.
enum CodedCharacterSet: UInt8, Sendable, CaseIterable {
    /// G0, one byte.
    case ascii, jisRoman
    /// G1, one byte.
    case jisKatakana, latin1, latin2, latin3, latin4, cyrillic, arabic, greek, hebrew, latin5, latin9, thai
    /// G0, two bytes.
    case jisX0208, jisX0212
    /// G1, two bytes.
    case ksX1001, gb2312

    /// The bytes after ESC that designate the set, to G0 or to G1 as `isG1` says.
    var escape: [UInt8] {
        switch self {
        case .ascii: [0x28, 0x42]
        case .jisRoman: [0x28, 0x4A]
        case .jisKatakana: [0x29, 0x49]
        case .latin1: [0x2D, 0x41]
        case .latin2: [0x2D, 0x42]
        case .latin3: [0x2D, 0x43]
        case .latin4: [0x2D, 0x44]
        case .cyrillic: [0x2D, 0x4C]
        case .arabic: [0x2D, 0x47]
        case .greek: [0x2D, 0x46]
        case .hebrew: [0x2D, 0x48]
        case .latin5: [0x2D, 0x4D]
        case .latin9: [0x2D, 0x62]
        case .thai: [0x2D, 0x54]
        case .jisX0208: [0x24, 0x42]
        case .jisX0212: [0x24, 0x28, 0x44]
        case .ksX1001: [0x24, 0x29, 0x43]
        case .gb2312: [0x24, 0x29, 0x41]
        }
    }

    var isG1: Bool {
        switch self {
        case .ascii, .jisRoman, .jisX0208, .jisX0212: false
        default: true
        }
    }

    var bytesPerCharacter: Int {
        switch self {
        case .jisX0208, .jisX0212, .ksX1001, .gb2312: 2
        default: 1
        }
    }

    /// The set that the bytes after an ESC designate, nil for an unknown sequence.
    static func designated(by bytes: some Collection<UInt8>) -> CodedCharacterSet? {
        // The older form of JIS X 0208 (1978) differs in a few glyphs only.
        if bytes.starts(with: [0x24, 0x40]) { return .jisX0208 }
        return allCases.first { bytes.starts(with: $0.escape) }
    }

    /// The character of a code, whose bytes count without their high bits; nil where the set has none.
    func scalar(_ high: UInt8, _ low: UInt8 = 0) -> Unicode.Scalar? {
        switch self {
        case .ascii: return Unicode.Scalar(high & 0x7F)
        case .jisRoman:
            return high & 0x7F == 0x5C ? "\u{A5}" : high & 0x7F == 0x7E ? "\u{203E}" : Unicode.Scalar(high & 0x7F)
        case .jisKatakana:
            let code = high | 0x80
            return (0xA1...0xDF).contains(code) ? Unicode.Scalar(0xFF61 + UInt32(code - 0xA1)) : nil
        case .latin1: return Unicode.Scalar(high | 0x80)
        case .jisX0208, .jisX0212, .ksX1001, .gb2312:
            guard let table = ConversionTable.of(self) else { return nil }
            let row = Int(high & 0x7F) - 0x21
            let cell = Int(low & 0x7F) - 0x21
            guard (0..<94).contains(row), (0..<94).contains(cell) else { return nil }
            return table.scalar(row * 94 + cell)
        default:
            return ConversionTable.of(self)?.scalar(Int(high & 0x7F))
        }
    }

    /// The bytes of a character in this set, as they stand in G0 (high bits clear) or G1 (high bits set); nil when the
    /// set lacks it.
    func bytes(_ scalar: Unicode.Scalar) -> [UInt8]? {
        switch self {
        case .ascii: return scalar.isASCII ? [UInt8(scalar.value)] : nil
        case .jisRoman:
            if scalar == "\u{A5}" { return [0x5C] }
            if scalar == "\u{203E}" { return [0x7E] }
            return scalar.isASCII ? [UInt8(scalar.value)] : nil
        case .jisKatakana:
            return (0xFF61...0xFF9F).contains(scalar.value) ? [UInt8(scalar.value - 0xFF61 + 0xA1)] : nil
        case .latin1:
            return (0x80...0xFF).contains(scalar.value) ? [UInt8(scalar.value)] : nil
        case .jisX0208, .jisX0212, .ksX1001, .gb2312:
            guard let code = ConversionTable.of(self)?.code(scalar) else { return nil }
            let mask: UInt8 = isG1 ? 0x80 : 0
            return [UInt8(code / 94 + 0x21) | mask, UInt8(code % 94 + 0x21) | mask]
        default:
            guard let code = ConversionTable.of(self)?.code(scalar) else { return nil }
            return [UInt8(code) | 0x80]
        }
    }
}
