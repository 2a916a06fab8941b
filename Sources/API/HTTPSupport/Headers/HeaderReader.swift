/// Reads the tokens, quoted strings and separators of a header value. RFC 9110 §5.6.
struct HeaderReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position >= bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
    }

    /// Steps over a byte if it is next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// RFC 9110 §5.6.2. Nil when there is none.
    mutating func token() -> String? {
        let start = position
        while let byte = peek, HeaderReader.isTokenByte(byte) { position += 1 }
        return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// RFC 9110 §5.6.4. Nil when it does not close or holds a control character.
    mutating func quotedString() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var output: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: output, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = peek, escaped >= 0x20 || escaped == 0x09 else { return nil }
                position += 1
                output.append(escaped)
            case 0x09, 0x20..<0x7F, 0x80...: output.append(byte)
            default: return nil
            }
        }
        return nil
    }

    /// The value of a parameter. RFC 9110 §5.6.6 asks for quotes around a value that is not a token; DICOMweb and
    /// MIME clients leave them out around media types and boundaries (`type=application/dicom`), which are
    /// unambiguous, so `/ : = ? @` are taken unquoted here.
    mutating func tokenOrQuoted() -> String? {
        if peek == UInt8(ascii: "\"") { return quotedString() }
        let start = position
        while let byte = peek, HeaderReader.isTokenByte(byte) || "/:=?@".utf8.contains(byte) { position += 1 }
        return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Steps to just past the next comma that is not inside a quoted string. False at the end.
    mutating func skipToNextElement() -> Bool {
        while let byte = peek {
            if byte == UInt8(ascii: "\"") {
                if quotedString() == nil { position = bytes.count }
                continue
            }
            position += 1
            if byte == UInt8(ascii: ",") { return true }
        }
        return false
    }

    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"),
            UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isTokenByte) }

    static func quoted(_ text: String) -> String {
        var output: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
        return String(decoding: output, as: UTF8.self)
    }
}
