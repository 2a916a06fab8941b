import DICOMData

/// What a Key Object Selection document selects. PS3.3 §A.35.4, §C.17.6.
package enum KeyObjects {
    /// References that are read; a document of more is refused.
    package static let referencesMax = 1_000
    private static let storage = "1.2.840.10008.5.1.4.1.1.88.59"

    package static func isSelection(_ sopClassUID: String) -> Bool { sopClassUID == storage }

    /// The images of the content, in its order, each once. What else is referred to (waveforms, reports, other
    /// selections) is not among them. Throws `.unsupported` for more than ``referencesMax``.
    package static func references(_ dataSet: DataSet) throws(RenderingError) -> [ImageReference] {
        var found: [ImageReference] = []
        var seen: Set<String> = []
        for item in dataSet.items(.contentSequence) where item.string(.valueType) == "IMAGE" {
            for reference in item.items(.referencedSOPSequence).compactMap({ ImageReference($0) }) {
                let name = "\(reference.sopInstanceUID) \(reference.frames)"
                guard seen.insert(name).inserted else { continue }
                found.append(reference)
                guard found.count <= referencesMax else {
                    throw .unsupported("a selection of more than \(referencesMax) images")
                }
            }
        }
        return found
    }
}
