/// What a server does with a narrative that holds more than R4 allows.
package enum NarrativePolicy: String, Sendable, Hashable, CaseIterable {
    /// The write is refused.
    case refuse
    /// It is stored and served as it was sent; whoever shows it must make it harmless.
    case keep
}

/// Reads the XHTML of a `Narrative.div` strictly and says what of it R4 does not allow: FHIR R4 narrative.html, txt-1.
///
/// What passes is well formed, in the elements and attributes of txt-1, and holds nothing that acts: no script, event
/// handler, style that loads, address that runs, or image that is fetched from elsewhere when the text is shown. It
/// also reads the same to an HTML parser: no CDATA sections, processing instructions or document types, no comments that HTML
/// ends earlier. A missing namespace is let pass, for many senders leave it out, and so is txt-2.
///
/// One pass over the bytes without recursion; memory is bounded by ``depthMax``.
package struct NarrativeCheck: Sendable {
    /// Why a narrative is refused. Holds no text of it.
    package enum Fault: String, Error, Sendable, Hashable, CaseIterable {
        case notWellFormed = "The narrative is not well-formed XHTML in one div element."
        case element = "The narrative holds an element that R4 does not allow."
        case attribute = "The narrative holds an attribute that R4 does not allow."
        case address = "The narrative holds an address that runs or is loaded from elsewhere."
        case style = "The narrative holds a style that loads or runs something."
        case markup = "A narrative has no document type, processing instruction or CDATA section."
        case tooDeep = "The elements of the narrative are nested too deeply."
    }

    /// Elements inside one another.
    package static let depthMax = 100
    /// Attributes of an element.
    static let attributesMax = 64

    /// txt-1.
    private static let elements: Set<String> = [
        "a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd",
        "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre",
        "q", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
        "tt", "ul", "var",
    ]
    /// txt-1, with the language and space of XML.
    private static let attributes: Set<String> = [
        "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign", "cellpadding", "cellspacing",
        "cellvalign", "char", "charoff", "charset", "cite", "class", "colspan", "compact", "coords", "dir", "frame",
        "headers", "height", "href", "hreflang", "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev",
        "rowspan", "rules", "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title", "type",
        "valign", "value", "vspace", "width", "xml:lang", "xml:space",
    ]
    private static let namespace = "http://www.w3.org/1999/xhtml"
    /// What a link may lead to when somebody follows it.
    private static let linkSchemes: Set<String> = ["http", "https", "ftp", "mailto", "tel", "urn"]
    /// Images that stand in the text itself. SVG is no image but a document.
    private static let imageTypes = ["image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp"]

    private let bytes: [UInt8]
    private var position = 0
    private var open: [String] = []

    private init(_ text: String) { bytes = Array(text.utf8) }

    /// What is wrong with the text of a `div`; nil when nothing is.
    package static func fault(in text: String) -> Fault? {
        var check = NarrativeCheck(text)
        do {
            try check.read()
            return nil
        } catch { return error }
    }

    private mutating func read() throws(Fault) {
        skipSpace()
        guard peek == UInt8(ascii: "<") else { throw .notWellFormed }
        var isOver = false
        while let byte = peek {
            if isOver {
                guard Self.isSpace(byte) else { throw .notWellFormed }
                position += 1
                continue
            }
            switch byte {
            case UInt8(ascii: "<"):
                try markup()
                isOver = open.isEmpty
            case UInt8(ascii: "&"):
                _ = try reference(isAddress: false)
            case UInt8(ascii: "]") where bytes[position...].starts(with: Array("]]>".utf8)): throw .notWellFormed
            default:
                guard byte >= 0x20 || Self.isSpace(byte) else { throw .notWellFormed }
                position += 1
            }
        }
        guard isOver else { throw .notWellFormed }
    }

    // MARK: Markup

    private mutating func markup() throws(Fault) {
        position += 1
        switch peek {
        case UInt8(ascii: "/"):
            position += 1
            let name = try self.name()
            skipSpace()
            guard take(">"), open.popLast() == name else { throw .notWellFormed }
        case UInt8(ascii: "!"):
            guard bytes[position...].starts(with: Array("!--".utf8)) else { throw .markup }
            try comment()
        case UInt8(ascii: "?"): throw .markup
        default: try element()
        }
    }

    /// XML 1.0 §2.5, without what HTML reads as the end of the comment: `>` or `->` at its beginning.
    private mutating func comment() throws(Fault) {
        guard !open.isEmpty else { throw .notWellFormed }
        position += 3
        let start = position
        if peek == UInt8(ascii: ">") || bytes[position...].starts(with: Array("->".utf8)) { throw .notWellFormed }
        while position + 1 < bytes.count {
            if bytes[position] == UInt8(ascii: "-"), bytes[position + 1] == UInt8(ascii: "-") {
                position += 2
                guard take(">"), position > start else { throw .notWellFormed }
                return
            }
            position += 1
        }
        throw .notWellFormed
    }

    private mutating func element() throws(Fault) {
        let name = try self.name()
        guard Self.elements.contains(name) else { throw .element }
        guard !open.isEmpty || name == "div" else { throw .notWellFormed }
        var seen: Set<String> = []
        while true {
            let hadSpace = skipSpace()
            if take(">") {
                guard open.count < Self.depthMax else { throw .tooDeep }
                open.append(name)
                return
            }
            if take("/") {
                guard take(">"), !open.isEmpty else { throw .notWellFormed }
                return
            }
            guard hadSpace, seen.count < Self.attributesMax else { throw .notWellFormed }
            let attribute = try self.name()
            guard seen.insert(attribute).inserted else { throw .notWellFormed }
            try value(of: attribute, in: name)
        }
    }

    private mutating func value(of attribute: String, in element: String) throws(Fault) {
        guard attribute == "xmlns" || Self.attributes.contains(attribute) else { throw .attribute }
        skipSpace()
        guard take("=") else { throw .notWellFormed }
        skipSpace()
        guard let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw .notWellFormed }
        position += 1
        let isJudged = ["href", "src", "cite", "longdesc", "style", "xmlns"].contains(attribute)
        var text: [UInt8] = []
        while true {
            guard let byte = peek, byte != UInt8(ascii: "<") else { throw .notWellFormed }
            if byte == quote { break }
            if byte == UInt8(ascii: "&") {
                text += try reference(isAddress: isJudged)
            } else {
                guard byte >= 0x20 || Self.isSpace(byte) else { throw .notWellFormed }
                if isJudged { text.append(byte) }
                position += 1
            }
        }
        position += 1
        switch attribute {
        case "xmlns": if !text.elementsEqual(Self.namespace.utf8) { throw .attribute }
        case "src": if !Self.isImage(text) { throw .address }
        case "href", "cite", "longdesc": if !Self.isLink(text) { throw .address }
        case "style": if !Self.isStyle(text) { throw .style }
        default: return
        }
    }

    // MARK: Values

    /// A relative address, or one of a scheme that runs nothing. RFC 3986 §3.1.
    private static func isLink(_ value: [UInt8]) -> Bool {
        guard let scheme = scheme(value) else { return false }
        return scheme.isEmpty || linkSchemes.contains(scheme)
    }

    /// A fragment, a path of this server, or an image in the text itself.
    private static func isImage(_ value: [UInt8]) -> Bool {
        guard let scheme = scheme(value) else { return false }
        if scheme.isEmpty {
            // `//host`, which browsers read in `/\host` too, is another server's.
            let start = value.prefix(2)
            return
                !(start.count == 2
                && start.allSatisfy { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") })
        }
        let text = String(decoding: value.prefix(40), as: UTF8.self).lowercased()
        return scheme == "data"
            && imageTypes.contains { text.hasPrefix("data:\($0);") || text.hasPrefix("data:\($0),") }
    }

    /// The scheme in lower case, empty for a relative address; nil for an address with space or control characters, which
    /// browsers leave out when they look for the scheme.
    private static func scheme(_ value: [UInt8]) -> String? {
        var bytes = value[...]
        while bytes.first == 0x20 { bytes = bytes.dropFirst() }
        while bytes.last == 0x20 { bytes = bytes.dropLast() }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        let end = bytes.firstIndex {
            [UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0)
        }
        guard let end, bytes[end] == UInt8(ascii: ":") else { return "" }
        return String(decoding: bytes[..<end], as: UTF8.self).lowercased()
    }

    /// A style without functions that load or run, and without the ways to hide one.
    private static func isStyle(_ value: [UInt8]) -> Bool {
        guard !value.contains(UInt8(ascii: "\\")), !value.contains(UInt8(ascii: "@")) else { return false }
        let text = String(decoding: value, as: UTF8.self).lowercased()
        let words = [
            "url", "image", "expression", "javascript", "vbscript", "behavior", "behaviour", "binding", "import",
            "src(",
            "attr(", "/*",
        ]
        return !words.contains { text.contains($0) }
    }

    // MARK: Characters

    /// A reference as the bytes that it stands for: of XML, numeric, or by a name of HTML, which stands for nothing here.
    ///
    /// An address is written without the latter: what they hide differs from reader to reader.
    private mutating func reference(isAddress: Bool) throws(Fault) -> [UInt8] {
        let rest = bytes[(position + 1)...].prefix(32)
        guard let end = rest.firstIndex(of: UInt8(ascii: ";")), end > position + 1 else { throw .notWellFormed }
        let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        position = end + 1
        if let known = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"][name] { return Array(known.utf8) }
        if name.hasPrefix("#") {
            let digits = name.dropFirst()
            let isHex = digits.hasPrefix("x")
            guard let code = UInt32(isHex ? digits.dropFirst() : digits, radix: isHex ? 16 : 10),
                !digits.contains("+"), !digits.contains("-"), let scalar = Unicode.Scalar(code),
                code >= 0x20 || code == 9 || code == 10 || code == 13, code != 0xFFFE, code != 0xFFFF
            else { throw .notWellFormed }
            return Array(String(Character(scalar)).utf8)
        }
        guard !isAddress, name.utf8.allSatisfy({ PrimitiveFormat.isAlphanumeric($0) }) else { throw .notWellFormed }
        return []
    }

    private mutating func name() throws(Fault) -> String {
        let start = position
        while let byte = peek,
            PrimitiveFormat.isAlphanumeric(byte)
                || [UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "_")].contains(byte)
        {
            position += 1
        }
        guard position > start, position - start <= 64 else { throw .notWellFormed }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard let next = peek, next == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while let byte = peek, Self.isSpace(byte) { position += 1 }
        return position > start
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
