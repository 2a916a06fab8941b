import Access

/// Which worklist entries a modality asks for. PS3.4 §K.6.1.2. Nil or empty matches all.
package struct WorklistQuery: Sendable, Hashable {
    /// A DICOM wildcard pattern; a step without a station matches every one.
    package var stationAETitle: String?
    /// CS, exact.
    package var modality: String?
    /// Inclusive bounds as DICOM DA digits.
    package var startDateLow: String?
    package var startDateHigh: String?
    /// Inclusive bounds as DICOM TM text.
    package var startTimeLow: String?
    package var startTimeHigh: String?
    /// DICOM wildcard patterns (`*`, `?`), case-insensitive for names.
    package var performingPhysicianName: String?
    package var patientName: String?
    package var patientID: String?
    /// The `Identifier.system` of the issuer that the patient id, or any id of the patient, must be of.
    package var patientIDSystem: String?
    package var accessionNumber: String?
    package var requestedProcedureID: String?
    package var scheduledProcedureStepID: String?
    package var studyInstanceUID: String?
    /// At most this many entries.
    package var limit: Int = 1000
    package init() {}
}

/// One worklist entry with all it is made of.
package struct WorklistEntry: Sendable, Hashable {
    package var patient: Patient
    package var visit: Visit?
    package var order: ImagingOrder
    package var step: ScheduledProcedureStep
    package init(patient: Patient, visit: Visit?, order: ImagingOrder, step: ScheduledProcedureStep) {
        self.patient = patient
        self.visit = visit
        self.order = order
        self.step = step
    }
}

/// The level of a study query.
package enum StudyQueryLevel: String, Sendable, Hashable { case study, series, instance }

/// A QIDO or C-FIND query over stored studies: one value of what is matched, whichever door it came through.
/// PS3.4 §C.2.2.2, PS3.18 §8.3.4.
package struct StudyQuery: Sendable, Hashable {
    package enum Key: String, Sendable, Hashable, CaseIterable {
        case studyDate, studyTime, accessionNumber, modalitiesInStudy, referringPhysicianName, patientName, patientID
        case issuerOfPatientID, studyInstanceUID, studyID, studyDescription, patientBirthDate, patientSex
        case modality, seriesInstanceUID, seriesNumber, seriesDescription, bodyPartExamined
        case performedProcedureStepStartDate, performedProcedureStepStartTime
        case scheduledProcedureStepID, requestedProcedureID
        case sopClassUID, sopInstanceUID, instanceNumber
    }
    package enum Match: Sendable, Hashable {
        case exact(String)
        /// `*` and `?`; `ignoringCase` for PN.
        case wildcard(String, ignoringCase: Bool)
        case anyOf([String])
        /// Inclusive; an open end is nil.
        case range(low: String?, high: String?)
        /// The attribute is absent or empty.
        case empty
    }
    package var level: StudyQueryLevel
    /// All must match.
    package var matches: [Key: Match]
    package var limit: Int
    package var offset: Int
    package init(level: StudyQueryLevel, matches: [Key: Match] = [:], limit: Int = 100, offset: Int = 0) {
        self.level = level
        self.matches = matches
        self.limit = limit
        self.offset = offset
    }
}

/// One match of a study query with the levels it belongs to.
package struct StudyMatch: Sendable, Hashable {
    package var study: Study
    /// Distinct modalities of the study, sorted.
    package var modalitiesInStudy: [String]
    package var numberOfStudyRelatedSeries: Int
    package var numberOfStudyRelatedInstances: Int
    /// Set at series and instance level.
    package var series: Series?
    package var numberOfSeriesRelatedInstances: Int
    /// Set at instance level.
    package var instance: Instance?
    package init(
        study: Study, modalitiesInStudy: [String], numberOfStudyRelatedSeries: Int, numberOfStudyRelatedInstances: Int,
        series: Series? = nil, numberOfSeriesRelatedInstances: Int = 0, instance: Instance? = nil
    ) {
        self.study = study
        self.modalitiesInStudy = modalitiesInStudy
        self.numberOfStudyRelatedSeries = numberOfStudyRelatedSeries
        self.numberOfStudyRelatedInstances = numberOfStudyRelatedInstances
        self.series = series
        self.numberOfSeriesRelatedInstances = numberOfSeriesRelatedInstances
        self.instance = instance
    }
}

/// A page of matches.
package struct StudyMatches: Sendable {
    package var matches: [StudyMatch]
    /// Whether more matched than were returned.
    package var hasMore: Bool
    package init(matches: [StudyMatch], hasMore: Bool) {
        self.matches = matches
        self.hasMore = hasMore
    }
}

/// One instance with its header, for metadata.
package struct InstanceHeader: Sendable {
    package var instance: Instance
    package var header: [UInt8]
    package var bulk: [ReceivedInstance.BulkValue]
    package var frameIndex: [UInt8]
    package init(instance: Instance, header: [UInt8], bulk: [ReceivedInstance.BulkValue], frameIndex: [UInt8]) {
        self.frameIndex = frameIndex
        self.instance = instance
        self.header = header
        self.bulk = bulk
    }
}

/// Read-only questions of the imaging doors, answered outside a unit of work. Every call takes the caller's access;
/// what the caller may not see is not there.
package protocol ImagingIndex: Sendable {
    func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry]
    /// Ordered by study date descending, then by UID, so that pages are stable.
    func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches
    /// Instances of a study, series or one instance in series and instance-number order, a page at a time:
    /// those after `after` (a SOP Instance UID), at most `limit`.
    func instances(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: String?, limit: Int,
        access: AccessContext
    ) async throws -> [Instance]
    /// The same with headers.
    func headers(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: String?, limit: Int,
        access: AccessContext
    ) async throws -> [InstanceHeader]
    /// One instance where it is known without asking the store; nil otherwise, which says nothing of it.
    func remembered(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, access: AccessContext
    ) -> Instance?
    /// Series kept aside, newest first.
    func quarantine(limit: Int, access: AccessContext) async throws -> [QuarantinedSeries]
}

extension ImagingIndex {
    package func remembered(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, access: AccessContext
    ) -> Instance? { nil }
}

/// A series kept aside, with the two values a person compares.
package struct QuarantinedSeries: Sendable, Hashable {
    package var study: Study
    package var series: Series
    package var reason: Reconciliation.Reason
    package var instances: Int
    package init(study: Study, series: Series, reason: Reconciliation.Reason, instances: Int) {
        self.study = study
        self.series = series
        self.reason = reason
        self.instances = instances
    }
}

/// The port to configured peers.
package protocol PeerDirectory: Sendable {
    func peer(kind: Peer.Kind, name: String) async throws -> Peer?
    func peers() async throws -> [Peer]
    func save(_ peer: Peer) async throws
    func removePeer(kind: Peer.Kind, name: String) async throws -> Bool
}
