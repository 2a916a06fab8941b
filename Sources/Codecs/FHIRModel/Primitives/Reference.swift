/// The text of `Reference.reference`, taken apart. FHIR R4 references.html#literal.
package enum Reference: Sendable, Hashable {
    /// `Type/id` or `Type/id/_history/version`, on this server.
    case relative(type: String, id: String, version: String?)
    /// `base/Type/id[/_history/version]`; `base` without its closing slash. FHIR R4 references.html#regex.
    case absolute(base: String, type: String, id: String, version: String?)
    /// `#id`: a contained resource; `#` alone (id empty): the container. FHIR R4 references.html#contained.
    case fragment(id: String)
    /// `urn:uuid:...` or `urn:oid:...`, as in a Bundle's fullUrl. FHIR R4 bundle.html#references.
    case urn(String)
    /// Any other absolute URI.
    case uri(String)
    /// Neither relative to a type of R4 nor an absolute URI.
    case invalid

    package init(_ text: String) {
        self = Self.parse(text)
    }

    /// The resource type that the text itself tells.
    package var type: String? {
        switch self {
        case .relative(let type, _, _), .absolute(_, let type, _, _): type
        default: nil
        }
    }

    /// The logical id that the text itself tells.
    package var id: String? {
        switch self {
        case .relative(_, let id, _), .absolute(_, _, let id, _): id
        default: nil
        }
    }

    /// The same target as a relative reference when it is on the server at `base`; otherwise itself.
    package func relative(to base: String) -> Reference {
        let base = base.hasSuffix("/") ? String(base.dropLast()) : base
        if case .absolute(let itsBase, let type, let id, let version) = self, itsBase == base {
            return .relative(type: type, id: id, version: version)
        }
        return self
    }

    /// The reference as text again; `invalid` gives an empty text.
    package var text: String {
        func tail(_ type: String, _ id: String, _ version: String?) -> String {
            "\(type)/\(id)" + (version.map { "/_history/\($0)" } ?? "")
        }
        switch self {
        case .relative(let type, let id, let version): return tail(type, id, version)
        case .absolute(let base, let type, let id, let version): return base + "/" + tail(type, id, version)
        case .fragment(let id): return "#" + id
        case .urn(let text), .uri(let text): return text
        case .invalid: return ""
        }
    }

    private static func parse(_ text: String) -> Reference {
        guard PrimitiveFormat.isURI(text.utf8) else { return .invalid }
        if text.hasPrefix("#") { return .fragment(id: String(text.dropFirst())) }
        if text.hasPrefix("urn:") { return .urn(text) }
        var parts = text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        let hasScheme = text.utf8.contains(0x3A) && isScheme(text)
        var version: String?
        if parts.count >= 4, parts[parts.count - 2].elementsEqual("_history".utf8) {
            guard let last = parts.last, PrimitiveFormat.isID(last) else { return hasScheme ? .uri(text) : .invalid }
            version = String(Substring(last))
            parts.removeLast(2)
        }
        guard parts.count >= 2, let last = parts.popLast(), let before = parts.popLast(), PrimitiveFormat.isID(last)
        else { return hasScheme ? .uri(text) : .invalid }
        let (type, id) = (String(Substring(before)), String(Substring(last)))
        guard FHIRDefinitions.r4.isResourceType(type) else { return hasScheme ? .uri(text) : .invalid }
        if parts.isEmpty { return .relative(type: type, id: id, version: version) }
        guard hasScheme else { return .invalid }
        let base = text[..<text.utf8.index(before: before.startIndex)]
        return .absolute(base: String(base), type: type, id: id, version: version)
    }

    /// Whether the text starts with a URI scheme and a colon. RFC 3986 §3.1.
    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, 0x41...0x5A ~= first || 0x61...0x7A ~= first else { return false }
        for b in text.utf8 {
            if b == 0x3A { return true }
            guard PrimitiveFormat.isAlphanumeric(b) || b == 0x2B || b == 0x2D || b == 0x2E else { return false }
        }
        return false
    }
}
