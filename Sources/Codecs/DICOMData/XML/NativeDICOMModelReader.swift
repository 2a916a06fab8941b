import Basics

extension NativeDICOMModel {
    /// The data set of one document. Text is coded as ``DICOMJSON/decode(_:bulkData:external:)`` does.
    ///
    /// Throws `.xmlInvalid`, `.xmlModelInvalid`, `.tooDeep`, and `.valueUnavailable` for bulk data that is elsewhere, with
    /// offsets in the XML. PS3.19 §A.1.
    package static func decode(
        _ xml: [UInt8], bulkData: DICOMJSON.BulkDataSource? = nil, external: DICOMJSON.ExternalSource? = nil
    ) throws(DICOMDataError) -> DataSet {
        var reader = try NativeDICOMModelReader(xml)
        let tree = try reader.document()
        do throws(DICOMDataError) {
            let reader = DICOMJSONReader(bulkData: bulkData, external: external)
            return try reader.dataSet(tree, inheriting: .defaultRepertoire)
        } catch {
            guard error.code == .jsonModelInvalid else { throw error }
            throw DICOMDataError(.xmlModelInvalid, at: error.offset, in: error.tag)
        }
    }
}

/// Reads a document of the Native DICOM Model into the tree that the DICOM JSON model has of the same data set, whose
/// reader then makes it. PS3.19 §A.1.5, PS3.18 §F.2.
struct NativeDICOMModelReader {
    /// The number of a value, an item or a name at most; those left out are empty values.
    static let numberMax = 65_536
    /// Values of a document that are left out at most: a number is a few bytes and stands for all of them before it.
    static let leftOutMax = 65_536

    private var xml: XMLReader
    private var leftOut = 0

    init(_ bytes: [UInt8]) throws(DICOMDataError) { xml = try XMLReader(bytes) }

    /// The tree of the document. Throws as ``NativeDICOMModel/decode(_:bulkData:external:)``.
    mutating func document() throws(DICOMDataError) -> JSONTree {
        guard case .start(let root)? = try xml.next() else { throw DICOMDataError(.xmlInvalid, at: xml.position) }
        guard root.name == "NativeDicomModel" else { throw Self.invalid(root) }
        let tree = try dataSet(root.offset)
        guard try xml.next() == nil else { throw DICOMDataError(.xmlInvalid, at: xml.position) }
        return tree
    }

    // MARK: Data sets

    /// An attribute as it stands: `creator` says whose block a private one is of.
    private struct Attribute {
        var tag: Tag
        let creator: String?
        let tree: JSONTree
    }

    /// Up to the end of the element that has been begun.
    private mutating func dataSet(_ offset: Int) throws(DICOMDataError) -> JSONTree {
        var attributes: [Attribute] = []
        while let element = try child() {
            guard element.name == "DicomAttribute" else { throw Self.invalid(element) }
            attributes.append(try attribute(element))
        }
        let reservations = try Self.placePrivate(&attributes, offset)
        var seen: Set<Tag> = []
        var members: [(key: String, tree: JSONTree)] = []
        for attribute in attributes + reservations {
            guard seen.insert(attribute.tag).inserted else {
                throw DICOMDataError(.xmlModelInvalid, at: attribute.tree.offset, in: attribute.tag)
            }
            members.append((attribute.tag.hex, attribute.tree))
        }
        return JSONTree(value: .object(members), offset: offset)
    }

    /// Gives private attributes that name their creator a block, and returns what reserves those. PS3.5 §7.8.1.
    private static func placePrivate(
        _ attributes: inout [Attribute], _ offset: Int
    ) throws(DICOMDataError) -> [Attribute] {
        struct Block: Hashable {
            let group: UInt16
            let number: UInt16
        }
        var blocks: [String: UInt16] = [:]
        var taken: Set<Block> = []
        for attribute in attributes where attribute.tag.group & 1 == 1 && attribute.creator == nil {
            let element = attribute.tag.element
            taken.insert(Block(group: attribute.tag.group, number: element < 0x1000 ? element : element >> 8))
        }
        var reservations: [Attribute] = []
        for index in attributes.indices {
            guard let creator = attributes[index].creator else { continue }
            let tag = attributes[index].tag
            let key = "\(tag.group)/\(creator)"
            if blocks[key] == nil {
                var number: UInt16 = 0x10
                while number <= 0xFF, taken.contains(Block(group: tag.group, number: number)) { number += 1 }
                guard number <= 0xFF else { throw DICOMDataError(.xmlModelInvalid, at: offset, in: tag) }
                taken.insert(Block(group: tag.group, number: number))
                blocks[key] = number
                reservations.append(
                    Attribute(tag: Tag(tag.group, number), creator: nil, tree: text(of: creator, at: offset)))
            }
            attributes[index].tag = Tag(tag.group, (blocks[key] ?? 0x10) << 8 | tag.element & 0xFF)
        }
        return reservations
    }

