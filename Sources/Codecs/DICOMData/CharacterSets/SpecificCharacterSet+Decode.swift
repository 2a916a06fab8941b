/// Bytes to text. Bytes that are no character become U+FFFD; nothing throws. PS3.5 §6.1.2.
extension SpecificCharacterSet {
    /// Where ISO 2022 text falls back to the initial sets. PS3.5 §6.1.2.5.3.
    package enum Delimiters: Sendable {
        /// LT, ST, UT: line and page controls only.
        case text
        /// LO, SH, UC: also `\`.
        case values
        /// PN: also `\`, `^` and `=`.
        case personName

        init(_ vr: VR) { self = vr == .PN ? .personName : vr.isMultiValued ? .values : .text }

        func contains(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x09, 0x0A, 0x0C, 0x0D: true
            case 0x5C: self != .text
            case 0x5E, 0x3D: self == .personName
            default: false
            }
        }
    }

    /// The text of a value field. A `\` that parts values stays `\`; the second byte of a character never is one.
    package func decode(_ bytes: some Collection<UInt8>, _ delimiters: Delimiters = .values) -> String {
        if scheme == .utf8 || !bytes.contains(where: { $0 >= 0x80 || $0 == 0x1B }) && isASCIICompatible(bytes) {
            return String(decoding: bytes, as: UTF8.self)
        }
        let bytes = Array(bytes)
        switch scheme {
        case .utf8: return String(decoding: bytes, as: UTF8.self)
        case .gb18030: return Self.decodeGB(bytes, ConversionTable.gb18030, fourByte: true)
        case .gbk: return Self.decodeGB(bytes, ConversionTable.gbk, fourByte: false)
        case .iso2022(let g0, let g1, _): return Self.decodeISO2022(bytes, g0, g1, delimiters)
        }
    }

    /// JIS X 0201 differs from ASCII in two codes.
    private func isASCIICompatible(_ bytes: some Collection<UInt8>) -> Bool {
        guard case .iso2022(.jisRoman, _, _) = scheme else { return true }
        return !bytes.contains { $0 == 0x5C || $0 == 0x7E }
    }

    private static func decodeISO2022(
        _ bytes: [UInt8], _ initialG0: CodedCharacterSet, _ initialG1: CodedCharacterSet?, _ delimiters: Delimiters
    ) -> String {
        var text = String.UnicodeScalarView()
        var g0 = initialG0
        var g1 = initialG1
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x1B {
                if let set = CodedCharacterSet.designated(by: bytes[(position + 1)...].prefix(3)) {
                    if set.isG1 { g1 = set } else { g0 = set }
                    position += 1 + set.escape.count
                } else {
                    text.append("\u{FFFD}")
                    position += 1
                }
                continue
            }
            let isInG1 = byte >= 0x80
            // Two-byte sets of G0 take 5C, 5E and 3D as halves of characters, so delimiters count outside them only.
            if byte < 0x21 || !isInG1 && g0.bytesPerCharacter == 1 {
                if delimiters.contains(byte) {
                    (g0, g1) = (initialG0, initialG1)
                    text.append(Unicode.Scalar(byte))
                } else {
                    text.append(
                        byte < 0x20
                            ? Unicode.Scalar(byte)
                            : g0.bytesPerCharacter == 1
                                ? g0.scalar(byte) ?? "\u{FFFD}" : Unicode.Scalar(byte))
                }
                position += 1
                continue
            }
            guard let set = isInG1 ? g1 : g0 else {
                text.append("\u{FFFD}")
                position += 1
                continue
            }
            let width = set.bytesPerCharacter
            if width == 2,
                position + 1 >= bytes.count || (bytes[position + 1] >= 0x80) != isInG1 || bytes[position + 1] == 0x1B
            {
                text.append("\u{FFFD}")
                position += 1
                continue
            }
            text.append(set.scalar(byte, width == 2 ? bytes[position + 1] : 0) ?? "\u{FFFD}")
            position += width
        }
        return String(text)
    }

    private static func decodeGB(_ bytes: [UInt8], _ table: ConversionTable, fourByte: Bool) -> String {
        var text = String.UnicodeScalarView()
        var position = 0
        while position < bytes.count {
            let lead = bytes[position]
            if lead < 0x80 {
                text.append(Unicode.Scalar(lead))
                position += 1
                continue
            }
            if fourByte, let scalar = gbFourByteScalar(bytes[position...].prefix(4)) {
                text.append(scalar)
                position += 4
                continue
            }
            guard lead >= 0x81, lead <= 0xFE, position + 1 < bytes.count, bytes[position + 1] >= 0x40 else {
                text.append("\u{FFFD}")
                position += 1
                continue
            }
            text.append(table.scalar((Int(lead) - 0x81) * 191 + Int(bytes[position + 1]) - 0x40) ?? "\u{FFFD}")
            position += 2
        }
        return String(text)
    }

    /// Four-byte GB18030: linear from 81308130, the supplementary planes from 90308130 on.
    private static func gbFourByteScalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard bytes.count == 4 else { return nil }
        let (a, b, c, d) = (
            bytes[bytes.startIndex], bytes[bytes.startIndex + 1], bytes[bytes.startIndex + 2],
            bytes[bytes.startIndex + 3]
        )
        guard (0x81...0xFE).contains(a), (0x30...0x39).contains(b), (0x81...0xFE).contains(c), (0x30...0x39).contains(d)
        else {
            return nil
        }
        let linear = ((Int(a) - 0x81) * 10 + Int(b) - 0x30) * 1_260 + (Int(c) - 0x81) * 10 + Int(d) - 0x30
        if linear < 39_420 { return ConversionTable.gb18030FourByte.scalar(linear) ?? "\u{FFFD}" }
        guard linear >= 189_000, linear < 189_000 + 0x10_0000 else { return "\u{FFFD}" }
        return Unicode.Scalar(UInt32(linear - 189_000 + 0x1_0000))
    }
}
