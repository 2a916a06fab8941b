/// A JSON value of a JOSE header, claims set or key set, read strictly: two parsers that disagree about a
/// duplicate member are a way around a signature, so a duplicate is an error. RFC 7515 §4, RFC 7519 §4, RFC 8725 §2.6.
package indirect enum JOSEValue: Sendable, Hashable {
    case string(String)
    /// The integer part of a number; the fraction of a NumericDate does not matter here.
    case number(Int64)
    case boolean(Bool)
    case null
    case array([JOSEValue])
    case object([String: JOSEValue])

    /// Deeper nesting is refused.
    static let depthMax = 8

    package subscript(_ name: String) -> JOSEValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }
    package var text: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .number(let value) = self { value } else { nil } }
    package var elements: [JOSEValue]? { if case .array(let values) = self { values } else { nil } }

    /// Reads one object. Nil for anything that is not exactly one JSON object in UTF-8 without a byte order mark,
    /// for duplicate members, for an exponent, and for numbers beyond 15 digits.
    package init?(object bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = Reader(bytes: bytes)
        guard let value = reader.value(depth: 0), case .object = value else { return nil }
        reader.skipSpace()
        guard reader.position == bytes.count else { return nil }
        self = value
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
        }
        mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard peek == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }
        mutating func word(_ word: StaticString) -> Bool {
            let count = word.utf8CodeUnitCount
            guard position + count <= bytes.count else { return false }
            for index in 0..<count where bytes[position + index] != word.utf8Start[index] { return false }
            position += count
            return true
        }

        mutating func value(depth: Int) -> JOSEValue? {
            guard depth < JOSEValue.depthMax else { return nil }
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string().map { .string($0) }
            case UInt8(ascii: "t"): return word("true") ? .boolean(true) : nil
            case UInt8(ascii: "f"): return word("false") ? .boolean(false) : nil
            case UInt8(ascii: "n"): return word("null") ? .null : nil
            default: return number()
            }
        }

        mutating func object(depth: Int) -> JOSEValue? {
            position += 1
            var members: [String: JOSEValue] = [:]
            if take("}") { return .object(members) }
            while true {
                skipSpace()
                guard peek == UInt8(ascii: "\""), let name = string(), take(":"), let value = value(depth: depth + 1),
                    members.updateValue(value, forKey: name) == nil
                else { return nil }
                if take("}") { return .object(members) }
                guard take(",") else { return nil }
            }
        }

        mutating func array(depth: Int) -> JOSEValue? {
            position += 1
            var values: [JOSEValue] = []
            if take("]") { return .array(values) }
            while true {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                if take("]") { return .array(values) }
                guard take(",") else { return nil }
            }
        }

        mutating func number() -> JOSEValue? {
            let isNegative = peek == UInt8(ascii: "-")
            if isNegative { position += 1 }
            let start = position
            var value: Int64 = 0
            while let digit = peek, (48...57).contains(digit) {
                guard position - start < 15 else { return nil }
                value = value * 10 + Int64(digit - 48)
                position += 1
            }
            let count = position - start
            guard count > 0, count == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
            if peek == UInt8(ascii: ".") {
                position += 1
                let fraction = position
                while let digit = peek, (48...57).contains(digit) { position += 1 }
                guard position > fraction else { return nil }
            }
            if let next = peek, next == UInt8(ascii: "e") || next == UInt8(ascii: "E") { return nil }
            return .number(isNegative ? -value : value)
        }

        mutating func string() -> String? {
            position += 1
            var output: [UInt8] = []
            while let byte = peek {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(validating: output, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = escape() else { return nil }
                    output.append(contentsOf: escaped)
                case 0..<0x20: return nil
                default: output.append(byte)
                }
            }
            return nil
        }

        mutating func escape() -> [UInt8]? {
            guard let byte = peek else { return nil }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                guard var code = hexadecimal(), code != 0 else { return nil }
                if (0xD800..<0xDC00).contains(code) {
                    guard word("\\u"), let low = hexadecimal(), (0xDC00..<0xE000).contains(low) else { return nil }
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                return Unicode.Scalar(code).map { Array(String($0).utf8) }
            default: return nil
            }
        }

        mutating func hexadecimal() -> UInt32? {
            var code: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = peek else { return nil }
                position += 1
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(byte - 48)
                case UInt8(ascii: "a")...UInt8(ascii: "f"): code = code << 4 | UInt32(byte - 87)
                case UInt8(ascii: "A")...UInt8(ascii: "F"): code = code << 4 | UInt32(byte - 55)
                default: return nil
                }
            }
            return code
        }
    }
}
