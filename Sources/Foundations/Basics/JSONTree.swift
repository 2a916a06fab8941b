/// One JSON text as a tree, read strictly: no member twice in an object, no comments, no lone surrogates, numbers as the
/// text they are. RFC 8259. For small documents; resources have a reader of their own in FHIRModel.
package struct JSONTree: Sendable {
    package enum Value: Sendable {
        case object([(key: String, tree: JSONTree)])
        case array([JSONTree])
        case string(String)
        /// The number's text as it stands.
        case number(String)
        case bool(Bool)
        case null
    }

    /// Why a text is refused, and at which byte.
    package struct Failure: Error, Sendable {
        package enum Reason: Sendable, Hashable {
            case invalid
            /// Nested deeper than the caller allows.
            case tooDeep
        }

        package let reason: Reason
        package let offset: Int

        init(_ reason: Reason, at offset: Int) {
            self.reason = reason
            self.offset = offset
        }
    }

    package let value: Value
    /// Of the first byte, in the input.
    package let offset: Int

    /// A tree that another form of the same model is read into.
    package init(value: Value, offset: Int) {
        self.value = value
        self.offset = offset
    }

    /// The member of an object, nil when it is absent or this is no object.
    package subscript(key: String) -> JSONTree? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.tree
    }

    /// Reads one JSON text in UTF-8. Throws ``Failure``.
    /// - Parameters:
    ///   - start: where it begins; a byte order mark is for the caller to pass over, or to refuse.
    ///   - depthMax: objects and arrays within each other.
    package static func read(_ bytes: [UInt8], from start: Int = 0, depthMax: Int) throws(Failure) -> JSONTree {
        var parser = Parser(bytes: bytes, depthMax: depthMax)
        parser.position = start
        let tree = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw Failure(.invalid, at: parser.position) }
        return tree
    }

    /// The bytes are one JSON number and nothing else. RFC 8259 §6.
    package static func isNumber(_ bytes: [UInt8]) -> Bool {
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
        private var error: Failure { Failure(.invalid, at: position) }

        mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        }

        mutating func value(depth: Int) throws(Failure) -> JSONTree {
            skipSpace()
            let start = position
            guard let byte = next else { throw error }
            switch byte {
            case 0x7B, 0x5B:
                guard depth < depthMax else { throw Failure(.tooDeep, at: position) }
                position += 1
                return JSONTree(value: byte == 0x7B ? try object(depth) : try array(depth), offset: start)
            case 0x22: return JSONTree(value: .string(try string()), offset: start)
            case 0x74: return try word("true", .bool(true))
            case 0x66: return try word("false", .bool(false))
            case 0x6E: return try word("null", .null)
            default:
                guard number() else { throw error }
                return JSONTree(value: .number(String(decoding: bytes[start..<position], as: UTF8.self)), offset: start)
            }
        }

        private mutating func word(_ word: String, _ value: Value) throws(Failure) -> JSONTree {
            guard bytes[position...].starts(with: word.utf8) else { throw error }
            defer { position += word.utf8.count }
            return JSONTree(value: value, offset: position)
        }

        private mutating func object(_ depth: Int) throws(Failure) -> Value {
            var members: [(key: String, tree: JSONTree)] = []
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
                guard keys.insert(key).inserted else { throw Failure(.invalid, at: start) }
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

        private mutating func array(_ depth: Int) throws(Failure) -> Value {
            var trees: [JSONTree] = []
            skipSpace()
            if next == 0x5D {
                position += 1
                return .array([])
            }
            while true {
                trees.append(try value(depth: depth + 1))
                skipSpace()
                if next == 0x5D {
                    position += 1
                    return .array(trees)
                }
                guard next == 0x2C else { throw error }
                position += 1
            }
        }

        private mutating func string() throws(Failure) -> String {
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
        private mutating func escape() throws(Failure) -> Character {
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
            default: throw Failure(.invalid, at: position - 1)
            }
        }

        private mutating func hex4() throws(Failure) -> UInt32 {
            var code: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = next, let digit = Hexadecimal.value(of: byte) else { throw error }
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
