/// The tag of a data element: a group number and an element number, 16 bits each. Ordered as elements are ordered in
/// a data set. PS3.5 §7.1.1.
package struct Tag: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Group in the upper, element in the lower 16 bits.
    package let rawValue: UInt32

    package init(_ group: UInt16, _ element: UInt16) { rawValue = UInt32(group) << 16 | UInt32(element) }
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package var group: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
    package var element: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    /// Eight hexadecimal digits in either case, as DICOM JSON and QIDO-RS write a tag, else nil. PS3.18 §8.3.4.1.
    package init?(hex: some StringProtocol) {
        var value: UInt32 = 0
        var digits = 0
        for byte in hex.utf8 {
            guard let digit = Self.hexDigit(byte) else { return nil }
            digits += 1
            if digits > 8 { return nil }
            value = value << 4 | UInt32(digit)
        }
        guard digits == 8 else { return nil }
        rawValue = value
    }

    /// The tag of an attribute's keyword (`PatientID`), case-sensitive, else nil. PS3.6 §6.
    package init?(keyword: String) {
        guard let tag = DataDictionary.tag(keyword: keyword) else { return nil }
        self = tag
    }

    package static func < (a: Tag, b: Tag) -> Bool { a.rawValue < b.rawValue }

    /// An odd group: the element's meaning is defined by a private creator. PS3.5 §7.8.
    package var isPrivate: Bool { group & 1 == 1 }

    /// `(gggg,0010...00FF)` of an odd group: the value names the owner of a block of elements. PS3.5 §7.8.1.
    package var isPrivateCreator: Bool { isPrivate && (0x10...0xFF).contains(element) }

    /// The tag of the creator that owns this private element, nil when the element lies in no block. PS3.5 §7.8.1.
    package var privateCreatorTag: Tag? {
        guard isPrivate, element >= 0x1000 else { return nil }
        return Tag(group, element >> 8)
    }

    /// `(gggg,0000)`: holds the length of its group. PS3.5 §7.2.
    package var isGroupLength: Bool { element == 0 }

    /// An element of the file meta information. PS3.10 §7.1.
    package var isFileMeta: Bool { group == 0x0002 }

    /// Whether a data set may hold it: no element of a command or of the file meta information, and no group length, which
    /// would be wrong after the first change. PS3.5 §7.1, §7.2.
    package var isOfDataSet: Bool { group != 0x0000 && !isFileMeta && !isGroupLength }

    /// Eight upper-case hexadecimal digits, `00100020`. PS3.18 §F.2.2.
    package var hex: String { String(decoding: hexBytes, as: UTF8.self) }

    /// `hex` as ASCII bytes.
    package var hexBytes: [UInt8] {
        (0..<8).map { Self.hexDigits[Int(rawValue >> UInt32(28 - 4 * $0)) & 15] }
    }

    /// Writes `hexBytes` behind others.
    func appendHex(to output: inout [UInt8]) {
        for digit in 0..<8 { output.append(Self.hexDigits[Int(rawValue >> UInt32(28 - 4 * digit)) & 15]) }
    }

    /// `(0010,0020)`.
    package var description: String { "(\(hex.prefix(4)),\(hex.suffix(4)))" }

    static let hexDigits = Array("0123456789ABCDEF".utf8)

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

/// The delimiters of sequences, which have no VR. PS3.5 §7.5.
extension Tag {
    package static let item = Tag(0xFFFE, 0xE000)
    package static let itemDelimitation = Tag(0xFFFE, 0xE00D)
    package static let sequenceDelimitation = Tag(0xFFFE, 0xE0DD)
}
