/// Documents of the Native DICOM Model to data sets, by way of the DICOM JSON model, which says the same. PS3.19 §A.1,
/// PS3.18 §F.2.
extension NativeDICOMModel {
    /// The data set of one document. Throws `.xmlInvalid`, with an offset in the document, for what is no such document; and
    /// as ``DICOMJSON/decode(_:bulkData:external:)`` for values that are none.
    package static func decode(
        _ document: [UInt8], bulkData: DICOMJSON.BulkDataSource? = nil, external: DICOMJSON.ExternalSource? = nil
    ) throws(DICOMDataError) -> [DataSet] {
        var reader = NativeDICOMModelReader(document)
        return try DICOMJSON.decode(try reader.json(), bulkData: bulkData, external: external)
    }
}

struct NativeDICOMModelReader {
    /// Sequences inside one another.
    private static let depthMax = 20
    /// Values of an element, and items of a sequence.
    private static let valuesMax = 1_000_000

    private var pieces: XMLPieces
    private var out: [UInt8] = []

    init(_ document: [UInt8]) { pieces = XMLPieces(document) }

    private var invalid: DICOMDataError { DICOMDataError(.xmlInvalid, at: pieces.place) }

    /// The document as DICOM JSON.
    mutating func json() throws(DICOMDataError) -> [UInt8] {
        guard case .start("NativeDicomModel", _, let isEmpty)? = try markup() else { throw invalid }
        try dataSet("NativeDicomModel", isEmpty, depth: 0)
        guard try markup() == nil else { throw invalid }
        return out
    }

    /// The next tag, with nothing but white space before it; nil at the end.
    private mutating func markup() throws(DICOMDataError) -> XMLPieces.Piece? {
        while let piece = try pieces.next() {
            guard case .text(let text) = piece else { return piece }
            guard text.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { throw invalid }
        }
        return nil
    }

    private mutating func put(_ text: String) { out += text.utf8 }

    /// A JSON string. RFC 8259 §7.
    private mutating func put(string text: some Sequence<UInt8>) {
        out.append(0x22)
        for byte in text {
            switch byte {
            case 0x22, 0x5C: out += [0x5C, byte]
            case 0..<0x20: put("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default: out.append(byte)
            }
        }
        out.append(0x22)
    }

    private mutating func dataSet(_ name: String, _ isEmpty: Bool, depth: Int) throws(DICOMDataError) {
        guard depth <= Self.depthMax else { throw DICOMDataError(.tooDeep, at: pieces.place) }
        put("{")
        var isFirst = true
        // The blocks that private elements are put into, by group and creator. PS3.5 §7.8.1.
        var blocks: [String: UInt16] = [:]
        while !isEmpty {
            guard let piece = try markup() else { throw invalid }
            if piece == .end(name) { break }
            guard case .start("DicomAttribute", let attributes, let isEmpty) = piece,
                var tag = attributes["tag"].flatMap({ Tag(hex: $0.uppercased()) })
            else { throw invalid }
            if !isFirst { put(",") }
            isFirst = false
            if let creator = attributes["privateCreator"], tag.group & 1 == 1, tag.element < 0x100 {
                let key = "\(tag.group) \(creator)"
                if blocks[key] == nil {
                    let block = UInt16(0x10 + blocks.keys.filter { $0.hasPrefix("\(tag.group) ") }.count)
                    guard block <= 0xFF else { throw invalid }
                    blocks[key] = block
                    put("\"\(Tag(tag.group, block).hex)\":{\"vr\":\"LO\",\"Value\":[")
                    put(string: creator.utf8)
                    put("]},")
                }
                tag = Tag(tag.group, (blocks[key] ?? 0x10) << 8 | tag.element)
            }
            put("\"\(tag.hex)\":{")
            if let vr = attributes["vr"] {
                put("\"vr\":")
                put(string: vr.utf8)
            }
            if !isEmpty { try value(hasVR: attributes["vr"] != nil, depth: depth) }
            put("}")
        }
        put("}")
    }

    /// What stands within an attribute: one kind of content, numbered in order.
    private mutating func value(hasVR: Bool, depth: Int) throws(DICOMDataError) {
        var kind: String?
        var count = 0
        while true {
            guard let piece = try markup() else { throw invalid }
            if piece == .end("DicomAttribute") { break }
            guard case .start(let name, let attributes, let isEmpty) = piece, kind ?? name == name else {
                throw invalid
            }
            if kind == nil, hasVR { put(",") }
            let isSingle = name == "InlineBinary" || name == "BulkData"
            guard kind == nil || !isSingle else { throw invalid }
            if !isSingle { try number(attributes["number"], &count) }
            kind = name
            switch name {
            case "Value": try put(string: text(name, isEmpty))
            case "Item": try dataSet(name, isEmpty, depth: depth + 1)
            case "PersonName": try personName(isEmpty)
            case "InlineBinary":
                put("\"InlineBinary\":")
                try put(string: text(name, isEmpty))
            case "BulkData":
                guard let uri = attributes["uri"], try text(name, isEmpty).isEmpty else { throw invalid }
                put("\"BulkDataURI\":")
                put(string: uri.utf8)
            default: throw invalid
            }
        }
        if count > 0 { put("]") }
    }

    /// Begins the list, or goes on with it: what is left out between two numbers is empty.
    private mutating func number(_ text: String?, _ count: inout Int) throws(DICOMDataError) {
        let number = text.map { Int($0) } ?? count + 1
        guard let number, number > count, number <= Self.valuesMax, number - count <= 1_000 else { throw invalid }
        put(count == 0 ? "\"Value\":[" : ",")
        for _ in (count + 1)..<number { put("null,") }
        count = number
    }

    /// The text within an element that has nothing else.
    private mutating func text(_ name: String, _ isEmpty: Bool) throws(DICOMDataError) -> [UInt8] {
        var found: [UInt8] = []
        while !isEmpty {
            switch try pieces.next() {
            case .text(let text): found += text
            case .end(name): return found
            default: throw invalid
            }
        }
        return found
    }

    /// PS3.19 Table A.1.5-2; the components as PS3.5 §6.2.1 orders them.
    private mutating func personName(_ isEmpty: Bool) throws(DICOMDataError) {
        put("{")
        var isFirst = true
        while !isEmpty {
            guard let piece = try markup() else { throw invalid }
            if piece == .end("PersonName") { break }
            guard case .start(let group, _, let isGroupEmpty) = piece,
                ["Alphabetic", "Ideographic", "Phonetic"].contains(group)
            else { throw invalid }
            var components = [[UInt8]](repeating: [], count: 5)
            while !isGroupEmpty {
                guard let piece = try markup() else { throw invalid }
                if piece == .end(group) { break }
                guard case .start(let name, _, let isComponentEmpty) = piece,
                    let place = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"].firstIndex(
                        of: name)
                else { throw invalid }
                components[place] = try text(name, isComponentEmpty)
            }
            while components.last?.isEmpty == true { components.removeLast() }
            if !isFirst { put(",") }
            isFirst = false
            put("\"\(group)\":")
            put(string: components.joined(separator: [0x5E]))
        }
        put("}")
    }
}
