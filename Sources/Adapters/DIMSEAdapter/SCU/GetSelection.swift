import DICOMData

/// What a C-GET asks for, by its UIDs: what comes beside it was not asked for.
struct GetSelection: Sendable, Hashable {
    let studies: Set<String>
    /// nil for all of the studies.
    let series: Set<String>?
    let instances: Set<String>?

    /// Of an identifier at the level of studies, series or instances; nil where it names no study.
    init?(_ identifier: DataSet) {
        func uids(_ tag: Tag) -> Set<String>? {
            let uids = identifier.strings(tag).filter { UID.isSafe($0) }
            return uids.isEmpty ? nil : Set(uids)
        }
        guard let studies = uids(.studyInstanceUID) else { return nil }
        self.studies = studies
        series = uids(.seriesInstanceUID)
        instances = uids(.sopInstanceUID)
    }

    func includes(sopInstanceUID: String) -> Bool { instances?.contains(sopInstanceUID) ?? true }

    /// Whether the front of a data set, up to its Series Instance UID, is of what was asked for.
    func includes(_ front: DataSet) -> Bool {
        guard let study = front.string(.studyInstanceUID), studies.contains(study) else { return false }
        guard let series else { return true }
        return front.string(.seriesInstanceUID).map { series.contains($0) } ?? false
    }
}
