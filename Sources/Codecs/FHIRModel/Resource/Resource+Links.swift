/// Links from a resource to others, and their replacement without touching anything else.
extension Resource {
    /// Where a link stands.
    package enum LinkKind: Sendable, Hashable {
        /// `Reference.reference`.
        case reference
        /// An element of type uri, url, oid or uuid. Those of type canonical are none: a transaction leaves them.
        case uri
        /// An `href` or `src` of the narrative.
        case narrative
    }

    /// The resource with each link replaced for which `replacement` gives another text; itself when it gives none.
    ///
    /// Contained resources and extensions are gone through too. What `replacement` throws is passed on.
    /// FHIR R4 http.html#trules.
    package func replacingLinks(
        _ replacement: (_ text: String, _ kind: LinkKind) throws -> String?
    ) throws -> Resource {
        var walk = LinkWalk(bytes)
        try withoutActuallyEscaping(replacement) { replacement in
            try walk.resource(root, as: resourceType, replacement)
        }
        return walk.hasChanged ? try Resource(parsing: walk.result(), limits: .stored) : self
    }
}

/// One pass over a resource by its definition. Its recursion is as deep as the JSON, which the reader bounds.
private struct LinkWalk {
    typealias Replacement = (String, Resource.LinkKind) throws -> String?

    private static let uriTypes: Set<String> = ["uri", "url", "oid", "uuid"]
    private let definitions = FHIRDefinitions.r4
    private var splice: ByteSplice
    private(set) var hasChanged = false

    init(_ bytes: [UInt8]) { splice = ByteSplice(bytes) }

    func result() -> [UInt8] { splice.result() }

    mutating func resource(_ node: JSONNode, as type: String, _ replacement: Replacement) throws {
        guard let type = definitions.type(named: type), type.kind == .resource else { return }
        try object(node, type, replacement)
    }

    private mutating func object(_ node: JSONNode, _ type: TypeDefinition, _ replacement: Replacement) throws {
        for member in node.members {
            let name = member.name
            if type.name == "Reference", name == "reference" {
                try replace(member.value, .reference, replacement)
            } else if name.utf8.first == 0x5F {
                // The id and extensions of a primitive.
                try values(member.value, "Element", replacement)
            } else if let property = type.property(name) {
                try values(member.value, property.type, replacement)
            }
        }
    }

    private mutating func values(_ node: JSONNode, _ type: String, _ replacement: Replacement) throws {
        if node.kind == .array {
            for element in node.elements { try value(element, type, replacement) }
        } else {
            try value(node, type, replacement)
        }
    }

    private mutating func value(_ node: JSONNode, _ name: String, _ replacement: Replacement) throws {
        if node.kind == .object {
            if name == "Resource" {
                try resource(node, as: node["resourceType"]?.string ?? "", replacement)
            } else if let type = definitions.type(named: name) {
                try object(node, type, replacement)
            }
        } else if Self.uriTypes.contains(name) {
            try replace(node, .uri, replacement)
        } else if name == "xhtml", let text = node.string {
            let changed = try NarrativeLinks.replaced(in: text) { try replacement($0, .narrative) }
            if let changed { put(changed, instead: node) }
        }
    }

    private mutating func replace(_ node: JSONNode, _ kind: Resource.LinkKind, _ replacement: Replacement) throws {
        guard let text = node.string, let changed = try replacement(text, kind), changed != text else { return }
        put(changed, instead: node)
    }

    private mutating func put(_ text: String, instead node: JSONNode) {
        var quoted: [UInt8] = []
        JSONWriter.appendString(text, to: &quoted)
        splice.replace(node.rawRange, with: quoted)
        hasChanged = true
    }
}

/// The addresses in the XHTML of a narrative.
enum NarrativeLinks {
    /// The text with each `href` and `src` replaced for which there is another; nil when none is.
    ///
    /// An address is compared as it is meant, with `&amp;` for `&`. One pass; what is no quoted value is passed over.
    static func replaced(in text: String, _ replacement: (String) throws -> String?) rethrows -> String? {
        let bytes = Array(text.utf8)
        var splice = ByteSplice(bytes)
        var hasChanged = false
        var at = 0
        while at < bytes.count {
            guard let length = ["href", "src"].first(where: { bytes[at...].starts(with: $0.utf8) })?.utf8.count,
                at > 0, isSpace(bytes[at - 1])
            else {
                at += 1
                continue
            }
            at += length
            while at < bytes.count, isSpace(bytes[at]) { at += 1 }
            guard at < bytes.count, bytes[at] == UInt8(ascii: "=") else { continue }
            at += 1
            while at < bytes.count, isSpace(bytes[at]) { at += 1 }
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'"),
                let end = bytes[(at + 1)...].firstIndex(of: bytes[at])
            else { continue }
            let address = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
            if let new = try replacement(unescaped(address)) {
                splice.replace((at + 1)..<end, with: Array(escaped(new).utf8))
                hasChanged = true
            }
            at = end + 1
        }
        return hasChanged ? String(decoding: splice.result(), as: UTF8.self) : nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func unescaped(_ text: String) -> String {
        text.utf8.contains(UInt8(ascii: "&"))
            ? text.split(separator: "&amp;", omittingEmptySubsequences: false)
                .joined(separator: "&") : text
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.append(character)
            }
        }
        return out
    }
}
