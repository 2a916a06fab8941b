/// A sentence about what is wrong in the configuration, with the key's name.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A keyed container that refuses keys the type does not know.
struct StrictKeys<Key: CodingKey & CaseIterable & RawRepresentable<String>> {
    private let container: KeyedDecodingContainer<Key>
    let place: String

    init(_ decoder: any Decoder, _ type: Key.Type, _ place: String) throws {
        let known = Set(Key.allCases.map(\.rawValue))
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw ConfigurationError(
                "\(place): unknown key `\(key.stringValue)`; known are \(known.sorted().joined(separator: ", "))")
        }
        container = try decoder.container(keyedBy: type)
        self.place = place
    }
    func has(_ key: Key) -> Bool { container.contains(key) }
    func value<Value: Decodable>(_ key: Key) throws -> Value? { try container.decodeIfPresent(Value.self, forKey: key) }
    /// The same where a key that is there and says nothing is a mistake: it would be taken for one that is left out, which
    /// may mean the contrary. Throws ``ConfigurationError``.
    func stated<Value: Decodable>(_ key: Key) throws -> Value? {
        let stated: Value? = try value(key)
        if stated == nil, has(key) {
            throw ConfigurationError("\(place).\(key.rawValue): says nothing; give it a value or leave it out")
        }
        return stated
    }
    /// A text that may not be left out. Throws ``ConfigurationError``.
    func needed(_ key: Key) throws -> String {
        guard let text: String = try stated(key), !text.isEmpty else {
            throw ConfigurationError("\(place).\(key.rawValue): is needed")
        }
        return text
    }
    /// Whether a key says `accepted`, the one word that it takes: what is given up by it is said out loud. Throws
    /// ``ConfigurationError``.
    func accepts(_ key: Key) throws -> Bool {
        guard let text: String = try stated(key) else { return false }
        guard text == "accepted" else {
            throw ConfigurationError("\(place).\(key.rawValue): `\(text)` is not `accepted`; leave it out otherwise")
        }
        return true
    }
    /// A whole number. Throws ``ConfigurationError`` for one out of its range.
    func number(_ key: Key, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let number: Int64 = try value(key) else { return nil }
        guard range.contains(number) else {
            throw ConfigurationError(
                "\(place).\(key.rawValue): \(number) is not within \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

/// Names as the configuration writes them.
enum NameWord {
    /// Whether a text is at least one letter or digit of ASCII, `-`, `_` or `.`, and at most `bytesMax`.
    static func isOne(_ text: String, bytesMax: Int) -> Bool {
        (1...bytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "-_.".utf8.contains($0)
            }
    }
}
