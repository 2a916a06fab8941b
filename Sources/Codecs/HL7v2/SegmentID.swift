/// The three-character name of a segment, packed into one integer so that comparing costs nothing.
///
/// Shape: an upper-case ASCII letter, then two upper-case letters or digits (`PID`, `PV1`, `ZDS`).
/// HL7 v2.5.1 §2.5.2.
package struct SegmentID: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    let code: UInt32

    init(_ a: UInt8, _ b: UInt8, _ c: UInt8) {
        code = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c)
    }

    /// Reads a name from three bytes. Nil when the bytes are not a legal name.
    package init?(bytes a: UInt8, _ b: UInt8, _ c: UInt8) {
        guard SegmentID.isLetter(a), SegmentID.isLetterOrDigit(b), SegmentID.isLetterOrDigit(c) else { return nil }
        self.init(a, b, c)
    }

    /// Reads a name from text. Nil when it is not three legal characters.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 3 else { return nil }
        self.init(bytes: bytes[0], bytes[1], bytes[2])
    }

    /// A name written in source. A literal that is no legal name gives the name `???`, which no message has.
    package init(stringLiteral value: StaticString) {
        let named = value.withUTF8Buffer { utf8 in
            utf8.count == 3 ? SegmentID(bytes: utf8[0], utf8[1], utf8[2]) : nil
        }
        self = named ?? SegmentID(0x3F, 0x3F, 0x3F)
    }

    /// The three bytes of the name.
    package var bytes: [UInt8] {
        [UInt8(truncatingIfNeeded: code >> 16), UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)]
    }

    package var description: String { String(decoding: bytes, as: UTF8.self) }

    /// True for MSH, BHS and FHS, whose first two fields are the delimiters themselves. HL7 v2.5.1 §2.15.9.1.
    var declaresDelimiters: Bool { self == "MSH" || self == "BHS" || self == "FHS" }

    private static func isLetter(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }
    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { isLetter(byte) || (byte >= 0x30 && byte <= 0x39) }
}
