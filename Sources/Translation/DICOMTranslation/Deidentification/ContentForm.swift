import DICOMData

/// What of a content item says how it is built, and nothing of its subject. PS3.3 §C.17.3.
enum ContentForm {
    static func isForm(_ element: DataElement, _ dataSet: DataSet) -> Bool {
        guard let terms = terms[element.tag], element.vr == .CS else { return false }
        return dataSet.strings(element).allSatisfy(terms.contains)
    }

    private static let terms: [Tag: Set<String>] = [
        .valueType: [
            "TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME", "COMPOSITE", "IMAGE", "WAVEFORM",
            "SCOORD", "SCOORD3D", "TCOORD", "CONTAINER", "TABLE",
        ],
        .relationshipType: [
            "CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES", "HAS ACQ CONTEXT", "INFERRED FROM",
            "SELECTED FROM",
        ],
        .continuityOfContent: ["SEPARATE", "CONTINUOUS"],
    ]
}
