/// The character sets of table 0211 that a message can be read and written in. HL7 v2.5.1 §2.15.9.18.
///
/// UTF-16 and UTF-32 are not among them: their bytes below 0x20 break frames and segments.
package enum CharacterSet: String, Sendable, Hashable, CaseIterable {
    case ascii = "ASCII"
    case latin1 = "8859/1"
    case latin2 = "8859/2"
    case latin3 = "8859/3"
    case latin4 = "8859/4"
    case cyrillic = "8859/5"
    case arabic = "8859/6"
    case greek = "8859/7"
    case hebrew = "8859/8"
    case latin5 = "8859/9"
    case latin9 = "8859/15"
    /// JIS X 0201: ASCII and half-width katakana in one byte.
    case isoIR14 = "ISO IR14"
    /// JIS X 0208, switched to by ISO 2022 escape sequences.
    case isoIR87 = "ISO IR87"
    /// JIS X 0212, switched to by ISO 2022 escape sequences.
    case isoIR159 = "ISO IR159"
    case gb18030 = "GB 18030-2000"
    case ksX1001 = "KS X 1001"
    case big5 = "BIG-5"
    case utf8 = "UNICODE UTF-8"

    /// Reads a value of MSH-18, with the spellings that senders use. Nil for a set that is not supported.
    package init?(name: String) {
        let key = String(
            decoding: name.utf8.compactMap { byte -> UInt8? in
                switch byte {
                case 0x61...0x7A: byte - 0x20
                case 0x41...0x5A, 0x30...0x39: byte
                default: nil
                }
            }, as: UTF8.self)
        guard let set = CharacterSet.names[key] else { return nil }
        self = set
    }

    /// Table 0211 codes and frequent other spellings, upper case, letters and digits only.
    /// `UNICODE` alone can only be UTF-8 here: a message in UTF-16 holds zero bytes and is refused before.
    private static let names: [String: CharacterSet] = [
        "ASCII": .ascii, "USASCII": .ascii, "ISOIR6": .ascii,
        "88591": .latin1, "ISO88591": .latin1, "ISOIR100": .latin1, "LATIN1": .latin1,
        "88592": .latin2, "ISO88592": .latin2, "88593": .latin3, "ISO88593": .latin3,
        "88594": .latin4, "ISO88594": .latin4, "88595": .cyrillic, "ISO88595": .cyrillic,
        "88596": .arabic, "ISO88596": .arabic, "88597": .greek, "ISO88597": .greek,
        "88598": .hebrew, "ISO88598": .hebrew, "88599": .latin5, "ISO88599": .latin5,
        "885915": .latin9, "ISO885915": .latin9,
        "ISOIR14": .isoIR14, "ISOIR13": .isoIR14, "ISOIR87": .isoIR87, "ISOIR159": .isoIR159,
        "GB180302000": .gb18030, "GB18030": .gb18030, "KSX1001": .ksX1001, "BIG5": .big5,
        "UNICODEUTF8": .utf8, "UTF8": .utf8, "UNICODE": .utf8, "ISOIR192": .utf8,
    ]

    /// The name by which the C library's `iconv` knows the set.
    var iconvName: String {
        switch self {
        case .ascii: "US-ASCII"
        case .utf8: "UTF-8"
        case .isoIR14, .isoIR87, .isoIR159: "ISO-2022-JP-2"
        case .gb18030: "GB18030"
        case .ksX1001: "EUC-KR"
        case .big5: "BIG5"
        default: "ISO-8859-" + rawValue.dropFirst(5)
        }
    }

    /// The bytes in UTF-8. Throws `.undecodableText` with the offset of the first byte the set does not have.
    package func decoded(_ bytes: [UInt8]) throws(HL7Error) -> [UInt8] {
        switch self {
        case .ascii:
            if let offset = bytes.firstIndex(where: { $0 >= 0x80 }) { throw .undecodableText(offset: offset) }
            return bytes
        case .utf8:
            if let offset = UTF8Check.firstFault(bytes.span) { throw .undecodableText(offset: offset) }
            return bytes
        case .latin1:
            return CharacterSet.latin1ToUTF8(bytes)
        case .isoIR14, .isoIR87, .isoIR159:
            return try JapaneseText.decoded(bytes)
        default:
            return try Iconv.convert(bytes, from: iconvName, to: "UTF-8")
        }
    }

    /// UTF-8 text in this set. Throws `.unencodableText` with the offset of the first character it does not have.
    package func encoded(_ utf8: [UInt8]) throws(HL7Error) -> [UInt8] {
        if self == .utf8 || !utf8.contains(where: { $0 >= 0x80 }) { return utf8 }
        do {
            return try Iconv.convert(utf8, from: "UTF-8", to: iconvName)
        } catch {
            throw .unencodableText(offset: error.offset ?? 0)
        }
    }

    private static func latin1ToUTF8(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            if byte < 0x80 {
                text.append(byte)
            } else {
                text.append(0xC0 | byte >> 6)
                text.append(0x80 | byte & 0x3F)
            }
        }
        return text
    }
}
