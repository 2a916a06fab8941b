/// Reading values. All of these are lenient: an absent element, an element of another kind and a value that does not
/// parse are nil or are left out.
extension DataSet {
    /// The bytes of the value field, padding included.
    package func bytes(_ tag: Tag) -> [UInt8]? { self[tag]?.bytes }

    /// The items of a sequence; empty when there is none.
    package func items(_ tag: Tag) -> [DataSet] { self[tag]?.items ?? [] }

    /// The first item of a sequence.
    package func item(_ tag: Tag) -> DataSet? { self[tag]?.items?.first }

    /// The first value as text, without padding; nil when absent or empty. Numbers are given in decimal.
    package func string(_ tag: Tag) -> String? {
        guard let first = strings(tag).first, !first.isEmpty else { return nil }
        return first
    }

    /// All values as text, without padding, empty ones included. An empty element has no values.
    package func strings(_ tag: Tag) -> [String] {
        guard let element = self[tag] else { return [] }
        return strings(element)
    }

    /// The values of an element of this data set as text.
    package func strings(_ element: DataElement) -> [String] {
        guard case .bytes(let bytes) = element.value, !bytes.isEmpty else { return [] }
        var vr = element.vr
        if vr == .UN { vr = DataDictionary.vr(element.tag) ?? .UN }
        if vr.isString { return texts(bytes, vr) }
        if vr == .AT { return element.tagValues.map(\.hex) }
        if vr == .FL || vr == .FD { return element.doubleValues(as: vr).map { "\($0)" } }
        return element.intValues(as: vr).map { "\($0)" }
    }

    /// The first value as a whole number: of IS, of any integer VR, or of DS and floating point when it is whole.
    package func int(_ tag: Tag) -> Int? { ints(tag).first }

    /// All values that are whole numbers.
    package func ints(_ tag: Tag) -> [Int] {
        guard let element = self[tag] else { return [] }
        switch element.vr {
        case .FL, .FD: return element.doubleValues(as: element.vr).compactMap { Int(exactly: $0) }
        case .SS, .US, .SL, .UL, .SV, .UV: return element.intValues(as: element.vr).compactMap { Int(exactly: $0) }
        default:
            return strings(element).compactMap { text in
                Int(text.hasPrefix("+") ? String(text.dropFirst()) : text) ?? Double(text).flatMap { Int(exactly: $0) }
            }
        }
    }

    /// The first value as a number: of DS, IS, or any number VR.
    package func double(_ tag: Tag) -> Double? { doubles(tag).first }

    /// All values that are numbers.
    package func doubles(_ tag: Tag) -> [Double] {
        guard let element = self[tag] else { return [] }
        switch element.vr {
        case .FL, .FD: return element.doubleValues(as: element.vr)
        default: return strings(element).compactMap { Double($0) }
        }
    }

    /// The first value as a UID, without padding.
    package func uid(_ tag: Tag) -> String? { string(tag) }

    /// The first value as a person name; nil when absent or empty.
    package func personName(_ tag: Tag) -> PersonName? { string(tag).map { PersonName(text: $0) } }

    /// All values as person names.
    package func personNames(_ tag: Tag) -> [PersonName] { strings(tag).map { PersonName(text: $0) } }

    /// The tags that an AT element holds.
    package func tags(_ tag: Tag) -> [Tag] { self[tag]?.tagValues ?? [] }

    /// The element of a private block, found by its creator; nil when the creator owns no block of the group.
    /// `element` is the low byte. PS3.5 §7.8.1.
    package func privateElement(group: UInt16, creator: String, element: UInt8) -> DataElement? {
        for block in UInt16(0x10)...0xFF where string(Tag(group, block)) == creator {
            return self[Tag(group, block << 8 | UInt16(element))]
        }
        return nil
    }

    /// Text values of a value field, decoded, split where `\` is a delimiter, and trimmed.
    func texts(_ bytes: [UInt8], _ vr: VR) -> [String] {
        if vr.usesSpecificCharacterSet, bytes.contains(where: { $0 >= 0x80 || $0 == 0x1B }) || characterSet.changesASCII
        {
            let text = characterSet.decode(bytes, .init(vr))
            guard vr.isMultiValued else { return [trimmed(text.utf8, vr)] }
            return text.utf8.split(separator: 0x5C, omittingEmptySubsequences: false).map { trimmed($0, vr) }
        }
        guard vr.isMultiValued else { return [trimmed(bytes, vr)] }
        return bytes.split(separator: 0x5C, omittingEmptySubsequences: false).map { trimmed($0, vr) }
    }

    private func trimmed(_ bytes: some Collection<UInt8>, _ vr: VR) -> String {
        String(decoding: trimmedSpaces(Array(bytes)[...], leading: !vr.keepsLeadingSpaces), as: UTF8.self)
    }
}

extension SpecificCharacterSet {
    /// The first term gives codes of ASCII another meaning.
    var changesASCII: Bool {
        if case .iso2022(.jisRoman, _, _) = scheme { true } else { false }
    }
}

extension DataElement {
    /// The integers of a value field in little endian; trailing bytes that fill no number are left out.
    func intValues(as vr: VR) -> [Int128] {
        guard case .bytes(let bytes) = value, let size = vr.numberSize, vr != .FL, vr != .FD else { return [] }
        let signed = vr == .SS || vr == .SL || vr == .SV
        return stride(from: 0, to: bytes.count - bytes.count % size, by: size).map { start in
            let raw = littleEndian(bytes[start..<start + size])
            switch (signed, size) {
            case (true, 2): return Int128(Int16(truncatingIfNeeded: raw))
            case (true, 4): return Int128(Int32(truncatingIfNeeded: raw))
            case (true, _): return Int128(Int64(truncatingIfNeeded: raw))
            default: return Int128(raw)
            }
        }
    }

    /// The floating point numbers of FL or FD.
    func doubleValues(as vr: VR) -> [Double] {
        guard case .bytes(let bytes) = value, let size = vr.numberSize else { return [] }
        return stride(from: 0, to: bytes.count - bytes.count % size, by: size).map { start in
            let raw = littleEndian(bytes[start..<start + size])
            return size == 4 ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: raw))) : Double(bitPattern: raw)
        }
    }

    /// The tags of an AT element: group, then element, both in little endian.
    package var tagValues: [Tag] {
        guard case .bytes(let bytes) = value, vr == .AT || vr == .UN else { return [] }
        return stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { start in
            let raw = littleEndian(bytes[start..<start + 4])
            return Tag(UInt16(truncatingIfNeeded: raw), UInt16(truncatingIfNeeded: raw >> 16))
        }
    }
}

func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
