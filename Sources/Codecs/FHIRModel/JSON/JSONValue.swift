/// A JSON value as a tree that can be edited.
///
/// Several times dearer than `JSONDocument`: for building, patching and projecting, not for carrying. Numbers are
/// text and objects keep their order, so a round trip changes white space and escapes only.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number by its text. Written as it stands: the maker answers for its grammar (RFC 8259 §6).
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    /// The tree of a node and everything below it.
    package init(_ node: JSONNode) {
        switch node.kind {
        case .null: self = .null
        case .bool: self = .bool(node.bool ?? false)
        case .number: self = .number(node.numberText ?? "0")
        case .string: self = .string(node.string ?? "")
        case .array: self = .array(node.elements.map { JSONValue($0) })
        case .object: self = .object(JSONObject(node.members.map { ($0.name, JSONValue($0.value)) }))
        }
    }

    package init(_ document: JSONDocument) { self.init(document.root) }

    package init(_ integer: Int) { self = .number(String(integer)) }

    package var kind: JSONKind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var numberText: String? { if case .number(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var object: JSONObject? { if case .object(let members) = self { members } else { nil } }

    /// The member called `name`. Setting nil removes it; setting a value keeps its place or appends it. Setting on
    /// anything but an object does nothing.
    package subscript(name: String) -> JSONValue? {
        get { object?[name] }
        set {
            guard case .object(var members) = self else { return }
            self = .null
            members[name] = newValue
            self = .object(members)
        }
    }

    /// The element at `position`. Setting nil removes it; a position that does not exist is left alone.
    package subscript(position: Int) -> JSONValue? {
        get {
            guard case .array(let elements) = self, elements.indices.contains(position) else { return nil }
            return elements[position]
        }
        set {
            guard case .array(var elements) = self, elements.indices.contains(position) else { return }
            self = .null
            if let newValue { elements[position] = newValue } else { elements.remove(at: position) }
            self = .array(elements)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// Members in the order written; of a repeated name the last value wins, in the first one's place.
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
}
