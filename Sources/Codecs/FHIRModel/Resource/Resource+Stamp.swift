/// Putting the server's own elements into a resource without touching anything else.
extension Resource {
    /// The resource with its id, `meta.versionId` and `meta.lastUpdated` set; nil leaves an element as it is.
    ///
    /// Works on the bytes: what exists is replaced in place; a missing id goes behind resourceType, a missing meta
    /// behind the id, missing members of meta at its start. Every other byte stays, in its order.
    /// FHIR R4 http.html#create, http.html#update.
    package func stamped(
        id: String?, versionID: String?, lastUpdated: String?
    ) throws(ResourceError) -> Resource {
        try Resource(
            parsing: stampedBytes(id: id, versionID: versionID, lastUpdated: lastUpdated), limits: .stored)
    }

    /// The bytes of `stamped(id:versionID:lastUpdated:)`, without reading them again.
    package func stampedBytes(id: String?, versionID: String?, lastUpdated: String?) -> [UInt8] {
        var splice = ByteSplice(bytes)
        guard let typeEnd = self["resourceType"]?.rawRange.upperBound else { return bytes }
        let idNode = self["id"]
        if let id {
            if let idNode {
                splice.replace(idNode.rawRange, with: Self.quoted(id))
            } else {
                splice.insert(at: typeEnd, Array(",\"id\":".utf8) + Self.quoted(id))
            }
        }
        var wanted: [(name: String, text: String)] = []
        if let versionID { wanted.append(("versionId", versionID)) }
        if let lastUpdated { wanted.append(("lastUpdated", lastUpdated)) }
        guard !wanted.isEmpty else { return splice.result() }

        var added: [UInt8] = []
        for (name, text) in wanted {
            if let old = meta?[name] {
                splice.replace(old.rawRange, with: Self.quoted(text))
            } else {
                if !added.isEmpty { added.append(0x2C) }
                added += Array("\"\(name)\":".utf8) + Self.quoted(text)
            }
        }
        guard !added.isEmpty else { return splice.result() }
        if let meta {
            if meta.count > 0 { added.append(0x2C) }
            splice.insert(at: meta.rawRange.lowerBound + 1, added)
        } else {
            let place = idNode?.rawRange.upperBound ?? typeEnd
            splice.insert(at: place, Array(",\"meta\":{".utf8) + added + [0x7D])
        }
        return splice.result()
    }

    private static func quoted(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        JSONWriter.appendString(text, to: &out)
        return out
    }

    /// Whether `other` says the same, apart from `id`, `meta.versionId` and `meta.lastUpdated`, white space, the
    /// order of members and escapes in strings. Number texts must be equal: `1.10` is not `1.1`.
    ///
    /// An update that says the same need not make a version.
    package func hasSameContent(as other: Resource) -> Bool {
        guard root.isEquivalent(to: other.root, ignoring: ["id", "meta"]) else { return false }
        let stamps = ["versionId", "lastUpdated"]
        switch (meta, other.meta) {
        case (let mine?, let theirs?): return mine.isEquivalent(to: theirs, ignoring: stamps)
        case (let one?, nil), (nil, let one?): return one.members.allSatisfy { stamps.contains($0.name) }
        case (nil, nil): return true
        }
    }
}

extension JSONValue {
    /// Equality that ignores the order of members. RFC 8259 §4.
    package func isEquivalent(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.object(let a), .object(let b)):
            a.count == b.count
                && a.members.allSatisfy { member in b[member.name].map { member.value.isEquivalent(to: $0) } ?? false }
        case (.array(let a), .array(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.isEquivalent(to: $1) }
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        default: self == other
        }
    }
}

extension JSONNode {
    /// Equality that ignores white space, the order of members and escapes, and of this node's own members those
    /// called `ignored`. Number texts must be equal.
    func isEquivalent(to other: JSONNode, ignoring ignored: [String] = []) -> Bool {
        guard kind == other.kind else { return false }
        switch kind {
        case .null: return true
        case .bool: return bool == other.bool
        case .number: return rawBytes == other.rawBytes
        case .string: return stringBytes == other.stringBytes
        case .array:
            return count == other.count && zip(elements, other.elements).allSatisfy { $0.isEquivalent(to: $1) }
        case .object: return hasEquivalentMembers(other, ignoring: ignored)
        }
    }

    private func hasEquivalentMembers(_ other: JSONNode, ignoring ignored: [String]) -> Bool {
        func counts(_ member: JSONMember) -> Bool {
            ignored.isEmpty || !ignored.contains { member.key.stringBytes?.elementsEqual($0.utf8) == true }
        }
        let mine = ignored.isEmpty ? count : members.count(where: counts)
        guard mine == (ignored.isEmpty ? other.count : other.members.count(where: counts)) else { return false }
        // Both mostly have the same order, so the next one of the other is tried first.
        var theirs = other.members.lazy.filter(counts).makeIterator()
        for member in members where counts(member) {
            if let next = theirs.next(), next.key.stringBytes == member.key.stringBytes {
                guard member.value.isEquivalent(to: next.value) else { return false }
            } else {
                guard let found = other[member.name], member.value.isEquivalent(to: found) else { return false }
            }
        }
        return true
    }
}

/// Replacements and insertions in bytes, done in one pass.
struct ByteSplice {
    private let bytes: [UInt8]
    private var edits: [(range: Range<Int>, text: [UInt8])] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Replaces `range`, which must not overlap another edit's.
    mutating func replace(_ range: Range<Int>, with text: [UInt8]) { edits.append((range, text)) }

    /// Inserts at `position`; several insertions at one place keep the order of their calls.
    mutating func insert(at position: Int, _ text: [UInt8]) { edits.append((position..<position, text)) }

    func result() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.text.count })
        var at = 0
        // Sorting by place and call keeps equal places in order.
        let ordered = edits.enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }
        for (_, edit) in ordered {
            out += bytes[at..<edit.range.lowerBound]
            out += edit.text
            at = edit.range.upperBound
        }
        out += bytes[at...]
        return out
    }
}
