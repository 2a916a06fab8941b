/// The attributes of the standard's data dictionary: VR, VM, keyword and name by tag, and tag by keyword. PS3.6.
///
/// The facts are one text, indexed at first use (about a millisecond) and read in place afterwards.
package enum DataDictionary {
    /// What PS3.6 says about one attribute.
    package struct Attribute: Sendable, Equatable {
        package let tag: Tag
        /// The VRs it may have: one, except for the few attributes that the pixel description decides.
        package let vrs: [VR]
        /// Value multiplicity as PS3.6 writes it, such as `1`, `1-n` or `2-2n`.
        package let vm: String
        package let keyword: String
        package let name: String
        package let isRetired: Bool
    }

    /// The attribute of a tag, repeating groups (50xx, 60xx and others) included; nil for private and unknown tags.
    package static func attribute(_ tag: Tag) -> Attribute? {
        if let position = index.position(of: tag.rawValue) {
            return attribute(tag, table.line(index.starts[position]).dropFirst(9))
        }
        guard let mask = repeating.first(where: { tag.rawValue & $0.mask == $0.value }) else { return nil }
        return attribute(tag, repeatingTable.line(mask.start).dropFirst(9))
    }

    /// The VR of a tag in Implicit VR; where the dictionary allows several, the first (US for "US or SS", OB for
    /// "OB or OW"). Group lengths are UL, private creators LO; nil for other private and unknown tags. PS3.5 §A.1.
    package static func vr(_ tag: Tag) -> VR? { choice(tag)?.first }

    /// The tag of a keyword, case-sensitive; nil for an unknown one. Keywords of repeating groups give their first tag.
    package static func tag(keyword: String) -> Tag? {
        var keyword = keyword
        let found = keyword.withUTF8 { wanted -> UInt32? in
            var low = 0
            var high = index.byKeyword.count
            while low < high {
                let middle = (low + high) / 2
                let position = Int(index.byKeyword[middle])
                switch table.compare(keywordAt: index.keywords[position], with: wanted) {
                case 0: return index.tags[position]
                case ..<0: low = middle + 1
                default: high = middle
                }
            }
            return nil
        }
        if let found { return Tag(rawValue: found) }
        for mask in repeating where attribute(Tag(rawValue: mask.value))?.keyword == keyword {
            return Tag(rawValue: mask.value)
        }
        return nil
    }

    /// The keyword of a tag, nil for private and unknown tags.
    package static func keyword(_ tag: Tag) -> String? { attribute(tag)?.keyword }

    /// How many attributes the dictionary holds, repeating ones counted once.
    package static var count: Int { index.tags.count + repeating.count }

    /// The VRs that the dictionary leaves open for a tag.
    enum Choice: UInt8 {
        case one, usOrSS, obOrOW, usOrOW, usOrSSOrOW
    }

    /// The first VR of a tag and what else it may be.
    static func choice(_ tag: Tag) -> (first: VR, choice: Choice)? {
        if tag.isGroupLength { return (.UL, .one) }
        if tag.isPrivate { return tag.isPrivateCreator ? (.LO, .one) : nil }
        if let position = index.position(of: tag.rawValue) { return (index.vrs[position], index.choices[position]) }
        guard let mask = repeating.first(where: { tag.rawValue & $0.mask == $0.value }) else { return nil }
        return (mask.vr, mask.choice)
    }

    private static let table = FactLines(attributeLines)
    private static let repeatingTable = FactLines(repeatingLines)
    private static let index = Index(table)
    private static let repeating = repeatingMasks(repeatingTable)

    private static func attribute(_ tag: Tag, _ rest: Substring) -> Attribute {
        let fields = rest.split(separator: "|", omittingEmptySubsequences: false)
        return Attribute(
            tag: tag, vrs: fields[0].split(separator: "/").compactMap { VR($0) }, vm: String(fields[1]),
            keyword: String(fields[2]), name: String(fields[3]), isRetired: fields.count > 4)
    }

    /// Arrays in parallel, ascending by tag.
    private struct Index {
        var tags: [UInt32] = []
        var vrs: [VR] = []
        var choices: [Choice] = []
        var starts: [UInt32] = []
        var keywords: [UInt32] = []
        /// Positions in the arrays above, ordered by keyword.
        var byKeyword: [UInt16] = []

        init(_ table: FactLines) {
            table.forEachLine { start, line in
                guard let tag = hexValue(line.prefix(8)), let (vr, choice) = vrChoice(line.dropFirst(9)) else { return }
                tags.append(tag)
                vrs.append(vr)
                choices.append(choice)
                starts.append(start)
                keywords.append(start + UInt32(offset(ofField: 3, in: line)))
            }
            byKeyword = (0..<UInt16(tags.count)).sorted { table.compare(keywords[Int($0)], keywords[Int($1)]) < 0 }
        }

        func position(of tag: UInt32) -> Int? {
            var low = 0
            var high = tags.count
            while low < high {
                let middle = (low + high) / 2
                if tags[middle] < tag { low = middle + 1 } else { high = middle }
            }
            return low < tags.count && tags[low] == tag ? low : nil
        }
    }

    private struct Mask {
        let value: UInt32
        let mask: UInt32
        let vr: VR
        let choice: Choice
        let start: UInt32
    }

    private static func repeatingMasks(_ table: FactLines) -> [Mask] {
        var masks: [Mask] = []
        table.forEachLine { start, line in
            guard let (vr, choice) = vrChoice(line.dropFirst(9)) else { return }
            var value: UInt32 = 0
            var mask: UInt32 = 0
            for byte in line.prefix(8) {
                let digit = Tag.hexDigit(byte)
                value = value << 4 | UInt32(digit ?? 0)
                mask = mask << 4 | (digit == nil ? 0 : 15)
            }
            // 50xx and 60xx repeat over even groups only. PS3.5 §7.6.
            if mask & 0xFF00_0000 == 0xFF00_0000, mask & 0x00FF_0000 == 0 { mask |= 0x0001_0000 }
            masks.append(Mask(value: value, mask: mask, vr: vr, choice: choice, start: start))
        }
        return masks
    }
}

private func hexValue(_ digits: some Sequence<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    for byte in digits {
        guard let digit = Tag.hexDigit(byte) else { return nil }
        value = value << 4 | UInt32(digit)
    }
    return value
}

/// The first VR of a VR field such as `US/SS/OW|` and which choice the whole is.
private func vrChoice(_ field: Slice<UnsafeBufferPointer<UInt8>>) -> (VR, DataDictionary.Choice)? {
    let bytes = Array(field.prefix { $0 != 0x7C })
    guard bytes.count >= 2, let vr = VR(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1])) else { return nil }
    switch String(decoding: bytes, as: UTF8.self) {
    case "US/SS": return (vr, .usOrSS)
    case "OB/OW": return (vr, .obOrOW)
    case "US/OW": return (vr, .usOrOW)
    case "US/SS/OW": return (vr, .usOrSSOrOW)
    default: return (vr, .one)
    }
}

private func offset(ofField field: Int, in line: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    var left = field
    for (offset, byte) in line.enumerated() where byte == 0x7C {
        left -= 1
        if left == 0 { return offset + 1 }
    }
    return line.count
}
