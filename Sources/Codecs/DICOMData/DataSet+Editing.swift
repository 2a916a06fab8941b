/// Writing values. The VR is the dictionary's when it is not given; unknown tags become LO for text, SQ for items and
/// UN for bytes. Text is coded in the data set's character set; text beyond it takes the whole data set to UTF-8.
extension DataSet {
    /// One value. A `\` in it parts values, except in LT, ST, UT and UR. Text of a number VR is read as numbers.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, string: String) {
        let vr = vr ?? DataDictionary.vr(tag) ?? .LO
        if vr.numberSize != nil {
            let parts = string.split(separator: "\\").map { String($0.drop { $0 == " " }) }
            switch vr {
            case .FL, .FD: return set(tag, vr, doubles: parts.compactMap { Double($0) })
            case .AT: return set(tag, vr, tags: parts.compactMap { Tag(hex: $0) })
            default: put(DataElement(tag, vr, bytes: parts.compactMap { Int128($0) }.flatMap { vr.encode($0) }))
            }
            return
        }
        if tag == .specificCharacterSet {
            convert(
                to: SpecificCharacterSet(
                    terms: string.split(separator: "\\", omittingEmptySubsequences: false).map(String.init)))
            return
        }
        put(DataElement(tag, vr, bytes: encoded(string, vr)))
    }

    /// Several values, parted by `\`.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, strings: [String]) {
        set(tag, vr, string: strings.joined(separator: "\\"))
    }

    /// A name, all its groups.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, personName: PersonName) {
        set(tag, vr ?? .PN, string: personName.description)
    }

    /// One whole number: decimal text for IS and DS, a binary number for number VRs. Numbers that the VR cannot hold
    /// are cut to its width.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, int: Int) { set(tag, vr, ints: [int]) }

    package mutating func set(_ tag: Tag, _ vr: VR? = nil, ints: [Int]) {
        let vr = vr ?? DataDictionary.vr(tag) ?? .SL
        switch vr {
        case .FL, .FD: set(tag, vr, doubles: ints.map(Double.init))
        case _ where vr.numberSize != nil: put(DataElement(tag, vr, bytes: ints.flatMap { vr.encode(Int128($0)) }))
        default: set(tag, vr, string: ints.map { "\($0)" }.joined(separator: "\\"))
        }
    }

    /// One number: decimal text of at most 16 bytes for DS, binary for FL and FD. PS3.5 §6.2.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, double: Double) { set(tag, vr, doubles: [double]) }

    package mutating func set(_ tag: Tag, _ vr: VR? = nil, doubles: [Double]) {
        let vr = vr ?? DataDictionary.vr(tag) ?? .FD
        switch vr {
        case .FD: put(DataElement(tag, vr, bytes: doubles.flatMap { littleEndianBytes($0.bitPattern, 8) }))
        case .FL:
            put(DataElement(tag, vr, bytes: doubles.flatMap { littleEndianBytes(UInt64(Float($0).bitPattern), 4) }))
        case _ where vr.numberSize != nil: set(tag, vr, ints: doubles.compactMap { Int(exactly: $0.rounded()) })
        default: set(tag, vr, string: doubles.map(decimalString).joined(separator: "\\"))
        }
    }

    /// Tags, for AT.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, tags: [Tag]) {
        put(
            DataElement(
                tag, vr ?? .AT,
                bytes: tags.flatMap {
                    littleEndianBytes(UInt64($0.group), 2) + littleEndianBytes(UInt64($0.element), 2)
                }))
    }

    /// The items of a sequence. Items come into this data set's character set.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, items: [DataSet]) {
        self[tag] = DataElement(tag, vr ?? .SQ, .items(items))
    }

    /// The bytes of a value field, numbers in little endian; an odd length is padded.
    package mutating func set(_ tag: Tag, _ vr: VR? = nil, bytes: [UInt8]) {
        put(DataElement(tag, vr ?? DataDictionary.vr(tag) ?? .UN, bytes: bytes))
    }

    /// A zero-length element, as type 2 attributes and universal matching keys have.
    package mutating func setEmpty(_ tag: Tag, _ vr: VR? = nil) {
        let vr = vr ?? DataDictionary.vr(tag) ?? .UN
        if vr == .SQ { set(tag, items: []) } else { set(tag, vr, bytes: []) }
    }

    /// Puts a private element into the block of its creator, reserving the first free block when there is none.
    /// `element` is the low byte. Nothing happens when all 240 blocks are taken. PS3.5 §7.8.1.
    package mutating func setPrivate(group: UInt16, creator: String, element: UInt8, _ vr: VR, bytes: [UInt8]) {
        let blocks = UInt16(0x10)...0xFF
        guard group & 1 == 1,
            let block = blocks.first(where: { string(Tag(group, $0)) == creator })
                ?? blocks.first(where: { !contains(Tag(group, $0)) })
        else { return }
        set(Tag(group, block), .LO, string: creator)
        set(Tag(group, block << 8 | UInt16(element)), vr, bytes: bytes)
    }

    /// The bytes of a text in this data set's character set, which goes to UTF-8 when it lacks a character.
    mutating func encoded(_ text: String, _ vr: VR) -> [UInt8] {
        guard vr.usesSpecificCharacterSet else { return Array(text.utf8) }
        if let bytes = characterSet.encode(text, .init(vr)) { return bytes }
        convert(to: .utf8)
        return Array(text.utf8)
    }
}

extension VR {
    /// The little endian bytes of an integer in the width of a number VR.
    func encode(_ value: Int128) -> [UInt8] { littleEndianBytes(UInt64(truncatingIfNeeded: value), numberSize ?? 0) }
}

func littleEndianBytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}

/// The shortest decimal text that fits the 16 bytes of a DS value; precision is given up only when it must.
func decimalString(_ value: Double) -> String {
    if let whole = Int(exactly: value), abs(whole) < 1_000_000_000_000_000 { return "\(whole)" }
    let text = "\(value)"
    if text.utf8.count <= 16 || !value.isFinite { return text }
    for digits in stride(from: 14, through: 1, by: -1) {
        let scale = value.magnitude == 0 ? 0 : digits - 1 - Int(log10Floor(value.magnitude))
        let rounded = roundedDecimal(value, places: scale)
        let text = "\(rounded)"
        if text.utf8.count <= 16 { return text }
    }
    return "0"
}

/// The exponent of the first significant decimal digit.
private func log10Floor(_ magnitude: Double) -> Int {
    var exponent = 0
    var value = magnitude
    while value >= 10 {
        value /= 10
        exponent += 1
    }
    while value < 1, exponent > -330 {
        value *= 10
        exponent -= 1
    }
    return exponent
}

/// Rounds to decimal places, exactly as the decimal text of the result reads.
private func roundedDecimal(_ value: Double, places: Int) -> Double {
    var scale = 1.0
    for _ in 0..<min(abs(places), 300) { scale *= 10 }
    guard scale.isFinite, scale > 0 else { return value }
    return places >= 0 ? (value * scale).rounded() / scale : (value / scale).rounded() * scale
}
