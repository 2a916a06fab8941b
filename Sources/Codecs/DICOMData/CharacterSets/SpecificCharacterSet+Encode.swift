/// Text to bytes. PS3.5 §6.1.2.
extension SpecificCharacterSet {
    /// The bytes of a text, without padding; nil when the character set lacks one of its characters. In ISO 2022 text
    /// the initial sets are invoked again before every delimiter and at the end. PS3.5 §6.1.2.5.3.
    package func encode(_ text: String, _ delimiters: Delimiters = .values) -> [UInt8]? {
        if scheme == .utf8 || text.utf8.allSatisfy({ $0 < 0x80 }) { return Array(text.utf8) }
        switch scheme {
        case .utf8: return Array(text.utf8)
        case .gb18030: return Self.encodeGB(text, ConversionTable.gb18030, fourByte: true)
        case .gbk: return Self.encodeGB(text, ConversionTable.gbk, fourByte: false)
        case .iso2022(let g0, let g1, let all): return Self.encodeISO2022(text, g0, g1, all, delimiters)
        }
    }

    private static func encodeISO2022(
        _ text: String, _ initialG0: CodedCharacterSet, _ initialG1: CodedCharacterSet?, _ all: [CodedCharacterSet],
        _ delimiters: Delimiters
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        var g0 = initialG0
        var g1 = initialG1

        func invoke(_ set: CodedCharacterSet) {
            bytes.append(0x1B)
            bytes += set.escape
            if set.isG1 { g1 = set } else { g0 = set }
        }
        func reset() {
            if g0 != initialG0 { invoke(initialG0) }
            if g1 != initialG1 {
                if let initialG1 { invoke(initialG1) }
                // Without an initial G1 nothing can be invoked: the delimiter itself ends it.
                g1 = initialG1
            }
        }

        for scalar in text.unicodeScalars {
            if scalar.value < 0x80, delimiters.contains(UInt8(scalar.value)) || scalar.value < 0x20 {
                reset()
                bytes.append(UInt8(scalar.value))
                continue
            }
            if let code = g0.bytes(scalar) {
                bytes += code
            } else if let code = g1?.bytes(scalar) {
                bytes += code
            } else if let set = all.first(where: { $0.bytes(scalar) != nil }), let code = set.bytes(scalar) {
                invoke(set)
                bytes += code
            } else {
                return nil
            }
        }
        reset()
        return bytes
    }

    private static func encodeGB(_ text: String, _ table: ConversionTable, fourByte: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                bytes.append(UInt8(scalar.value))
            } else if let code = table.code(scalar) {
                bytes += [UInt8(code / 191 + 0x81), UInt8(code % 191 + 0x40)]
            } else if fourByte,
                let linear = scalar.value >= 0x1_0000
                    ? Int(scalar.value) - 0x1_0000 + 189_000 : ConversionTable.gb18030FourByte.code(scalar)
            {
                bytes += [
                    UInt8(0x81 + linear / 12_600), UInt8(0x30 + linear / 1_260 % 10),
                    UInt8(0x81 + linear / 10 % 126), UInt8(0x30 + linear % 10),
                ]
            } else {
                return nil
            }
        }
        return bytes
    }
}
