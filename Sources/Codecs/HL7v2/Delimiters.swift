/// The characters that cut a message into fields, repetitions, components and subcomponents.
///
/// Shape: MSH-1 is the field separator, MSH-2 holds component, repetition, escape and subcomponent
/// in that order, and from version 2.7 a fifth, the truncation character.
/// HL7 v2.5.1 §2.5.4, HL7 v2.7 §2.5.5.2.
package struct Delimiters: Sendable, Hashable {
    package let field: UInt8
    package let component: UInt8
    package let repetition: UInt8
    package let escape: UInt8
    package let subcomponent: UInt8
    /// The truncation character of version 2.7, nil when MSH-2 has four characters.
    package let truncation: UInt8?

    /// `|^~\&`, the delimiters recommended by the standard.
    package static let standard = Delimiters(
        uncheckedField: 0x7C, component: 0x5E, repetition: 0x7E, escape: 0x5C, subcomponent: 0x26, truncation: nil)

    /// Checks the six characters: printable, not alphanumeric, not `"` (it writes the null value), all different.
    ///
    /// Nil when any rule is broken.
    package init?(
        field: UInt8, component: UInt8, repetition: UInt8, escape: UInt8, subcomponent: UInt8, truncation: UInt8? = nil
    ) {
        self.init(
            uncheckedField: field, component: component, repetition: repetition, escape: escape,
            subcomponent: subcomponent, truncation: truncation)
        let all = [field, component, repetition, escape, subcomponent] + (truncation.map { [$0] } ?? [])
        guard all.allSatisfy(Delimiters.isLegal), Set(all).count == all.count else { return nil }
    }

    private init(
        uncheckedField field: UInt8, component: UInt8, repetition: UInt8, escape: UInt8, subcomponent: UInt8,
        truncation: UInt8?
    ) {
        self.field = field
        self.component = component
        self.repetition = repetition
        self.escape = escape
        self.subcomponent = subcomponent
        self.truncation = truncation
    }

    /// The value of MSH-2 (BHS-2, FHS-2) that declares these delimiters.
    package var encodingCharacters: [UInt8] {
        [component, repetition, escape, subcomponent] + (truncation.map { [$0] } ?? [])
    }

    /// True when the byte would be read as structure if it stood unescaped in a value.
    func isStructural(_ byte: UInt8) -> Bool {
        byte == field || byte == component || byte == repetition || byte == escape || byte == subcomponent
    }

    /// A delimiter has to be visible ASCII that no name, number or null value is made of.
    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: false
        case 0x22: false
        default: byte > 0x20 && byte < 0x7F
        }
    }

    /// Reads the delimiters of a header segment (MSH, BHS, FHS) that starts at `start`.
    ///
    /// Throws `.headerTruncated` when fewer than four encoding characters follow, `.delimitersIllegal` when
    /// two are equal, one is alphanumeric, a control byte or a quote, or when MSH-2 is longer than five.
    static func read(from bytes: Span<UInt8>, headerAt start: Int) throws(HL7Error) -> Delimiters {
        guard start + 8 <= bytes.count else { throw .headerTruncated(offset: bytes.count) }
        let field = bytes[start + 3]
        var end = start + 4
        while end < bytes.count, end - start < 4 + 6, bytes[end] != field, bytes[end] != 0x0D, bytes[end] != 0x0A {
            end += 1
        }
        let length = end - (start + 4)
        guard length >= 4 else { throw .delimitersIllegal(offset: start + 4) }
        guard length <= 5 else { throw .delimitersIllegal(offset: start + 9) }
        guard
            let delimiters = Delimiters(
                field: field, component: bytes[start + 4], repetition: bytes[start + 5], escape: bytes[start + 6],
                subcomponent: bytes[start + 7], truncation: length == 5 ? bytes[start + 8] : nil)
        else { throw .delimitersIllegal(offset: start + 3) }
        return delimiters
    }
}
