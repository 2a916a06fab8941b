/// Why a text is not the strict JSON that this module reads, and where.
///
/// Carries the place and never a value, so that it can be logged and returned.
package struct JSONError: Error, Hashable, Sendable {
    /// One rule of RFC 8259, FHIR R4 json.html, or one of `JSONLimits`.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        case empty
        case byteOrderMark
        case unexpectedEnd
        case unexpectedByte
        case trailingText
        case invalidLiteral
        case invalidNumber
        case invalidEscape
        case loneSurrogate
        case nulCharacter
        case controlCharacter
        case invalidUTF8
        case duplicateKey
        case textTooLong
        case tooDeep
        case tooManyTokens
        case stringTooLong
        case numberTooLong
    }

    package let reason: Reason
    /// Byte offset in the text at which the rule was found broken.
    package let offset: Int
    /// RFC 6901 pointer to the value or container in hand; `""` is the root. Names longer than 64 bytes are cut.
    package let pointer: String

    package init(reason: Reason, offset: Int, pointer: String) {
        self.reason = reason
        self.offset = offset
        self.pointer = pointer
    }

    /// One sentence for an OperationOutcome, without any value from the text.
    package var sentence: String {
        let place = pointer.isEmpty ? "at byte \(offset)" : "at byte \(offset), under \(pointer)"
        return "\(reason.phrase) \(place)."
    }
}

extension JSONError.Reason {
    /// What is wrong, as the start of a sentence.
    package var phrase: String {
        switch self {
        case .empty: "The text is empty"
        case .byteOrderMark: "The text starts with a byte order mark"
        case .unexpectedEnd: "The text ends too early"
        case .unexpectedByte: "Unexpected character"
        case .trailingText: "Text after the end of the value"
        case .invalidLiteral: "Not a JSON literal"
        case .invalidNumber: "Not a JSON number"
        case .invalidEscape: "Invalid escape in a string"
        case .loneSurrogate: "Half of a surrogate pair in a string"
        case .nulCharacter: "The NUL character in a string"
        case .controlCharacter: "Unescaped control character in a string"
        case .invalidUTF8: "Invalid UTF-8"
        case .duplicateKey: "A member name appears twice in one object"
        case .textTooLong: "The text is longer than allowed"
        case .tooDeep: "Objects and arrays are nested deeper than allowed"
        case .tooManyTokens: "More values than allowed"
        case .stringTooLong: "A string is longer than allowed"
        case .numberTooLong: "A number is longer than allowed"
        }
    }
}
