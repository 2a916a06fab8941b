import DICOMData

/// A document in an object: by the media type of its body part. PS3.3 §A.45, §A.85; PS3.18 §10.5.1.2.
enum EncapsulatedKind: CaseIterable {
    case pdf, cda, stl

    init?(mediaType: String) {
        switch mediaType {
        case "application/pdf": self = .pdf
        case "text/xml", "application/xml": self = .cda
        case "model/stl": self = .stl
        default: return nil
        }
    }

    var sopClassUID: String {
        switch self {
        case .pdf: UID.encapsulatedPDF
        case .cda: UID.encapsulatedCDA
        case .stl: UID.encapsulatedSTL
        }
    }

    /// MIME Type of Encapsulated Document, as PS3.3 §C.24.2 spells it.
    var mimeType: String {
        switch self {
        case .pdf: "application/pdf"
        case .cda: "text/XML"
        case .stl: "model/stl"
        }
    }

    /// Bytes that ``isPlausible(_:count:)`` looks at.
    static let startBytes = 1_024

    /// Whether a document of so many bytes that begins like this may be one: a PDF by its header (ISO 32000 §7.5.2), XML by
    /// its first character that is no white space, STL by the number of its facets, fifty bytes each.
    func isPlausible(_ start: [UInt8], count: Int64) -> Bool {
        switch self {
        case .pdf: return start.starts(with: Array("%PDF-".utf8))
        case .cda:
            let text = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
            return text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "<")
        case .stl:
            guard start.count >= 84 else { return false }
            let facets = start[80..<84].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
            return count == 84 + 50 * facets
        }
    }

    /// Fills in what the kind says of a data set; throws `.classMismatch` where the data set says otherwise.
    func describe(_ dataSet: inout DataSet, count: Int64) throws(IngestFailure) {
        if let named = dataSet.uid(.sopClassUID), !named.isEmpty, named != sopClassUID {
            throw IngestFailure(.classMismatch, "the document is not one of its SOP class")
        }
        if let named = dataSet.string(.mimeTypeOfEncapsulatedDocument), !named.isEmpty,
            named.lowercased() != mimeType.lowercased()
        {
            throw IngestFailure(.classMismatch, "the document is not of the MIME type that it is said to be")
        }
        guard count <= Int64(UInt32.max) - 1 else { throw IngestFailure(.tooLarge) }
        dataSet.set(.sopClassUID, string: sopClassUID)
        dataSet.set(.mimeTypeOfEncapsulatedDocument, string: mimeType)
        dataSet.set(.encapsulatedDocumentLength, int: Int(count))
    }
}
