/// What is said of a patient's imaging in one line.
package struct StudySummary: Sendable, Hashable {
    /// How many studies the caller may see; at least one.
    package var count: Int
    /// The logical id of the latest study's ImagingStudy.
    package var latestID: String
    /// Modalities of the latest, as DICOM codes: `CT`. May be empty.
    package var modalities: [String]
    /// `2026-11-30`, when the latest began; nil where that is not known.
    package var day: String?

    package init(count: Int, latestID: String, modalities: [String], day: String?) {
        self.count = count
        self.latestID = latestID
        self.modalities = modalities
        self.day = day
    }
}

/// The port to what there is of a patient's imaging.
package protocol StudySummaries: Sendable {
    /// Of the studies of a patient that `access` may see and a launch offers (``LaunchSubjects``); nil where there are none.
    func studySummary(ofPatient id: String, access: AccessContext) async throws -> StudySummary?
}
