/// The header of one element as it stands in the bytes.
struct ElementHeader {
    var tag: Tag
    var vr: VR
    /// nil for undefined length.
    var length: Int?
    /// Offset of the tag and of the first byte of the value in the whole input.
    var offset: Int
    var valueOffset: Int
    /// The value's coding, which a UN of undefined length changes.
    var coding: ElementReader.Coding

    /// The VR of encapsulated pixel data under this header: OB where the bytes do not say. PS3.5 §A.4.
    var fragmentsVR: VR { coding.isImplicit ? .OB : vr }
}

/// Reads elements one after the other from bytes at hand, sequences by recursion. PS3.5 §7.
struct ElementReader {
    /// What a transfer syntax says about headers and numbers.
    struct Coding: Equatable {
        var isImplicit: Bool
        var isBigEndian: Bool

        init(_ syntax: TransferSyntax) {
            isImplicit = syntax.isImplicit
            isBigEndian = syntax.isBigEndian
        }

        init(implicit: Bool, bigEndian: Bool = false) {
            isImplicit = implicit
            isBigEndian = bigEndian
        }
    }

    var reader: ByteReader
    let limits: DecodingLimits
    /// Bulk values longer than this stay where they are.
    let externalAbove: Int
    /// Elements, items and fragments seen so far.
    var elementCount = 0
    var itemCount = 0
    /// What elements out of their order have cost so far. See ``DecodingLimits/disorderMax``.
    var disorder = 0
    /// More may come behind the bytes: what does not fit into them may yet.
    var isPart = false

    init(_ reader: ByteReader, limits: DecodingLimits, externalAbove: Int = .max) {
        self.reader = reader
        self.limits = limits
        self.externalAbove = externalAbove
    }

    // MARK: - Data sets and items

    /// What items inherit from the data set around them.
    struct Surroundings {
        var characterSet = SpecificCharacterSet.defaultRepertoire
        /// (0028,0103) is 1: "US or SS" is SS.
        var isSigned = false
    }

    /// Reads elements up to `end`, or up to the item delimiter when the item has no length.
    mutating func dataSet(
        end: Int, coding: Coding, around: Surroundings, depth: Int, untilDelimiter: Bool = false
    ) throws(DICOMDataError) -> DataSet {
        var dataSet = DataSet(inheriting: around.characterSet)
        var around = around
        while reader.position < end {
            if depth == 0, end - reader.position < 8, reader.isZero(to: end) { break }
            let header = try elementHeader(end: end, coding: coding, signed: around.isSigned, in: dataSet)
            if header.tag == .itemDelimitation {
                if untilDelimiter { return dataSet }
                // A delimiter too many at the outermost level harms nobody; elsewhere it means a wrong length.
                guard depth == 0, header.length == 0 else {
                    throw DICOMDataError(.unexpectedTag, at: header.offset, in: header.tag)
                }
                continue
            }
            if header.tag.group == 0xFFFE { throw DICOMDataError(.unexpectedTag, at: header.offset, in: header.tag) }
            if depth == 0, header.tag == Tag(0, 0), header.length == 0, reader.isZero(to: end) { break }
            around.characterSet = dataSet.characterSet
            let element = try value(header, end: end, around: around, depth: depth)
            try keep(element, in: &dataSet, &around)
        }
        if untilDelimiter { throw DICOMDataError(.truncated, at: reader.offset) }
        return dataSet
    }

    /// Adds an element to its data set. What belongs in none is not kept: group lengths, and elements of a command or of
    /// the file meta information, which in a file that is written of the data set would be read as its head.
    mutating func keep(
        _ element: DataElement, in dataSet: inout DataSet, _ around: inout Surroundings
    ) throws(DICOMDataError) {
        guard element.tag.isOfDataSet else { return }
        disorder += dataSet.put(element)
        if disorder > limits.disorderMax { throw DICOMDataError(.tooMany, at: reader.offset, in: element.tag) }
        if element.tag == .pixelRepresentation { around.isSigned = element.bytes?.first == 1 }
    }

    // MARK: - Headers

