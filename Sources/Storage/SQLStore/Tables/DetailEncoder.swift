import FHIRModel

/// Writes an `Encodable` value as JSON straight into bytes, in the form `JSONDecoder` reads by default.
///
/// Absent values are left out, keys and elements come in the order they are encoded in. A nested container is closed
/// when its parent is written to again or ends, which is how synthesized coding uses them. RFC 8259.
final class DetailEncoder: Encoder {
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    private var out: [UInt8] = []
    /// What closes each open object and array, outermost first, and whether it has a member yet.
    private var open: [(bracket: UInt8, isEmpty: Bool)] = []

    private init() { out.reserveCapacity(1_024) }

    /// The bytes of `value`. Throws `EncodingError` for a number that JSON has not.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = DetailEncoder()
        try encoder.nest(value)
        return encoder.out
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> { keyed(type) }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { unkeyed() }
    func singleValueContainer() -> any SingleValueEncodingContainer { SingleContainer(encoder: self) }

    // MARK: Writing

    fileprivate func keyed<Key: CodingKey>(_ type: Key.Type) -> KeyedEncodingContainer<Key> {
        begin(0x7B, closing: 0x7D)
        return KeyedEncodingContainer(KeyedContainer<Key>(encoder: self, depth: open.count))
    }

    fileprivate func unkeyed() -> UnkeyedContainer {
        begin(0x5B, closing: 0x5D)
        return UnkeyedContainer(encoder: self, depth: open.count)
    }

    private func begin(_ bracket: UInt8, closing: UInt8) {
        out.append(bracket)
        open.append((closing, true))
    }

    /// Closes what is open below `depth`.
    private func close(to depth: Int) {
        while open.count > depth, let last = open.popLast() { out.append(last.bracket) }
    }

    /// Makes ready for the next member or element of the container that is `depth` deep.
    fileprivate func next(_ depth: Int) {
        close(to: depth)
        if !open[depth - 1].isEmpty { out.append(0x2C) }
        open[depth - 1].isEmpty = false
    }

    fileprivate func next(_ depth: Int, _ key: any CodingKey) {
        next(depth)
        write(key.stringValue)
        out.append(0x3A)
    }

    fileprivate func nest(_ value: some Encodable) throws {
        let depth = open.count
        let start = out.count
        try value.encode(to: self)
        close(to: depth)
        // A value that encodes nothing is an empty object.
        if out.count == start { out.append(contentsOf: [0x7B, 0x7D]) }
    }

    fileprivate func write(_ flag: Bool) { out.append(contentsOf: (flag ? "true" : "false").utf8) }
    fileprivate func writeNull() { out.append(contentsOf: "null".utf8) }
    fileprivate func writeInteger(_ number: some BinaryInteger) { out.append(contentsOf: String(number).utf8) }

    fileprivate func write(_ number: Double) throws {
        guard number.isFinite else {
            throw EncodingError.invalidValue(number, .init(codingPath: [], debugDescription: "JSON has no such number"))
        }
        out.append(contentsOf: number.description.utf8)
    }

    fileprivate func write(_ text: String) { JSONWriter.appendString(text, to: &out) }
}

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: DetailEncoder
    let depth: Int
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil(forKey key: Key) {
        encoder.next(depth, key)
        encoder.writeNull()
    }
    mutating func encode(_ value: Bool, forKey key: Key) {
        encoder.next(depth, key)
        encoder.write(value)
    }
    mutating func encode(_ value: String, forKey key: Key) {
        encoder.next(depth, key)
        encoder.write(value)
    }
    mutating func encode(_ value: Int, forKey key: Key) {
        encoder.next(depth, key)
        encoder.writeInteger(value)
    }
    mutating func encode(_ value: Int64, forKey key: Key) {
        encoder.next(depth, key)
        encoder.writeInteger(value)
    }
    mutating func encode(_ value: Double, forKey key: Key) throws {
        encoder.next(depth, key)
        try encoder.write(value)
    }
    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        encoder.next(depth, key)
        try encoder.nest(value)
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder.next(depth, key)
        return encoder.keyed(type)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.next(depth, key)
        return encoder.unkeyed()
    }
    mutating func superEncoder() -> any Encoder { encoder }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        encoder.next(depth, key)
        return encoder
    }
}

private struct UnkeyedContainer: UnkeyedEncodingContainer {
    let encoder: DetailEncoder
    let depth: Int
    var count = 0
    var codingPath: [any CodingKey] { [] }

    init(encoder: DetailEncoder, depth: Int) {
        self.encoder = encoder
        self.depth = depth
    }

    private mutating func next() {
        encoder.next(depth)
        count += 1
    }
    mutating func encodeNil() {
        next()
        encoder.writeNull()
    }
    mutating func encode(_ value: String) {
        next()
        encoder.write(value)
    }
    mutating func encode(_ value: some Encodable) throws {
        next()
        try encoder.nest(value)
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next()
        return encoder.keyed(type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        next()
        return encoder.unkeyed()
    }
    mutating func superEncoder() -> any Encoder {
        next()
        return encoder
    }
}

/// What primitive values write themselves through.
private struct SingleContainer: SingleValueEncodingContainer {
    let encoder: DetailEncoder
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil() { encoder.writeNull() }
    mutating func encode(_ value: Bool) { encoder.write(value) }
    mutating func encode(_ value: String) { encoder.write(value) }
    mutating func encode(_ value: Double) throws { try encoder.write(value) }
    mutating func encode(_ value: Float) throws { try encoder.write(Double(value)) }
    mutating func encode(_ value: Int) { encoder.writeInteger(value) }
    mutating func encode(_ value: Int8) { encoder.writeInteger(value) }
    mutating func encode(_ value: Int16) { encoder.writeInteger(value) }
    mutating func encode(_ value: Int32) { encoder.writeInteger(value) }
    mutating func encode(_ value: Int64) { encoder.writeInteger(value) }
    mutating func encode(_ value: UInt) { encoder.writeInteger(value) }
    mutating func encode(_ value: UInt8) { encoder.writeInteger(value) }
    mutating func encode(_ value: UInt16) { encoder.writeInteger(value) }
    mutating func encode(_ value: UInt32) { encoder.writeInteger(value) }
    mutating func encode(_ value: UInt64) { encoder.writeInteger(value) }
    mutating func encode(_ value: some Encodable) throws { try encoder.nest(value) }
}
