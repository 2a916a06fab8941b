import Basics

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

    /// Objects and arrays within each other; deeper nesting is refused.
    static let depthMax = 7
    /// Of the integer part of a number.
    private static let digitsMax = 15

    package subscript(_ name: String) -> JOSEValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }
    package var text: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .number(let value) = self { value } else { nil } }
    package var elements: [JOSEValue]? { if case .array(let values) = self { values } else { nil } }

    /// Reads one object. Nil for anything that is not exactly one JSON object in UTF-8 without a byte order mark,
    /// for duplicate members, for NUL in a text, for an exponent, and for numbers beyond 15 digits.
    package init?(object bytes: [UInt8]) {
        guard let tree = try? JSONTree.read(bytes, depthMax: JOSEValue.depthMax), case .object = tree.value else {
            return nil
        }
        self.init(tree)
    }

    private init?(_ tree: JSONTree) {
        switch tree.value {
        case .null: self = .null
        case .bool(let flag): self = .boolean(flag)
        case .number(let text):
            guard let number = JOSEValue.number(text) else { return nil }
            self = .number(number)
        case .string(let text):
            guard !text.utf8.contains(0) else { return nil }
            self = .string(text)
        case .array(let trees):
            let values = trees.compactMap(JOSEValue.init)
            guard values.count == trees.count else { return nil }
            self = .array(values)
        case .object(let trees):
            var members: [String: JOSEValue] = [:]
            for (name, tree) in trees {
                guard !name.utf8.contains(0), let value = JOSEValue(tree) else { return nil }
                members[name] = value
            }
            self = .object(members)
        }
    }

    /// The integer part of a number.
    private static func number(_ text: String) -> Int64? {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) else { return nil }
        let integer = text.prefix { $0 != "." }
        guard integer.drop(while: { $0 == "-" }).utf8.count <= digitsMax else { return nil }
        return Int64(integer)
    }
}