    /// Reads tag, VR and length. PS3.5 §7.1.2, §7.1.3.
    mutating func elementHeader(
        end: Int, coding: Coding, signed: Bool, in dataSet: DataSet
    ) throws(DICOMDataError) -> ElementHeader {
        let offset = reader.offset
        let tag = try reader.tag(bigEndian: coding.isBigEndian, end: end)
        elementCount += 1
        if elementCount > limits.elementsMax { throw DICOMDataError(.tooMany, at: offset, in: tag) }
        var header = ElementHeader(tag: tag, vr: .UN, length: nil, offset: offset, valueOffset: 0, coding: coding)
        if tag.group == 0xFFFE || coding.isImplicit {
            if tag.group != 0xFFFE { header.vr = implicitVR(tag, signed: signed, in: dataSet) }
            header.length = length(try reader.uint32(bigEndian: coding.isBigEndian, end: end))
        } else {
            let code = try reader.uint16(bigEndian: true, end: end)
            if let vr = VR(rawValue: code), !vr.hasLongLength {
                header.vr = vr
                header.length = Int(try reader.uint16(bigEndian: coding.isBigEndian, end: end))
            } else if VR(rawValue: code) != nil || Self.isLetters(code) {
                // A VR of a later edition has the long header. PS3.5 §6.2 note.
                header.vr = VR(rawValue: code) ?? .UN
                _ = try reader.uint16(bigEndian: coding.isBigEndian, end: end)
                header.length = length(try reader.uint32(bigEndian: coding.isBigEndian, end: end))
            } else {
                // Some writers mix in elements without VR: taken when the length then fits.
                reader.position -= 2
                header.coding.isImplicit = true
                header.vr = implicitVR(tag, signed: signed, in: dataSet)
                header.length = length(try reader.uint32(bigEndian: coding.isBigEndian, end: end))
                guard header.length.map({ isPart || $0 <= end - reader.position }) ?? (header.vr == .SQ) else {
                    throw DICOMDataError(.invalidVR, at: offset, in: tag)
                }
            }
        }
        header.valueOffset = reader.offset
        return header
    }

    private func length(_ raw: UInt32) -> Int? { raw == .max ? nil : Int(raw) }

    /// Two upper-case letters.
    static func isLetters(_ code: UInt16) -> Bool {
        (0x41...0x5A).contains(code >> 8) && (0x41...0x5A).contains(code & 0xFF)
    }

    /// The VR that the dictionary gives, the open ones decided by the pixel description. PS3.5 §A.1, PS3.6 §6.
    private func implicitVR(_ tag: Tag, signed: Bool, in dataSet: DataSet) -> VR {
        guard let (vr, choice) = DataDictionary.choice(tag) else { return .UN }
        switch choice {
        case .one: return vr
        case .usOrSS: return signed ? .SS : .US
        case .obOrOW: return .OW
        case .usOrOW, .usOrSSOrOW: return dataSet.int(.lutDescriptor) == 1 ? .US : .OW
        }
    }

    // MARK: - Values

    /// Reads the value of a header just read.
    mutating func value(
        _ header: ElementHeader, end: Int, around: Surroundings, depth: Int
    ) throws(DICOMDataError) -> DataElement {
        var header = header
        guard let length = header.length else {
            switch header.vr {
            case .SQ: break
            case .UN:
                // PS3.5 §6.2.2 note 2: a sequence in Implicit VR Little Endian, whatever the transfer syntax.
                header.coding = Coding(implicit: true)
            case .OB, .OW: return try fragments(header, end: end)
            default: throw DICOMDataError(.undefinedLength, at: header.offset, in: header.tag)
            }
            return DataElement(header.tag, .SQ, .items(try items(header, end: end, around: around, depth: depth)))
        }
        guard length <= end - reader.position else {
            let isLastByteThere = end < reader.bytes.count
            throw DICOMDataError(isLastByteThere ? .lengthBeyondParent : .truncated, at: header.offset, in: header.tag)
        }
        if header.vr == .SQ {
            let items = try items(header, end: reader.position + length, around: around, depth: depth)
            return DataElement(header.tag, .SQ, .items(items))
        }
        if length > externalAbove, header.vr.isBulk {
            reader.position += length
            return DataElement(
                header.tag, header.vr, .external(ExternalValue(offset: header.valueOffset, length: length)))
        }
        if header.vr == .UN, let vr = DataDictionary.vr(header.tag), vr != .UN {
            return try knownValue(header, vr, length, around: around, depth: depth)
        }
        guard var bytes = reader.copy(length, end: end) else {
            throw DICOMDataError(.truncated, at: header.offset, in: header.tag)
        }
        if header.coding.isBigEndian { swapWords(&bytes, size: header.vr.wordSize) }
        return DataElement(header.tag, header.vr, .bytes(bytes))
    }

