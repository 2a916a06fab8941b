/// Parsed JSON with numbers as text, for the few shapes of DICOM JSON. RFC 8259.
struct DICOMJSONNode: Sendable {
    enum Value: Sendable {
        case object([(key: String, node: DICOMJSONNode)])
        case array([DICOMJSONNode])
        case string(String)
        /// The number's text as it stands.
        case number(String)
        case bool(Bool)
        case null
    }

    let value: Value
    /// Of the first byte, in the input.
    let offset: Int

    /// The member of an object, nil when it is absent or this is no object.
    subscript(key: String) -> DICOMJSONNode? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.node
    }

    /// Parses one JSON text. Throws `.jsonInvalid`, also for invalid UTF-8 in strings, and `.tooDeep`.
    static func parse(_ bytes: [UInt8], depthMax: Int) throws(DICOMDataError) -> DICOMJSONNode {
        var parser = Parser(bytes: bytes, depthMax: depthMax)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        let node = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw DICOMDataError(.jsonInvalid, at: parser.position) }
        return node
    }

    /// The bytes are one JSON number and nothing else. RFC 8259 §6.
    static func isNumber(_ bytes: [UInt8]) -> Bool {
        var parser = Parser(bytes: bytes, depthMax: 0)
        return parser.number() && parser.position == bytes.count
    }

    private struct Parser {
        let bytes: [UInt8]
        let depthMax: Int
        var position = 0

        init(bytes: [UInt8], depthMax: Int) {
            self.bytes = bytes
            self.depthMax = depthMax
        }

        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }
        private var error: DICOMDataError { DICOMDataError(.jsonInvalid, at: position) }

        mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        }

        mutating func value(depth: Int) throws(DICOMDataError) -> DICOMJSONNode {
            skipSpace()
            let start = position
            guard let byte = next else { throw error }
            switch byte {
            case 0x7B, 0x5B:
                guard depth < depthMax else { throw DICOMDataError(.tooDeep, at: position) }
                position += 1
                return DICOMJSONNode(value: byte == 0x7B ? try object(depth) : try array(depth), offset: start)
            case 0x22: return DICOMJSONNode(value: .string(try string()), offset: start)
            case 0x74: return try word("true", .bool(true))
            case 0x66: return try word("false", .bool(false))
            case 0x6E: return try word("null", .null)
            default:
                guard number() else { throw error }
                return DICOMJSONNode(
                    value: .number(String(decoding: bytes[start..<position], as: UTF8.self)), offset: start)
            }
        }

        private mutating func word(_ word: String, _ value: Value) throws(DICOMDataError) -> DICOMJSONNode {
            guard bytes[position...].starts(with: word.utf8) else { throw error }
            defer { position += word.utf8.count }
            return DICOMJSONNode(value: value, offset: position)
        }

        private mutating func object(_ depth: Int) throws(DICOMDataError) -> Value {
            var members: [(key: String, node: DICOMJSONNode)] = []
            var keys: Set<String> = []
            skipSpace()
            if next == 0x7D {
                position += 1
                return .object([])
            }
            while true {
                skipSpace()
                guard next == 0x22 else { throw error }
                let start = position
                let key = try string()
                guard keys.insert(key).inserted else { throw DICOMDataError(.jsonInvalid, at: start) }
                skipSpace()
                guard next == 0x3A else { throw error }
                position += 1
                members.append((key, try value(depth: depth + 1)))
                skipSpace()
                if next == 0x7D {
                    position += 1
                    return .object(members)
                }
                guard next == 0x2C else { throw error }
                position += 1
            }
        }

        private mutating func array(_ depth: Int) throws(DICOMDataError) -> Value {
            var nodes: [DICOMJSONNode] = []
            skipSpace()
            if next == 0x5D {
                position += 1
                return .array([])
            }
            while true {
                nodes.append(try value(depth: depth + 1))
                skipSpace()
                if next == 0x5D {
                    position += 1
                    return .array(nodes)
                }
                guard next == 0x2C else { throw error }
                position += 1
            }
        }

        private mutating func string() throws(DICOMDataError) -> String {
            position += 1
            let start = position
            var copy: [UInt8]?
            while let byte = next {
                switch byte {
                case 0x22:
                    let text =
                        copy.map { String(validating: $0, as: UTF8.self) }
                        ?? String(validating: bytes[start..<position], as: UTF8.self)
                    guard let text else { throw error }
                    position += 1
                    return text
                case 0x5C:
                    if copy == nil { copy = Array(bytes[start..<position]) }
                    position += 1
                    copy?.append(contentsOf: String(try escape()).utf8)
                case 0..<0x20: throw error
                default:
                    copy?.append(byte)
                    position += 1
                }
            }
            throw error
        }

        /// The character of an escape sequence after its `\`.
        private mutating func escape() throws(DICOMDataError) -> Character {
            guard let byte = next else { throw error }
            position += 1
            switch byte {
            case 0x22: return "\""
            case 0x5C: return "\\"
            case 0x2F: return "/"
            case 0x62: return "\u{8}"
            case 0x66: return "\u{C}"
            case 0x6E: return "\n"
            case 0x72: return "\r"
            case 0x74: return "\t"
            case 0x75:
                var code = try hex4()
                if (0xD800...0xDBFF).contains(code) {
                    guard bytes[position...].starts(with: [0x5C, 0x75]) else { throw error }
                    position += 2
                    let low = try hex4()
                    guard (0xDC00...0xDFFF).contains(low) else { throw error }
                    code = 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw error }
                return Character(scalar)
            default: throw DICOMDataError(.jsonInvalid, at: position - 1)
            }
        }

        private mutating func hex4() throws(DICOMDataError) -> UInt32 {
            var code: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = next, let digit = Tag.hexDigit(byte) else { throw error }
                code = code << 4 | UInt32(digit)
                position += 1
            }
            return code
        }

        /// Steps over a number; false where there is none.
        mutating func number() -> Bool {
            if next == 0x2D { position += 1 }
            if next == 0x30 { position += 1 } else if !digits() { return false }
            if next == 0x2E {
                position += 1
                if !digits() { return false }
            }
            if next == 0x65 || next == 0x45 {
                position += 1
                if next == 0x2B || next == 0x2D { position += 1 }
                if !digits() { return false }
            }
            return true
        }

        private mutating func digits() -> Bool {
            let start = position
            while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
            return position > start
        }
    }
}
