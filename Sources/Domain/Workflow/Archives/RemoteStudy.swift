/// A study of which nothing lies here and an archive says that it has it: as far as the archive told, and whose it was
/// found to be here.
package struct RemoteStudy: Sendable, Hashable, Codable {
    /// Also the logical id of the ImagingStudy: the same while the study is fetched, held, let go and fetched again.
    package var id: EntityID
    package var studyInstanceUID: String
    /// The AE title of the archive.
    package var archive: String
    /// By the rules that hold for what lies here; in quarantine it is nobody's to see.
    package var reconciliation: Reconciliation
    package var attributes: StudyAttributes
    /// Distinct modalities, sorted; empty where the archive did not tell.
    package var modalities: [String]
    /// 0 where the archive did not tell.
    package var numberOfSeries: Int
    package var numberOfInstances: Int
    /// Its series, as the archive told them when it was asked for them; nil where it was not, or says by its numbers that
    /// they are others now.
    package var series: [RemoteSeries]?
    /// Whole answers of the archive in a row in which the study should have been and was not.
    package var misses = 0
    /// When the last of them counted.
    package var missedAt: UTCInstant?
    /// When anything of it last changed.
    package var updatedAt: UTCInstant

    /// Misses after which a study counts as gone from its archive.
    package static let missesMax = 3
    /// Seconds between two misses that count: an archive which is being put in order is not to lose a study at once.
    package static let missSeconds: Int64 = 600

    /// Whether the archive does not have it any more, as far as it says.
    package var isMissing: Bool { misses >= Self.missesMax }

    package init(
        id: EntityID, studyInstanceUID: String, archive: String, reconciliation: Reconciliation,
        attributes: StudyAttributes, modalities: [String] = [], numberOfSeries: Int = 0, numberOfInstances: Int = 0,
        updatedAt: UTCInstant
    ) {
        self.id = id
        self.studyInstanceUID = studyInstanceUID
        self.archive = archive
        self.reconciliation = reconciliation
        self.attributes = attributes
        self.modalities = modalities
        self.numberOfSeries = numberOfSeries
        self.numberOfInstances = numberOfInstances
        self.updatedAt = updatedAt
    }

    /// Takes what the archive says now; what it does not say stays as it was.
    mutating func take(_ match: StudyMatch, from archive: String) {
        self.archive = archive
        attributes = match.study.attributes
        if !match.modalitiesInStudy.isEmpty { modalities = match.modalitiesInStudy }
        let numbers = [numberOfSeries, numberOfInstances]
        if match.numberOfStudyRelatedSeries > 0 { numberOfSeries = match.numberOfStudyRelatedSeries }
        if match.numberOfStudyRelatedInstances > 0 { numberOfInstances = match.numberOfStudyRelatedInstances }
        if numbers != [numberOfSeries, numberOfInstances] { series = nil }
        misses = 0
        missedAt = nil
    }

    /// A whole answer of the archive was without it. False where that does not count yet.
    mutating func miss(now: UTCInstant) -> Bool {
        if isMissing { return false }
        if let missedAt, now < missedAt.advanced(bySeconds: Self.missSeconds) { return false }
        misses += 1
        missedAt = now
        return true
    }
}

/// A series of a study that lies in an archive alone.
package struct RemoteSeries: Sendable, Hashable, Codable {
    package var seriesInstanceUID: String
    package var attributes: SeriesAttributes
    /// 0 where the archive did not tell.
    package var numberOfInstances: Int
    package init(seriesInstanceUID: String, attributes: SeriesAttributes, numberOfInstances: Int) {
        self.seriesInstanceUID = seriesInstanceUID
        self.attributes = attributes
        self.numberOfInstances = numberOfInstances
    }
}

/// Which studies of archives are looked for.
package enum RemoteStudySelection: Sendable, Hashable {
    case ofPatient(EntityID)
    case ofOrder(EntityID)
    /// Whose objects name this patient id, by its system.
    case namingPatient(Identifier)
    case namingAccession(Identifier)
    /// Those of an archive by one of these patient ids, whatever their system.
    case ofNumbers([String], at: String)
    /// Those of an archive from these days, as DA digits; both ends are included.
    case ofDays(from: String, to: String, at: String)
    /// Those that are not gone, of archives that are none of these.
    case notAt(Set<String>)
    /// Those of these ImagingStudies, by id.
    case ids([EntityID])
}

/// What one archive said of studies.
package struct ArchiveSurvey: Sendable {
    package enum Question: Sendable, Hashable {
        /// Studies by one of these patient ids.
        case patientIDs([String])
        /// Studies from these days, as DA digits; both ends are included.
        case days(from: String, to: String)
        /// Single studies, by UID, or what somebody looked for.
        case others
    }
    package var archive: String
    package var question: Question
    package var matches: [StudyMatch]
    /// Whether all that the archive has of this came: what is not among the matches is not there.
    package var isWhole: Bool

    package init(archive: String, question: Question, matches: [StudyMatch], isWhole: Bool) {
        self.archive = archive
        self.question = question
        self.matches = matches
        self.isWhole = isWhole
    }
}
