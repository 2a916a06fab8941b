import Basics

/// Writes JSON as UTF-8: compact, or indented by two spaces for `_pretty=true` (FHIR R4 http.html#parameters).
///
/// From a node, names, strings and numbers are copied as written; only white space changes. From a tree, strings are
/// escaped as little as RFC 8259 §7 allows.
package struct JSONWriter {
    private var out: [UInt8]
    private let isPretty: Bool
    private var depth = 0

    private init(isPretty: Bool, capacity: Int) {
        self.isPretty = isPretty
        out = []
        out.reserveCapacity(capacity)
    }

    /// `value` without white space.
    package static func compact(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter(isPretty: false, capacity: 256)
        writer.write(value)
        return writer.out
    }

    /// `value` indented.
    package static func pretty(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter(isPretty: true, capacity: 256)
        writer.write(value)
        return writer.out
    }

    /// `node` without white space.
    package static func compact(_ node: JSONNode) -> [UInt8] {
        var writer = JSONWriter(isPretty: false, capacity: node.rawRange.count)
        writer.write(node)
        return writer.out
    }

    /// `node` indented.
    package static func pretty(_ node: JSONNode) -> [UInt8] {
        var writer = JSONWriter(isPretty: true, capacity: node.rawRange.count * 2)
        writer.write(node)
        return writer.out
    }

    /// Appends a string token to bytes that are being put together by hand.
    package static func appendString(_ text: String, to out: inout [UInt8]) {
        JSONQuoting.append(text, to: &out)
    }

    private mutating func write(_ value: JSONValue) {
        switch value {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): JSONQuoting.append(text, to: &out)
        case .array(let elements):
            open(0x5B)
            for (position, element) in elements.enumerated() {
                separate(isFirst: position == 0)
                write(element)
            }
            close(0x5D, isEmpty: elements.isEmpty)
        case .object(let object):
            open(0x7B)
            for (position, member) in object.members.enumerated() {
                separate(isFirst: position == 0)
                JSONQuoting.append(member.name, to: &out)
                colon()
                write(member.value)
            }
            close(0x7D, isEmpty: object.isEmpty)
        }
    }

    private mutating func write(_ node: JSONNode) {
        switch node.kind {
        case .array:
            open(0x5B)
            var isFirst = true
            for element in node.elements {
                separate(isFirst: isFirst)
                isFirst = false
                write(element)
            }
            close(0x5D, isEmpty: node.count == 0)
        case .object:
            open(0x7B)
            var isFirst = true
            for member in node.members {
                separate(isFirst: isFirst)
                isFirst = false
                out.append(contentsOf: member.key.rawBytes)
                colon()
                write(member.value)
            }
            close(0x7D, isEmpty: node.count == 0)
        default: out.append(contentsOf: node.rawBytes)
        }
    }

    private mutating func open(_ bracket: UInt8) {
        out.append(bracket)
        depth += 1
    }

    private mutating func separate(isFirst: Bool) {
        if !isFirst { out.append(0x2C) }
        indent()
    }

    private mutating func colon() {
        out.append(0x3A)
        if isPretty { out.append(0x20) }
    }

    private mutating func close(_ bracket: UInt8, isEmpty: Bool) {
        depth -= 1
        if !isEmpty { indent() }
        out.append(bracket)
    }

    private mutating func indent() {
        guard isPretty else { return }
        out.append(0x0A)
        out.append(contentsOf: repeatElement(0x20, count: depth * 2))
    }
}
