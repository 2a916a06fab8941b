import Glibc

/// The characters of one coded character set by code, and back; made once, at first use, from the C library's
/// converters, so that decoding itself is a table lookup without state or locks.
///
/// A character set that the C library does not know gives an empty table: its text decodes to U+FFFD.
final class ConversionTable: Sendable {
    /// UTF-16 unit by code, 0 where the set has no character.
    private let units: [UInt16]
    /// Code + 1 by UTF-16 unit, 0 where the set lacks the character.
    private let codes: [UInt16]

    func scalar(_ code: Int) -> Unicode.Scalar? {
        guard code >= 0, code < units.count, units[code] != 0 else { return nil }
        return Unicode.Scalar(units[code])
    }

    func code(_ scalar: Unicode.Scalar) -> Int? {
        guard scalar.value < 0x1_0000 else { return nil }
        let code = codes[Int(scalar.value)]
        return code == 0 ? nil : Int(code) - 1
    }

    /// Converts every code, as the bytes that `bytes` gives for it, from a named character set.
    private init(_ name: String, codes count: Int, bytes: (Int) -> [UInt8]) {
        var units = [UInt16](repeating: 0, count: count)
        var codes = [UInt16](repeating: 0, count: 0x1_0000)
        if let converter = Converter(name) {
            for code in 0..<count {
                guard var unit = converter.unit(bytes(code)), unit != 0 else { continue }
                // A full-width character that a converter folds into ASCII would read as a delimiter.
                if count == 94 * 94, unit > 0x20, unit < 0x7F { unit += 0xFEE0 }
                units[code] = unit
                if codes[Int(unit)] == 0 { codes[Int(unit)] = UInt16(code + 1) }
            }
            converter.close()
        }
        self.units = units
        self.codes = codes
    }

    static func of(_ set: CodedCharacterSet) -> ConversionTable? {
        switch set {
        case .ascii, .jisRoman, .jisKatakana, .latin1: nil
        case .latin2: latin2
        case .latin3: latin3
        case .latin4: latin4
        case .cyrillic: cyrillic
        case .arabic: arabic
        case .greek: greek
        case .hebrew: hebrew
        case .latin5: latin5
        case .latin9: latin9
        case .thai: thai
        case .jisX0208: jisX0208
        case .jisX0212: jisX0212
        case .ksX1001: ksX1001
        case .gb2312: gb2312
        }
    }

    private static let latin2 = upperHalf("ISO-8859-2")
    private static let latin3 = upperHalf("ISO-8859-3")
    private static let latin4 = upperHalf("ISO-8859-4")
    private static let cyrillic = upperHalf("ISO-8859-5")
    private static let arabic = upperHalf("ISO-8859-6")
    private static let greek = upperHalf("ISO-8859-7")
    private static let hebrew = upperHalf("ISO-8859-8")
    private static let latin5 = upperHalf("ISO-8859-9")
    private static let latin9 = upperHalf("ISO-8859-15")
    private static let thai = upperHalf("TIS-620")
    private static let jisX0208 = rows("EUC-JP")
    private static let jisX0212 = rows("EUC-JP", prefix: [0x8F])
    private static let ksX1001 = rows("EUC-KR")
    private static let gb2312 = rows("EUC-CN")

    /// Two bytes, 81-FE and 40-FE, of GBK: code = (high - 0x81) * 191 + (low - 0x40).
    static let gbk = doubleBytes("GBK")
    /// The two-byte part of GB18030, coded as `gbk`.
    static let gb18030 = doubleBytes("GB18030")
    /// The four-byte part of GB18030 below U+10000 in linear order from 81308130.
    static let gb18030FourByte = ConversionTable("GB18030", codes: 39_420) { code in
        [
            UInt8(0x81 + code / 12_600), UInt8(0x30 + code / 1_260 % 10), UInt8(0x81 + code / 10 % 126),
            UInt8(0x30 + code % 10),
        ]
    }

    private static func upperHalf(_ name: String) -> ConversionTable {
        ConversionTable(name, codes: 128) { [UInt8($0) | 0x80] }
    }

    private static func rows(_ name: String, prefix: [UInt8] = []) -> ConversionTable {
        ConversionTable(name, codes: 94 * 94) { prefix + [UInt8($0 / 94 + 0xA1), UInt8($0 % 94 + 0xA1)] }
    }

    private static func doubleBytes(_ name: String) -> ConversionTable {
        ConversionTable(name, codes: 126 * 191) { [UInt8($0 / 191 + 0x81), UInt8($0 % 191 + 0x40)] }
    }
}

/// An open converter of the C library, to UTF-16 little endian.
private struct Converter {
    private let handle: iconv_t

    init?(_ name: String) {
        guard let handle = iconv_open("UTF-16LE", name), handle != iconv_t(bitPattern: -1) else { return nil }
        self.handle = handle
    }

    func close() { iconv_close(handle) }

    /// The UTF-16 unit of one character's bytes; nil when they are none, or one beyond U+FFFF.
    func unit(_ bytes: [UInt8]) -> UInt16? {
        var input = bytes.map { CChar(bitPattern: $0) }
        var output = [CChar](repeating: 0, count: 8)
        var inputLeft = input.count
        var outputLeft = output.count
        let result = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var from = input.baseAddress
                var to = output.baseAddress
                return iconv(handle, &from, &inputLeft, &to, &outputLeft)
            }
        }
        guard result != -1, inputLeft == 0, outputLeft == output.count - 2 else {
            iconv(handle, nil, nil, nil, nil)
            return nil
        }
        return UInt16(UInt8(bitPattern: output[0])) | UInt16(UInt8(bitPattern: output[1])) << 8
    }
}
