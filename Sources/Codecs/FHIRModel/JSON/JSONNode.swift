/// The six kinds of JSON value. RFC 8259 §3.
package enum JSONKind: String, Sendable, Hashable {
    case null, bool, number, string, array, object
}

/// One value of a `JSONDocument`: a position on its tape. Copying one costs one retain.
package struct JSONNode: Sendable {
    let storage: JSONDocument.Storage
    let index: Int

    private var node: JSONTapeNode { storage.nodes[index] }

    package var kind: JSONKind {
        switch node.kind {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string, .key: .string
        case .array: .array
        case .object: .object
        }
    }

    package var isNull: Bool { node.kind == .null }

    /// The characters of a string, unescaped; nil for every other kind.
    package var string: String? {
        let node = node
        guard node.kind == .string || node.kind == .key else { return nil }
        if node.hasEscapes {
            return String(decoding: JSONString.decoded(in: storage.bytes, node), as: UTF8.self)
        }
        return String(decoding: storage.bytes[Int(node.start) + 1..<node.end - 1], as: UTF8.self)
    }

    /// The characters of a string as UTF-8, unescaped; nil for every other kind.
    package var stringBytes: ArraySlice<UInt8>? {
        let node = node
        guard node.kind == .string || node.kind == .key else { return nil }
        if node.hasEscapes { return JSONString.decoded(in: storage.bytes, node)[...] }
        return storage.bytes[Int(node.start) + 1..<node.end - 1]
    }

    /// The text of a number exactly as written, such as `1.10` or `1e400`; nil for every other kind.
    package var numberText: String? {
        node.kind == .number ? String(decoding: rawBytes, as: UTF8.self) : nil
    }

    package var bool: Bool? {
        let node = node
        return node.kind == .bool ? node.length == 4 : nil
    }

    /// Elements of an array or members of an object; 0 for every other kind.
    package var count: Int { node.count }

    /// Where the value stands in the document's bytes, quotes and brackets included.
    package var rawRange: Range<Int> { Int(node.start)..<node.end }

    /// The value as it was written, quotes, brackets and white space inside included.
    package var rawBytes: ArraySlice<UInt8> { storage.bytes[rawRange] }

    /// The member called `name`; nil when this is no object or has none. Names compare by their bytes.
    package subscript(name: String) -> JSONNode? { member(name)?.value }

    /// The element at `position`; nil when this is no array or has none. Walks from the first element.
    package subscript(position: Int) -> JSONNode? {
        guard node.kind == .array, position >= 0, position < node.count else { return nil }
        var at = index + 1
        for _ in 0..<position { at = Int(storage.nodes[at].next) }
        return JSONNode(storage: storage, index: at)
    }

    /// The member called `name` with its position; nil when this is no object or has none.
    package func member(_ name: String) -> JSONMember? {
        guard node.kind == .object else { return nil }
        var name = name
        return name.withUTF8 { wanted in
            var at = index + 1
            for _ in 0..<node.count {
                if nameMatches(at, wanted) { return JSONMember(storage: storage, keyIndex: at) }
                at = Int(storage.nodes[at].next)
            }
            return nil
        }
    }

    /// Whether this is a string of exactly these characters.
    package func isString(_ text: String) -> Bool {
        guard node.kind == .string else { return false }
        var text = text
        return text.withUTF8 { nameMatches(index, $0) }
    }

    private func nameMatches(_ at: Int, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        let key = storage.nodes[at]
        if key.hasEscapes { return JSONString.decoded(in: storage.bytes, key).elementsEqual(wanted) }
        guard Int(key.length) == wanted.count + 2 else { return false }
        let bytes = storage.bytes
        let start = Int(key.start) + 1
        for i in 0..<wanted.count where bytes[start + i] != wanted[i] { return false }
        return true
    }

    /// The members of an object in the order written; empty for every other kind.
    package var members: JSONMembers {
        JSONMembers(storage: storage, position: index + 1, remaining: node.kind == .object ? node.count : 0)
    }

    /// The elements of an array; empty for every other kind.
    package var elements: JSONElements {
        JSONElements(storage: storage, position: index + 1, remaining: node.kind == .array ? node.count : 0)
    }
}

/// One member of an object: its name and its value.
package struct JSONMember: Sendable {
    let storage: JSONDocument.Storage
    let keyIndex: Int

    /// The name as a string node, for its place and its bytes.
    package var key: JSONNode { JSONNode(storage: storage, index: keyIndex) }
    /// The name, unescaped.
    package var name: String { key.string ?? "" }
    package var value: JSONNode { JSONNode(storage: storage, index: keyIndex + 1) }
}

/// The members of an object in the order written.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    let storage: JSONDocument.Storage
    var position: Int
    var remaining: Int

    package mutating func next() -> JSONMember? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let member = JSONMember(storage: storage, keyIndex: position)
        position = Int(storage.nodes[position].next)
        return member
    }
}

/// The elements of an array in order.
package struct JSONElements: Sequence, IteratorProtocol, Sendable {
    let storage: JSONDocument.Storage
    var position: Int
    var remaining: Int

    package mutating func next() -> JSONNode? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let element = JSONNode(storage: storage, index: position)
        position = Int(storage.nodes[position].next)
        return element
    }
}
