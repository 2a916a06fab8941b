import Basics

/// The DICOM JSON model, both ways. PS3.18 Annex F.
///
/// What is not in the standard's hands: IS and DS are written as JSON numbers with their text unchanged where that text
/// is a JSON number, else as strings, so that no digit is lost; NaN and infinities, which JSON has no number for, are
/// the strings `NaN`, `Infinity` and `-Infinity`; SV and UV beyond 2^53 are strings. Read back are all of these forms.
package enum DICOMJSON {
    /// Says under which URI a bulk value can be fetched; nil means that it goes inline. Asked for non-empty values of
    /// OB, OD, OF, OL, OV, OW and UN only, and for every external one.
    package typealias BulkDataURI = (ElementPath, DataElement) -> String?

    /// Brings the bytes of a BulkDataURI, in little endian; nil when there are none.
    package typealias BulkDataSource = (String, Tag) -> [UInt8]?

    /// Says where the value of a BulkDataURI is to be had by whoever reads the data set; nil to ask the source for bytes.
    package typealias ExternalSource = (String, Tag) -> ExternalValue?

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// JSON levels inside each other: about three for each sequence.
    package static let depthMax = 64

    /// One data set as a JSON object. Group 0002, command elements and group lengths are left out. §F.2.2.
    ///
    /// Throws `.valueUnavailable` for an external value without a URI.
    package static func encode(_ dataSet: DataSet, bulkDataURI: BulkDataURI? = nil) throws(DICOMDataError) -> [UInt8] {
        var writer = DICOMJSONWriter(bulkDataURI: bulkDataURI)
        try writer.append(dataSet)
        return writer.bytes
    }

    /// Data sets as a JSON array. §F.2.1.
    package static func encode(_ dataSets: [DataSet], bulkDataURI: BulkDataURI? = nil) throws(DICOMDataError) -> [UInt8]
    {
        var writer = DICOMJSONWriter(bulkDataURI: bulkDataURI)
        try writer.append(array: dataSets)
        return writer.bytes
    }

    /// The data sets of a JSON array of objects, or of one object.
    ///
    /// Text is coded in the character set that (0008,0005) names, in UTF-8 when that lacks a character. Throws
    /// `.jsonInvalid`, `.jsonModelInvalid`, `.tooDeep` and `.valueUnavailable`, with offsets in the JSON.
    package static func decode(
        _ json: [UInt8], bulkData: BulkDataSource? = nil, external: ExternalSource? = nil
    ) throws(DICOMDataError) -> [DataSet] {
        let node: JSONTree
        do throws(JSONTree.Failure) {
            let start = json.starts(with: byteOrderMark) ? byteOrderMark.count : 0
            node = try JSONTree.read(json, from: start, depthMax: depthMax)
        } catch {
            throw DICOMDataError(error.reason == .tooDeep ? .tooDeep : .jsonInvalid, at: error.offset)
        }
        let reader = DICOMJSONReader(bulkData: bulkData, external: external)
        switch node.value {
        case .array(let nodes):
            var dataSets: [DataSet] = []
            for node in nodes { dataSets.append(try reader.dataSet(node, inheriting: .defaultRepertoire)) }
            return dataSets
        default: return [try reader.dataSet(node, inheriting: .defaultRepertoire)]
        }
    }
}