    /// A standard element that a sender wrote as UN, because it did not know the tag or the value was too long for its
    /// VR's header: the value is in Implicit VR Little Endian. A sequence that does not parse stays UN.
    /// PS3.5 §6.2.2 note 2.
    private mutating func knownValue(
        _ header: ElementHeader, _ vr: VR, _ length: Int, around: Surroundings, depth: Int
    ) throws(DICOMDataError) -> DataElement {
        let start = reader.position
        if vr == .SQ {
            var header = header
            header.coding = Coding(implicit: true)
            do {
                let items = try items(header, end: start + length, around: around, depth: depth)
                return DataElement(header.tag, .SQ, .items(items))
            } catch {
                if error.code == .tooDeep || error.code == .tooMany { throw error }
                reader.position = start
            }
        }
        guard let bytes = reader.copy(length, end: reader.bytes.count) else {
            throw DICOMDataError(.truncated, at: header.offset, in: header.tag)
        }
        return DataElement(header.tag, vr == .SQ ? .UN : vr, .bytes(bytes))
    }

    /// The items of a sequence, up to `end` or to the sequence delimiter. PS3.5 §7.5.
    private mutating func items(
        _ header: ElementHeader, end: Int, around: Surroundings, depth: Int
    ) throws(DICOMDataError) -> [DataSet] {
        if depth >= limits.depthMax { throw DICOMDataError(.tooDeep, at: header.offset, in: header.tag) }
        let coding = header.coding
        var items: [DataSet] = []
        while true {
            if reader.position >= end {
                if header.length != nil { return items }
                throw DICOMDataError(.truncated, at: reader.offset, in: header.tag)
            }
            let offset = reader.offset
            let tag = try reader.tag(bigEndian: coding.isBigEndian, end: end)
            let length = length(try reader.uint32(bigEndian: coding.isBigEndian, end: end))
            if tag == .sequenceDelimitation {
                // In a sequence of defined length it only ends what its length ends anyway.
                if header.length != nil { reader.position = end }
                return items
            }
            guard tag == .item else { throw DICOMDataError(.unexpectedTag, at: offset, in: header.tag) }
            itemCount += 1
            if itemCount > limits.itemsMax { throw DICOMDataError(.tooMany, at: offset, in: header.tag) }
            if let length, length > end - reader.position {
                throw DICOMDataError(
                    end < reader.bytes.count ? .lengthBeyondParent : .truncated, at: offset, in: header.tag)
            }
            items.append(
                try dataSet(
                    end: length.map { reader.position + $0 } ?? end, coding: coding, around: around, depth: depth + 1,
                    untilDelimiter: length == nil))
        }
    }

    /// The Basic Offset Table and the fragments of encapsulated pixel data. PS3.5 §A.4.
    private mutating func fragments(_ header: ElementHeader, end: Int) throws(DICOMDataError) -> DataElement {
        let bigEndian = header.coding.isBigEndian
        let vr = header.fragmentsVR
        let keeps = externalAbove == .max
        var offsetTable: [UInt32]?
        var fragments: [[UInt8]] = []
        while true {
            let offset = reader.offset
            let tag = try reader.tag(bigEndian: bigEndian, end: end)
            let raw = try reader.uint32(bigEndian: bigEndian, end: end)
            if tag == .sequenceDelimitation { break }
            guard tag == .item, raw != .max else { throw DICOMDataError(.unexpectedTag, at: offset, in: header.tag) }
            itemCount += 1
            if itemCount > limits.itemsMax { throw DICOMDataError(.tooMany, at: offset, in: header.tag) }
            guard Int(raw) <= end - reader.position else {
                throw DICOMDataError(.truncated, at: offset, in: header.tag)
            }
            if keeps {
                guard let bytes = reader.copy(Int(raw), end: end) else {
                    throw DICOMDataError(.truncated, at: offset, in: header.tag)
                }
                if offsetTable == nil {
                    offsetTable = words(bytes, bigEndian: bigEndian)
                } else {
                    fragments.append(bytes)
                }
            } else {
                reader.position += Int(raw)
            }
        }
        guard keeps else {
            let length = reader.offset - header.valueOffset
            return DataElement(
                header.tag, vr,
                .external(
                    ExternalValue(offset: header.valueOffset, length: length, isEncapsulated: true)))
        }
        return DataElement(
            header.tag, vr,
            .fragments(
                EncapsulatedValue(offsetTable: offsetTable ?? [], fragments: fragments)))
    }

    private func words(_ bytes: [UInt8], bigEndian: Bool) -> [UInt32] {
        stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { start in
            let word = bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return bigEndian ? word.byteSwapped : word
        }
    }
}
