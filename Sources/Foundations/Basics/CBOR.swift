/// A value of CBOR, as far as authenticators write it: integers, strings, arrays, maps, booleans and null, each of a length
/// that stands before it. RFC 8949 §3; CTAP 2.1 §8 (canonical CBOR).
///
/// No tags, no floating point and no indefinite lengths: what an authenticator has no reason to send is refused rather than
/// understood in one of several ways.
package indirect enum CBOR: Sendable, Hashable {
    case unsigned(UInt64)
    /// -1 minus the number, so that -7 is `negative(6)`.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBOR])
    /// In the order of the bytes; no key stands twice.
    case map([(key: CBOR, value: CBOR)])
    case boolean(Bool)
    case null

    /// Why bytes are no value of this subset, with the offset at which it shows.
    package struct Malformed: Error, Sendable, Hashable, CustomStringConvertible {
        package let offset: Int
        package let reason: String
        package var description: String { "CBOR at byte \(offset): \(reason)" }
    }

    /// Arrays and maps within each other: an attestation object has three.
    package static let depthMax = 6
    /// Values of one message, keys among them.
    package static let valuesMax = 512

    /// Reads exactly one value. Throws ``Malformed``, also for bytes behind it.
    package init(_ bytes: some Collection<UInt8>) throws(Malformed) {
        let bytes = Array(bytes)
        let (value, end) = try Self.first(of: bytes, from: 0)
        guard end == bytes.count else { throw Malformed(offset: end, reason: "bytes behind the value") }
        self = value
    }

    /// Reads the value that begins at an offset; the other result is the offset behind it. Throws ``Malformed``.
    package static func first(of bytes: [UInt8], from offset: Int) throws(Malformed) -> (value: CBOR, end: Int) {
        var reader = Reader(bytes: bytes, position: offset)
        let value = try reader.value(depth: 0)
        return (value, reader.position)
    }

    /// The value of a text key of a map.
    package subscript(_ name: String) -> CBOR? { self[.text(name)] }

    /// The value of an integer key of a map. RFC 9052 §7 labels the members of a key so.
    package subscript(_ label: Int64) -> CBOR? { self[CBOR(integer: label)] }

    private subscript(_ key: CBOR) -> CBOR? {
        guard case .map(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    package init(integer: Int64) { self = integer < 0 ? .negative(UInt64(-1 - integer)) : .unsigned(UInt64(integer)) }

    /// A number that fits; nil for anything else.
    package var integer: Int64? {
        switch self {
        case .unsigned(let number): Int64(exactly: number)
        case .negative(let number): Int64(exactly: number).map { -1 - $0 }
        default: nil
        }
    }

    package var octets: [UInt8]? { if case .bytes(let octets) = self { octets } else { nil } }
    package var string: String? { if case .text(let text) = self { text } else { nil } }

    package static func == (one: CBOR, other: CBOR) -> Bool {
        switch (one, other) {
        case (.unsigned(let a), .unsigned(let b)), (.negative(let a), .negative(let b)): a == b
        case (.bytes(let a), .bytes(let b)): a == b
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): a == b
        case (.map(let a), .map(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        case (.boolean(let a), .boolean(let b)): a == b
        case (.null, .null): true
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .unsigned(let number), .negative(let number): hasher.combine(number)
        case .bytes(let octets): hasher.combine(octets)
        case .text(let text): for byte in text.utf8 { hasher.combine(byte) }
        case .array(let values): hasher.combine(values)
        case .map(let members): hasher.combine(members.count)
        case .boolean(let flag): hasher.combine(flag)
        case .null: break
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position: Int
        private var values = 0

        init(bytes: [UInt8], position: Int) {
            self.bytes = bytes
            self.position = position
        }

        private func malformed(_ reason: String) -> Malformed { Malformed(offset: position, reason: reason) }

        mutating func value(depth: Int) throws(Malformed) -> CBOR {
            values += 1
            guard values <= CBOR.valuesMax else { throw malformed("more than \(CBOR.valuesMax) values") }
            guard depth <= CBOR.depthMax else { throw malformed("nested deeper than \(CBOR.depthMax)") }
            guard position < bytes.count, position >= 0 else { throw malformed("ends where a value begins") }
            let first = bytes[position]
            position += 1
            let additional = first & 0x1F
            switch first >> 5 {
            case 0: return .unsigned(try argument(additional))
            case 1: return .negative(try argument(additional))
            case 2: return .bytes(Array(try octets(additional)))
            case 3:
                guard let text = String(validating: try octets(additional), as: UTF8.self) else {
                    throw malformed("a text that is no UTF-8")
                }
                return .text(text)
            case 4:
                let count = try count(additional)
                var elements: [CBOR] = []
                for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
                return .array(elements)
            case 5:
                let count = try count(additional)
                var members: [(key: CBOR, value: CBOR)] = []
                var keys: Set<CBOR> = []
                for _ in 0..<count {
                    let key = try value(depth: depth + 1)
                    guard keys.insert(key).inserted else { throw malformed("a key that stands twice") }
                    members.append((key, try value(depth: depth + 1)))
                }
                return .map(members)
            case 7:
                switch additional {
                case 20: return .boolean(false)
                case 21: return .boolean(true)
                case 22: return .null
                default: throw malformed("a simple value or a float")
                }
            default: throw malformed("a tag")
            }
        }

        /// The argument of a head, in its shortest form. RFC 8949 §3, §4.2.1.
        private mutating func argument(_ additional: UInt8) throws(Malformed) -> UInt64 {
            guard additional >= 24 else { return UInt64(additional) }
            guard additional <= 27 else { throw malformed("an indefinite or reserved length") }
            let width = 1 << Int(additional - 24)
            guard bytes.count - position >= width else { throw malformed("ends within a head") }
            let number = bytes[position..<(position + width)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            position += width
            let least: UInt64 = additional == 24 ? 24 : 1 << (UInt64(width) * 4)
            guard number >= least else { throw malformed("a number that is not in its shortest form") }
            return number
        }

        private mutating func octets(_ additional: UInt8) throws(Malformed) -> ArraySlice<UInt8> {
            let length = try argument(additional)
            guard length <= UInt64(bytes.count - position) else { throw malformed("a string beyond the end") }
            let end = position + Int(length)
            defer { position = end }
            return bytes[position..<end]
        }

        /// Of an array or map; each value takes a byte at least.
        private mutating func count(_ additional: UInt8) throws(Malformed) -> Int {
            let count = try argument(additional)
            guard count <= UInt64(min(bytes.count - position, CBOR.valuesMax)) else {
                throw malformed("more values than there are bytes or than are read")
            }
            return Int(count)
        }
    }
}
