import DICOMData

/// Whose object it is: what the pseudonyms are made from, and the words that cleaned text never keeps.
struct DeidentificationSubject: Sendable {
    let id: String
    let issuer: String
    /// In lower case.
    let identifyingWords: Set<String>

    /// The patient's id with its issuer; where there is none, the study stands for the patient, so that its instances
    /// stay together.
    init(_ dataSet: DataSet) {
        if let id = dataSet.string(.patientID) {
            self.id = id
            issuer = dataSet.string(.issuerOfPatientID) ?? ""
        } else {
            id = dataSet.uid(.studyInstanceUID) ?? dataSet.uid(.sopInstanceUID) ?? ""
            issuer = "study"
        }
        let texts = dataSet.elements.flatMap { element in
            DeidentificationRun.vr(element) == .PN || Self.identifiers.contains(element.tag)
                ? dataSet.strings(element) : []
        }
        identifyingWords = Set(texts.flatMap(CleanedText.parts).map { $0.lowercased() })
    }

    private static let identifiers: Set<Tag> = [
        .patientID, .otherPatientIDs, .accessionNumber, .patientAddress, .institutionName, .institutionAddress,
    ]
}
