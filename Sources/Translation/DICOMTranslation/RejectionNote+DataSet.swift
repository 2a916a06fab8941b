import DICOMData
import Workflow

extension RejectionNote {
    /// What a Key Object Selection with one of the titles of ``RejectionTitle`` refers to, as its Current Requested
    /// Procedure Evidence Sequence says; nil for any other object. Throws ``IngestFailure``: `.notUnderstood` for a note
    /// whose references cannot all be followed, or that has none, or more of them, their studies or their series than
    /// ``referencesMax``, ``studiesMax`` and ``seriesMax``. PS3.3 §A.35.4, §C.17.6.2.
    init?(_ dataSet: DataSet, classUID: String) throws(IngestFailure) {
        guard classUID == UID.keyObjectSelectionDocument,
            let concept = dataSet.item(.conceptNameCodeSequence),
            concept.string(.codingSchemeDesignator) == "DCM",
            let title = concept.string(.codeValue).flatMap({ RejectionTitle(rawValue: $0) })
        else { return nil }
        var references: [Reference] = []
        for study in dataSet.items(.currentRequestedProcedureEvidenceSequence) {
            for series in study.items(.referencedSeriesSequence) {
                for instance in series.items(.referencedSOPSequence) {
                    guard let studyUID = study.uid(.studyInstanceUID), UID.isSafe(studyUID),
                        let seriesUID = series.uid(.seriesInstanceUID), UID.isSafe(seriesUID),
                        let uid = instance.uid(.referencedSOPInstanceUID), UID.isSafe(uid)
                    else { throw IngestFailure(.notUnderstood, "a rejection note refers to what has no UID") }
                    guard references.count < Self.referencesMax else {
                        throw IngestFailure(
                            .notUnderstood, "a rejection note refers to more than \(Self.referencesMax) instances")
                    }
                    references.append(
                        Reference(studyInstanceUID: studyUID, seriesInstanceUID: seriesUID, sopInstanceUID: uid))
                }
            }
        }
        guard !references.isEmpty else {
            throw IngestFailure(.notUnderstood, "a rejection note refers to no instance")
        }
        guard Set(references.map(\.studyInstanceUID)).count <= Self.studiesMax,
            Set(references.map { [$0.studyInstanceUID, $0.seriesInstanceUID] }).count <= Self.seriesMax
        else {
            throw IngestFailure(
                .notUnderstood,
                "a rejection note refers to more than \(Self.studiesMax) studies or \(Self.seriesMax) series")
        }
        self.init(title: title, references: references)
    }
}