    /// The tree of a private creator.
    private static func text(of creator: String, at offset: Int) -> JSONTree {
        func node(_ value: JSONTree.Value) -> JSONTree { JSONTree(value: value, offset: offset) }
        return node(.object([("vr", node(.string("LO"))), ("Value", node(.array([node(.string(creator))])))]))
    }

    private mutating func attribute(_ element: XMLReader.Element) throws(DICOMDataError) -> Attribute {
        guard let text = element["tag"], text.utf8.count == 8, let tag = Tag(hex: text) else {
            throw Self.invalid(element)
        }
        let creator = element["privateCreator"]
        if let creator {
            guard tag.group & 1 == 1, !creator.isEmpty, creator.count <= 64, !creator.contains("\\") else {
                throw Self.invalid(element, tag)
            }
        }
        func node(_ value: JSONTree.Value) -> JSONTree { JSONTree(value: value, offset: element.offset) }
        var members: [(key: String, tree: JSONTree)] = []
        if let vr = element["vr"] { members.append(("vr", node(.string(vr)))) }
        if let value = try value(tag) { members.append(value) }
        return Attribute(tag: tag, creator: creator, tree: node(.object(members)))
    }

    // MARK: Values

    /// The member that has the value; nil for none.
    private mutating func value(_ tag: Tag) throws(DICOMDataError) -> (key: String, tree: JSONTree)? {
        var values: [JSONTree] = []
        var bulk: (key: String, tree: JSONTree)?
        var kind: String?
        var offset = xml.position
        while let element = try child() {
            guard kind == nil || kind == element.name, bulk == nil else { throw Self.invalid(element, tag) }
            if kind == nil { offset = element.offset }
            kind = element.name
            func node(_ value: JSONTree.Value) -> JSONTree { JSONTree(value: value, offset: element.offset) }
            switch element.name {
            case "InlineBinary": bulk = ("InlineBinary", node(.string(try text(tag))))
            case "BulkData":
                guard let uri = element["uri"] ?? element["uuid"] else { throw Self.invalid(element, tag) }
                _ = try text(tag)
                bulk = ("BulkDataURI", node(.string(uri)))
            case "Value", "Item", "PersonName":
                let number = element["number"].map { Int($0) ?? 0 } ?? values.count + 1
                guard number > values.count, number <= Self.numberMax else { throw Self.invalid(element, tag) }
                leftOut += number - 1 - values.count
                guard leftOut <= Self.leftOutMax else { throw Self.invalid(element, tag) }
                while values.count < number - 1 { values.append(node(.null)) }
                switch element.name {
                case "Value":
                    let text = try text(tag)
                    values.append(node(text.isEmpty ? .null : .string(text)))
                case "Item": values.append(try dataSet(element.offset))
                default: values.append(try personName(element.offset, tag))
                }
            default: throw Self.invalid(element, tag)
            }
        }
        if let bulk { return bulk }
        return values.isEmpty ? nil : ("Value", JSONTree(value: .array(values), offset: offset))
    }

    private mutating func personName(_ offset: Int, _ tag: Tag) throws(DICOMDataError) -> JSONTree {
        var groups: [(key: String, tree: JSONTree)] = []
        while let group = try child() {
            guard ["Alphabetic", "Ideographic", "Phonetic"].contains(group.name),
                !groups.contains(where: { $0.key == group.name })
            else { throw Self.invalid(group, tag) }
            var parts = [String](repeating: "", count: 5)
            while let part = try child() {
                let names = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"]
                guard let place = names.firstIndex(of: part.name), parts[place].isEmpty else {
                    throw Self.invalid(part, tag)
                }
                parts[place] = try text(tag)
            }
            while parts.last == "" { parts.removeLast() }
            let text = parts.joined(separator: "^")
            groups.append((group.name, JSONTree(value: .string(text), offset: group.offset)))
        }
        return JSONTree(value: .object(groups), offset: offset)
    }

    // MARK: Pieces

    /// The next element within the one that is open; nil at its end. Between elements there is white space alone.
    private mutating func child() throws(DICOMDataError) -> XMLReader.Element? {
        while let piece = try xml.next() {
            switch piece {
            case .start(let element): return element
            case .end: return nil
            case .text(let text):
                guard text.allSatisfy({ $0 == " " || $0 == "\t" || $0.isNewline }) else {
                    throw DICOMDataError(.xmlModelInvalid, at: xml.position)
                }
            }
        }
        throw DICOMDataError(.xmlInvalid, at: xml.position)
    }

    /// The text of the element that is open, which has no others in it, to its end.
    private mutating func text(_ tag: Tag) throws(DICOMDataError) -> String {
        var whole = ""
        while let piece = try xml.next() {
            switch piece {
            case .text(let text): whole += text
            case .start(let element): throw Self.invalid(element, tag)
            case .end: return whole
            }
        }
        throw DICOMDataError(.xmlInvalid, at: xml.position)
    }

    private static func invalid(_ element: XMLReader.Element, _ tag: Tag? = nil) -> DICOMDataError {
        DICOMDataError(.xmlModelInvalid, at: element.offset, in: tag)
    }
}
