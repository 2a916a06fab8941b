/// Splitting and unescaping of parameter values. FHIR R4 search.html#escaping.
enum SearchText {
    static let comma: UInt8 = 0x2C
    static let bar: UInt8 = 0x7C
    static let dollar: UInt8 = 0x24
    private static let backslash: UInt8 = 0x5C

    /// The parts of `text` between marks that no backslash precedes; escapes stay in. At least one part; the last of
    /// `partsMax + 1` holds everything after, so that the caller can tell an excess.
    static func split(_ text: some StringProtocol, at mark: UInt8, partsMax: Int = .max - 1) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if byte == mark, !isEscaped, parts.count < partsMax {
                parts.append(String(decoding: part, as: UTF8.self))
                part.removeAll(keepingCapacity: true)
                continue
            }
            isEscaped = byte == backslash && !isEscaped
            part.append(byte)
        }
        parts.append(String(decoding: part, as: UTF8.self))
        return parts
    }

    /// `text` with `\,` `\|` `\$` and `\\` replaced by what they stand for. A backslash before anything else, or at
    /// the end, stands for itself.
    static func unescaped(_ text: some StringProtocol) -> String {
        guard text.utf8.contains(backslash) else { return String(text) }
        var out: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                if byte != comma, byte != bar, byte != dollar, byte != backslash { out.append(backslash) }
                out.append(byte)
                isEscaped = false
            } else if byte == backslash {
                isEscaped = true
            } else {
                out.append(byte)
            }
        }
        if isEscaped { out.append(backslash) }
        return String(decoding: out, as: UTF8.self)
    }

    /// `text` with the four marks escaped: the inverse of `unescaped`.
    static func escaped(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte == comma || byte == bar || byte == dollar || byte == backslash { out.append(backslash) }
            out.append(byte)
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// What is wrong with one parameter.
struct ParameterIssue: Error {
    enum Kind {
        /// Names something this server does not know: may be ignored when handling is lenient.
        case unknown
        /// Legal FHIR that this server does not do: may be ignored when handling is lenient.
        case notSupported
        /// A modifier that this server does not do: never ignored, since without it the parameter asks for something else.
        /// FHIR R4 search.html#modifiers.
        case modifier
        /// Breaks the grammar: never ignored, since the answer would be to another question.
        case invalid
        /// Above a limit.
        case tooCostly
    }

    let kind: Kind
    /// A sentence that names the parameter and never its value.
    let text: String
    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}
