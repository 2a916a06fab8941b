import FHIRModel

/// A sequence of changes to a JSON document, all or none of which happen. RFC 6902.
package struct JSONPatch: Hashable, Sendable {
    /// RFC 6902 §4.
    package enum Operation: Hashable, Sendable {
        case add(JSONPointer, JSONValue)
        case remove(JSONPointer)
        case replace(JSONPointer, JSONValue)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, JSONValue)
    }

    package let operations: [Operation]
    private let limits: PatchLimits

    /// Reads an array of operations. Members that an operation does not use are ignored (RFC 6902 §4).
    ///
    /// Throws ``PatchError`` `.malformed`, or `.tooLarge` for more operations than one patch may have.
    package init(_ document: JSONDocument, limits: PatchLimits = PatchLimits()) throws(PatchError) {
        let root = document.root
        guard root.kind == .array else {
            throw PatchError(.malformed, "A JSON Patch is an array of operations.")
        }
        guard root.count <= limits.operationsMax else {
            throw PatchError(.tooLarge, "A patch may have \(limits.operationsMax) operations.")
        }
        var operations: [Operation] = []
        for (index, node) in root.elements.enumerated() {
            do throws(PatchError) { operations.append(try Self.operation(node)) } catch { throw error.at(index) }
        }
        self.operations = operations
        self.limits = limits
    }

    private static func operation(_ node: JSONNode) throws(PatchError) -> Operation {
        guard node.kind == .object, let name = node["op"]?.string else {
            throw PatchError(.malformed, "an operation is an object with the member op.")
        }
        switch name {
        case "add": return .add(try pointer("path", node), try value(node))
        case "remove": return .remove(try pointer("path", node))
        case "replace": return .replace(try pointer("path", node), try value(node))
        case "move":
            let (from, to) = (try pointer("from", node), try pointer("path", node))
            // RFC 6902 §4.4.
            guard !from.contains(to) else {
                throw PatchError(.malformed, "nothing can be moved into itself.")
            }
            return .move(from: from, to: to)
        case "copy": return .copy(from: try pointer("from", node), to: try pointer("path", node))
        case "test": return .test(try pointer("path", node), try value(node))
        default: throw PatchError(.malformed, "op is one of add, remove, replace, move, copy and test.")
        }
    }

    private static func pointer(_ member: String, _ node: JSONNode) throws(PatchError) -> JSONPointer {
        guard let text = node[member]?.string, let pointer = JSONPointer(text) else {
            throw PatchError(.malformed, "the member \(member) must be a JSON Pointer, such as /name/0/family.")
        }
        return pointer
    }

    private static func value(_ node: JSONNode) throws(PatchError) -> JSONValue {
        guard let value = node["value"] else { throw PatchError(.malformed, "the member value is missing.") }
        return JSONValue(value)
    }

    /// The document after all operations; arrays and objects that they emptied are taken out.
    ///
    /// Throws ``PatchError`` `.notApplicable` or `.tooLarge`.
    package func applied(to value: JSONValue) throws(PatchError) -> JSONValue {
        var document = value
        var growth = PatchGrowth(limits)
        for (index, operation) in operations.enumerated() {
            do throws(PatchError) { try operation.apply(to: &document, &growth) } catch { throw error.at(index) }
        }
        return document.withoutEmpties ?? .object(JSONObject())
    }
}

extension JSONPatch.Operation {
    fileprivate func apply(to document: inout JSONValue, _ growth: inout PatchGrowth) throws(PatchError) {
        switch self {
        case .add(let path, let value):
            try growth.add(value, within: path.tokens.count)
            try document.add(value, at: path.tokens[...])
        case .remove(let path): _ = try document.remove(at: path.tokens[...])
        case .replace(let path, let value):
            try growth.add(value, within: path.tokens.count)
            try document.replace(with: value, at: path.tokens[...])
        case .move(let from, let to):
            if from == to {
                _ = try document.value(at: from.tokens[...])
            } else {
                let value = try document.remove(at: from.tokens[...])
                // Where it goes no deeper, neither does the document.
                if to.tokens.count > from.tokens.count { try growth.add(value, within: to.tokens.count) }
                try document.add(value, at: to.tokens[...])
            }
        case .copy(let from, let to):
            let value = try document.value(at: from.tokens[...])
            try growth.add(value, within: to.tokens.count)
            try document.add(value, at: to.tokens[...])
        case .test(let path, let value):
            guard try document.value(at: path.tokens[...]).isSame(as: value) else {
                throw PatchError(.notApplicable, "the test failed: the place holds another value.")
            }
        }
    }
}

extension JSONValue {
    private static let absent = PatchError(.notApplicable, "there is nothing at this place of the resource.")

    fileprivate func value(at tokens: ArraySlice<String>) throws(PatchError) -> JSONValue {
        guard let token = tokens.first else { return self }
        guard let child = child(token) else { throw Self.absent }
        return try child.value(at: tokens.dropFirst())
    }

    private func child(_ token: String) -> JSONValue? {
        switch self {
        case .object(let object): object[token]
        case .array: JSONPointer.position(token).flatMap { self[$0] }
        default: nil
        }
    }

    /// RFC 6902 §4.1.
    fileprivate mutating func add(_ value: JSONValue, at tokens: ArraySlice<String>) throws(PatchError) {
        guard let token = tokens.first else {
            self = value
            return
        }
        if tokens.count > 1 {
            return try within(token) { (child) throws(PatchError) in
                try child.add(value, at: tokens.dropFirst())
            }
        }
        switch self {
        case .object: self[token] = value
        case .array(var elements):
            guard let position = token == "-" ? elements.count : JSONPointer.position(token),
                position <= elements.count
            else {
                throw PatchError(.notApplicable, "the position is past the end of the list.")
            }
            self = .null
            elements.insert(value, at: position)
            self = .array(elements)
        default: throw Self.absent
        }
    }

    /// RFC 6902 §4.2.
    fileprivate mutating func remove(at tokens: ArraySlice<String>) throws(PatchError) -> JSONValue {
        guard let token = tokens.first else {
            throw PatchError(.notApplicable, "the resource as a whole cannot be taken out.")
        }
        if tokens.count > 1 {
            var removed = JSONValue.null
            try within(token) { (child) throws(PatchError) in removed = try child.remove(at: tokens.dropFirst()) }
            return removed
        }
        guard let child = child(token) else { throw Self.absent }
        if let position = array == nil ? nil : JSONPointer.position(token) {
            self[position] = nil
        } else {
            self[token] = nil
        }
        return child
    }

    /// RFC 6902 §4.3.
    fileprivate mutating func replace(with value: JSONValue, at tokens: ArraySlice<String>) throws(PatchError) {
        guard let token = tokens.first else {
            self = value
            return
        }
        try within(token) { (child) throws(PatchError) in try child.replace(with: value, at: tokens.dropFirst()) }
    }

    /// Changes a child in its place; the value is not copied for it.
    private mutating func within(
        _ token: String, _ change: (inout JSONValue) throws(PatchError) -> Void
    ) throws(PatchError) {
        guard var child = child(token) else { throw Self.absent }
        if let position = array == nil ? nil : JSONPointer.position(token) {
            self[position] = .null
            try change(&child)
            self[position] = child
        } else {
            self[token] = .null
            try change(&child)
            self[token] = child
        }
    }

    /// Equality of `test`: numbers by their value, members in any order. RFC 6902 §4.6.
    func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number(let a), .number(let b)): DecimalText.isSame(a, b)
        case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count
                && a.members.allSatisfy { member in b[member.name].map { member.value.isSame(as: $0) } ?? false }
        default: self == other
        }
    }
}
