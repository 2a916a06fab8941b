import Access
import DICOMData
import HTTPSupport
import HTTPTypes
import NIOCore

extension APIRequest {
    /// A text that is read is held as bytes, as a tree and as a data set: so many times its bytes are reserved.
    private static let dataSetWeight = 10

    /// The one data set that is the body, in DICOM JSON or as a document of the Native DICOM Model. PS3.18 §8.6, §8.7.3.
    ///
    /// Throws `.unsupportedMediaType` for another form, `.malformed` for what is none of its form or more than one data set,
    /// `.unavailable` where there is no memory for what is made of it, and what ``collectBody(limit:)`` throws.
    ///
    /// - Parameters:
    ///   - limit: of the body, in bytes.
    ///   - mayBeEmpty: whether no body is an empty data set.
    func dataSet(limit: Int, mayBeEmpty: Bool = false) async throws -> DataSet {
        let type = try contentType()
        if mayBeEmpty, type == nil { return DataSet() }
        let isXML = type?.essence == "application/dicom+xml"
        guard let type, isXML || ["application/dicom+json", "application/json"].contains(type.essence) else {
            throw HTTPFailure(.unsupportedMediaType, "send application/dicom+json or application/dicom+xml")
        }
        let bytes = Array(try await collectBody(limit: limit).readableBytesView)
        if mayBeEmpty, bytes.isEmpty { return DataSet() }
        guard memory?.grow(to: bytes.count * Self.dataSetWeight) ?? true else {
            throw HTTPFailure(
                .unavailable, "there is no memory for the request now; try again", headers: [.retryAfter: "2"])
        }
        let sets: [DataSet]
        do throws(DICOMDataError) {
            sets = isXML ? [try NativeDICOMModel.decode(bytes)] : try DICOMJSON.decode(bytes)
        } catch {
            throw HTTPFailure(.malformed, "the body is no DICOM \(isXML ? "XML" : "JSON"): \(error)")
        }
        guard sets.count == 1 else { throw HTTPFailure(.malformed, "the body holds one data set") }
        return sets[0]
    }
}
