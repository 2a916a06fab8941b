import Basics

/// DICOM JSON to data sets. PS3.18 §F.2.
struct DICOMJSONReader {
    let bulkData: DICOMJSON.BulkDataSource?
    let external: DICOMJSON.ExternalSource?

    func dataSet(_ node: JSONTree, inheriting characterSet: SpecificCharacterSet) throws(DICOMDataError) -> DataSet {
        guard case .object(let members) = node.value else { throw DICOMDataError(.jsonModelInvalid, at: node.offset) }
        var dataSet = DataSet(inheriting: characterSet)
        dataSet.reserveCapacity(members.count)
        // Text needs to know its character set, wherever in the object that stands.
        if let own = node[Tag.specificCharacterSet.hex] { try append(.specificCharacterSet, own, to: &dataSet) }
        for (tag, node) in try Self.inOrder(members) { try append(tag, node, to: &dataSet) }
        return dataSet
    }

    /// The elements by their tags, whatever order the members have; of repeated ones the last counts.
    private static func inOrder(
        _ members: [(key: String, tree: JSONTree)]
    ) throws(DICOMDataError) -> [(tag: Tag, node: JSONTree)] {
        var elements: [(tag: Tag, node: JSONTree)] = []
        elements.reserveCapacity(members.count)
        var isSorted = true
        for (key, node) in members {
            guard let tag = Tag(hex: key) else { throw DICOMDataError(.jsonModelInvalid, at: node.offset) }
            guard tag != .specificCharacterSet, tag.isOfDataSet, tag.group != 0xFFFE else { continue }
            if let last = elements.last, tag < last.tag { isSorted = false }
            elements.append((tag, node))
        }
        guard !isSorted else { return elements }
        let order = elements.indices.sorted { (elements[$0].tag, $0) < (elements[$1].tag, $1) }
        return order.map { elements[$0] }
    }

    private func append(_ tag: Tag, _ node: JSONTree, to dataSet: inout DataSet) throws(DICOMDataError) {
        guard case .object = node.value else { throw DICOMDataError(.jsonModelInvalid, at: node.offset, in: tag) }
        var vr = DataDictionary.vr(tag) ?? .UN
        if let given = node["vr"] {
            guard case .string(let text) = given.value, let known = VR(text) else {
                throw DICOMDataError(.jsonModelInvalid, at: given.offset, in: tag)
            }
            vr = known
        }
        if let inline = node["InlineBinary"] {
            guard case .string(let text) = inline.value,
                let bytes = Base64.decode(text.utf8, ignoringWhiteSpace: true, isLenient: true)
            else {
                throw DICOMDataError(.jsonModelInvalid, at: inline.offset, in: tag)
            }
            return dataSet.set(tag, vr, bytes: bytes)
        }
        if let uri = node["BulkDataURI"] {
            guard case .string(let text) = uri.value else {
                throw DICOMDataError(.jsonModelInvalid, at: uri.offset, in: tag)
            }
            if let value = external?(text, tag) {
                guard vr != .SQ else { throw DICOMDataError(.jsonModelInvalid, at: uri.offset, in: tag) }
                dataSet[tag] = DataElement(tag, vr, .external(value))
                return
            }
            guard let bytes = bulkData?(text, tag) else {
                throw DICOMDataError(.valueUnavailable, at: uri.offset, in: tag)
            }
            return dataSet.set(tag, vr, bytes: bytes)
        }
        guard let list = node["Value"] else { return dataSet.setEmpty(tag, vr) }
        guard case .array(let nodes) = list.value else {
            throw DICOMDataError(.jsonModelInvalid, at: list.offset, in: tag)
        }
        if vr == .SQ {
            var items: [DataSet] = []
            for node in nodes {
                if case .null = node.value {
                    items.append(DataSet(inheriting: dataSet.characterSet))
                } else {
                    items.append(try self.dataSet(node, inheriting: dataSet.characterSet))
                }
            }
            return dataSet.set(tag, items: items)
        }
        if vr.isBulk { throw DICOMDataError(.jsonModelInvalid, at: list.offset, in: tag) }
        if vr.numberSize != nil {
            var bytes: [UInt8] = []
            for node in nodes { bytes += try number(node, vr, tag) }
            return dataSet.set(tag, vr, bytes: bytes)
        }
        var texts: [String] = []
        for node in nodes { texts.append(try text(node, vr, tag)) }
        let joined = texts.joined(separator: "\\")
        // Setting (0008,0005) by text would convert; here it says what the text after it is to be coded in.
        if tag == .specificCharacterSet { return dataSet.set(tag, vr, bytes: Array(joined.utf8)) }
        dataSet.set(tag, vr, string: joined)
    }

    /// One value of a string VR: a string, a number, a name, or null for an empty value.
    private func text(_ node: JSONTree, _ vr: VR, _ tag: Tag) throws(DICOMDataError) -> String {
        switch node.value {
        case .null: return ""
        case .string(let text): return text
        case .number(let text) where vr == .IS || vr == .DS: return text
        case .object(let members) where vr == .PN:
            var name = PersonName()
            for (key, node) in members {
                let group: String
                switch node.value {
                case .string(let text): group = text
                case .null: group = ""
                default: throw DICOMDataError(.jsonModelInvalid, at: node.offset, in: tag)
                }
                switch key {
                case "Alphabetic": name.alphabetic = group
                case "Ideographic": name.ideographic = group
                case "Phonetic": name.phonetic = group
                default: throw DICOMDataError(.jsonModelInvalid, at: node.offset, in: tag)
                }
            }
            return name.description
        default: throw DICOMDataError(.jsonModelInvalid, at: node.offset, in: tag)
        }
    }

    /// The bytes of one value of a number VR: a number, or a string where a number cannot say it.
    private func number(_ node: JSONTree, _ vr: VR, _ tag: Tag) throws(DICOMDataError) -> [UInt8] {
        let invalid = DICOMDataError(.jsonModelInvalid, at: node.offset, in: tag)
        let text: String
        switch node.value {
        case .number(let number): text = number
        case .string(let string): text = string
        default: throw invalid
        }
        switch vr {
        case .AT:
            guard let tag = Tag(hex: text) else { throw invalid }
            return littleEndianBytes(UInt64(tag.group), 2) + littleEndianBytes(UInt64(tag.element), 2)
        case .FL:
            guard let value = Float(text) else { throw invalid }
            return littleEndianBytes(UInt64(value.bitPattern), 4)
        case .FD:
            guard let value = Double(text) else { throw invalid }
            return littleEndianBytes(value.bitPattern, 8)
        default:
            guard let value = Int128(text) ?? Double(text).flatMap({ Int128(exactly: $0) }),
                vr.integerRange.contains(value)
            else { throw invalid }
            return vr.encode(value)
        }
    }
}

extension VR {
    /// The numbers that an integer VR holds.
    var integerRange: ClosedRange<Int128> {
        switch self {
        case .SS: -0x8000...0x7FFF
        case .US: 0...0xFFFF
        case .SL: -0x8000_0000...0x7FFF_FFFF
        case .UL: 0...0xFFFF_FFFF
        case .SV: Int128(Int64.min)...Int128(Int64.max)
        default: 0...Int128(UInt64.max)
        }
    }
}
