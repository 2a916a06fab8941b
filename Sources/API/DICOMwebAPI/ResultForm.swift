import DICOMData
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore

/// How data sets that are results are written: metadata, matches, and what became of stored instances.
/// PS3.18 §8.7.3, Table 8.7.3-4.
enum ResultForm: Sendable, Hashable {
    /// `application/dicom+json`, or `application/json`.
    case json(String)
    /// `multipart/related; type="application/dicom+json"`: one part, with the array that would be the body.
    case jsonPart
    /// `multipart/related; type="application/dicom+xml"`: a part for each data set.
    case xmlParts
    /// `application/dicom+xml`: for one data set.
    case xml

    private static let dicomJSON = MediaType(type: "application", subtype: "dicom+json")
    private static let dicomXML = MediaType(type: "application", subtype: "dicom+xml")
    private static let json = MediaType(type: "application", subtype: "json")

    /// What the request accepts, best first; JSON where nothing is said. Throws `.notAcceptable`.
    init(_ request: APIRequest) throws {
        for wish in try DICOMwebMediaType.wishes(try request.query()["accept"] ?? request.headers[.accept]) {
            if wish.media.includes(Self.dicomJSON), !wish.isMultipart || wish.media.type == "*" {
                self = .json(Self.dicomJSON.essence)
                return
            }
            if wish.isMultipart, wish.media.essence == Self.dicomJSON.essence {
                self = .jsonPart
                return
            }
            if wish.media.includes(Self.json), !wish.isMultipart {
                self = .json(Self.json.essence)
                return
            }
            if wish.media.includes(Self.dicomXML) {
                self = wish.isMultipart ? .xmlParts : .xml
                return
            }
        }
        throw HTTPFailure(
            .notAcceptable,
            "available: application/dicom+json, application/json, multipart/related; type=\"application/dicom+json\", "
                + "multipart/related; type=\"application/dicom+xml\"")
    }

    /// All data sets in one answer. JSON is one array, also when there are none. XML is one document for one data set,
    /// parts for any other number; no match has no content there, for a multipart body has at least one part.
    func response(
        _ sets: [DataSet], headers: HTTPFields = HTTPFields(), boundary: String
    ) throws -> Response {
        switch self {
        case .json(let type): return .bytes(try DICOMJSON.encode(sets), contentType: type, headers: headers)
        case .jsonPart:
            var framing = MultipartFraming(boundary: boundary)
            var body = framing.partHead([("Content-Type", Self.dicomJSON.essence)])
            body.writeBytes(try DICOMJSON.encode(sets))
            body.writeImmutableBuffer(framing.end)
            return .bytes(
                Array(body.readableBytesView), contentType: framing.contentType(ofParts: Self.dicomJSON),
                headers: headers)
        case .xml where sets.count == 1: return try response(sets[0], headers: headers)
        case .xml, .xmlParts:
            if sets.isEmpty { return Response(status: .noContent, headers: headers) }
            var framing = MultipartFraming(boundary: boundary)
            var body = ByteBuffer()
            for set in sets {
                body.writeImmutableBuffer(Self.partHead(&framing))
                body.writeBytes(try NativeDICOMModel.encode(set))
            }
            body.writeImmutableBuffer(framing.end)
            return .bytes(
                Array(body.readableBytesView), contentType: framing.contentType(ofParts: Self.dicomXML),
                headers: headers)
        }
    }

    /// One data set that is the whole answer.
    func response(
        _ set: DataSet, status: HTTPResponse.Status = .ok, headers: HTTPFields = HTTPFields()
    ) throws -> Response {
        switch self {
        case .json(let type):
            .bytes(try DICOMJSON.encode(set), contentType: type, status: status, headers: headers)
        case .jsonPart:
            .bytes(try DICOMJSON.encode(set), contentType: Self.dicomJSON.essence, status: status, headers: headers)
        case .xml, .xmlParts:
            .bytes(
                try NativeDICOMModel.encode(set), contentType: Self.dicomXML.essence, status: status, headers: headers)
        }
    }

    /// Data sets that are written one after another: what stands before, between and behind them.
    struct Stream: Sendable {
        let contentType: String
        private let form: ResultForm
        private var framing: MultipartFraming
        private var isFirst = true

        /// - Parameter isSingle: there is one data set at most.
        init(_ form: ResultForm, isSingle: Bool, boundary: String) {
            framing = MultipartFraming(boundary: boundary)
            switch form {
            case .json(let type): (self.form, contentType) = (form, type)
            case .jsonPart: (self.form, contentType) = (form, framing.contentType(ofParts: ResultForm.dicomJSON))
            case .xml where isSingle: (self.form, contentType) = (form, ResultForm.dicomXML.essence)
            case .xml, .xmlParts:
                (self.form, contentType) = (.xmlParts, framing.contentType(ofParts: ResultForm.dicomXML))
            }
        }

        /// Writes the next data set behind what is in a buffer.
        mutating func write(
            _ set: DataSet, to buffer: inout ByteBuffer, bulkDataURI: @escaping DICOMJSON.BulkDataURI
        ) throws {
            defer { isFirst = false }
            switch form {
            case .json:
                buffer.writeString(isFirst ? "[" : ",")
                buffer.writeBytes(try DICOMJSON.encode(set, bulkDataURI: bulkDataURI))
            case .jsonPart:
                if isFirst {
                    buffer.writeImmutableBuffer(framing.partHead([("Content-Type", ResultForm.dicomJSON.essence)]))
                }
                buffer.writeString(isFirst ? "[" : ",")
                buffer.writeBytes(try DICOMJSON.encode(set, bulkDataURI: bulkDataURI))
            case .xml: buffer.writeBytes(try NativeDICOMModel.encode(set, bulkDataURI: bulkDataURI))
            case .xmlParts:
                buffer.writeImmutableBuffer(ResultForm.partHead(&framing))
                buffer.writeBytes(try NativeDICOMModel.encode(set, bulkDataURI: bulkDataURI))
            }
        }

        /// The same behind its first data set, wherever that was written.
        var continued: Stream {
            var stream = self
            stream.isFirst = false
            switch form {
            case .jsonPart, .xmlParts: _ = stream.framing.partHead([])
            case .json, .xml: break
            }
            return stream
        }

        /// What ends the answer.
        var end: ByteBuffer {
            switch form {
            case .json: ByteBuffer(string: isFirst ? "[]" : "]")
            // There is one data set at least where this is written.
            case .jsonPart: ByteBuffer(string: "]" + String(buffer: framing.end))
            case .xml: ByteBuffer()
            case .xmlParts: framing.end
            }
        }
    }

    private static func partHead(_ framing: inout MultipartFraming) -> ByteBuffer {
        framing.partHead([("Content-Type", dicomXML.essence)])
    }
}
