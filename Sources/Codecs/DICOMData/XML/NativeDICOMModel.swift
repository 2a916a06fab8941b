import Basics

/// Data sets as XML documents of the Native DICOM Model, in UTF-8. PS3.19 §A.1.
package enum NativeDICOMModel {
    /// One data set as a document. Group 0002, command elements and group lengths are left out. Characters that XML
    /// cannot say, controls for the most part, become U+FFFD.
    ///
    /// Throws `.valueUnavailable` for an external value without a URI.
    package static func encode(
        _ dataSet: DataSet, bulkDataURI: DICOMJSON.BulkDataURI? = nil
    ) throws(DICOMDataError) -> [UInt8] {
        var writer = NativeDICOMModelWriter(bulkDataURI: bulkDataURI)
        writer.append(
            ascii: """
                <?xml version="1.0" encoding="UTF-8"?>
                <NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
                """)
        try writer.append(dataSet)
        writer.append(ascii: "</NativeDicomModel>\n")
        return writer.bytes
    }
}

/// Writes data sets as XML. PS3.19 §A.1.5.
struct NativeDICOMModelWriter {
    private(set) var bytes: [UInt8] = []
    private let bulkDataURI: DICOMJSON.BulkDataURI?
    private var steps: [ElementPath.Step] = []

    init(bulkDataURI: DICOMJSON.BulkDataURI?) { self.bulkDataURI = bulkDataURI }

    mutating func append(_ dataSet: DataSet) throws(DICOMDataError) {
        for element in dataSet.elements where element.tag.isOfDataSet && !isPrivateCreator(element.tag) {
            let creator = privateCreator(of: element.tag, in: dataSet)
            // The block is not told, for its creator is: gggg00ee.
            let tag = creator == nil ? element.tag : Tag(element.tag.group, element.tag.element & 0xFF)
            append(ascii: "<DicomAttribute tag=\"")
            bytes += tag.hexBytes
            append(ascii: "\" vr=\"\(element.vr)\"")
            if let keyword = DataDictionary.keyword(element.tag) { append(ascii: " keyword=\"\(keyword)\"") }
            if let creator {
                append(ascii: " privateCreator=\"")
                append(text: creator)
                append(ascii: "\"")
            }
            append(ascii: ">")
            try appendValue(element, of: dataSet)
            append(ascii: "</DicomAttribute>")
        }
    }

    /// It reserves a block, and is told with the elements of that. PS3.5 §7.8.1.
    private func isPrivateCreator(_ tag: Tag) -> Bool { tag.group & 1 == 1 && (0x10...0xFF).contains(tag.element) }

    /// Of a private data element whose block is reserved.
    private func privateCreator(of tag: Tag, in dataSet: DataSet) -> String? {
        guard tag.group & 1 == 1, tag.element >= 0x1000 else { return nil }
        return dataSet.string(Tag(tag.group, tag.element >> 8))
    }

    private mutating func appendValue(_ element: DataElement, of dataSet: DataSet) throws(DICOMDataError) {
        switch element.value {
        case .items(let items):
            for (index, item) in items.enumerated() {
                append(ascii: "<Item number=\"\(index + 1)\">")
                steps.append(.init(sequence: element.tag, item: index))
                try append(item)
                steps.removeLast()
                append(ascii: "</Item>")
            }
        case .external:
            guard let uri = bulkDataURI?(ElementPath(element.tag, in: steps), element) else {
                throw DICOMDataError(.valueUnavailable, at: bytes.count, in: element.tag)
            }
            append(uri: uri)
        case .fragments(let value): appendBulk(element, value.encoded)
        case .bytes(let value):
            if value.isEmpty { return }
            if element.vr.isBulk { return appendBulk(element, value) }
            for (index, text) in dataSet.strings(element).enumerated() {
                if element.vr == .PN {
                    append(PersonName(text: text), number: index + 1)
                } else {
                    append(ascii: "<Value number=\"\(index + 1)\">")
                    append(text: text)
                    append(ascii: "</Value>")
                }
            }
        }
    }

    private mutating func appendBulk(_ element: DataElement, _ value: [UInt8]) {
        if let uri = bulkDataURI?(ElementPath(element.tag, in: steps), element) { return append(uri: uri) }
        append(ascii: "<InlineBinary>")
        Base64.append(value, to: &bytes)
        append(ascii: "</InlineBinary>")
    }

    private mutating func append(uri: String) {
        append(ascii: "<BulkData uri=\"")
        append(text: uri)
        append(ascii: "\"/>")
    }

    private mutating func append(_ name: PersonName, number: Int) {
        append(ascii: "<PersonName number=\"\(number)\">")
        for (tag, group, components) in [
            ("Alphabetic", name.alphabetic, name.alphabeticComponents),
            ("Ideographic", name.ideographic, name.ideographicComponents),
            ("Phonetic", name.phonetic, name.phoneticComponents),
        ] where !group.isEmpty {
            append(ascii: "<\(tag)>")
            for (part, text) in [
                ("FamilyName", components.family), ("GivenName", components.given), ("MiddleName", components.middle),
                ("NamePrefix", components.prefix), ("NameSuffix", components.suffix),
            ] where !text.isEmpty {
                append(ascii: "<\(part)>")
                append(text: text)
                append(ascii: "</\(part)>")
            }
            append(ascii: "</\(tag)>")
        }
        append(ascii: "</PersonName>")
    }

    mutating func append(ascii text: String) { bytes += text.utf8 }

    /// Character data, also in an attribute's quotes. XML 1.0 §2.2, §2.4; line ends are kept by reference, §2.11, §3.3.3.
    private mutating func append(text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": append(ascii: "&amp;")
            case "<": append(ascii: "&lt;")
            case ">": append(ascii: "&gt;")
            case "\"": append(ascii: "&quot;")
            case "\t", "\n", "\r": append(ascii: "&#\(scalar.value);")
            case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": bytes += "\u{FFFD}".utf8
            default: bytes += String(scalar).utf8
            }
        }
    }
}
