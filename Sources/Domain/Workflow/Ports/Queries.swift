import Access

/// Which worklist entries a modality asks for. PS3.4 §K.6.1.2.
package struct WorklistQuery: Sendable, Hashable {
    package var keys: SearchKeys
    /// At most this many entries; one more than a caller wants tells it that there are more.
    package var limit: Int
    package init(_ keys: SearchKeys = SearchKeys(), limit: Int = 1000) {
        self.keys = keys
        self.limit = limit
    }
}

/// One worklist entry with all it is made of.
package struct WorklistEntry: Sendable, Hashable {
    package var patient: Patient
    package var visit: Visit?
    package var order: ImagingOrder
    package var step: ScheduledProcedureStep
    /// Those that may do the step: the one it names, else the site's for its modality.
    package var stationAETitles: [String]
    package init(
        patient: Patient, visit: Visit?, order: ImagingOrder, step: ScheduledProcedureStep,
        stationAETitles: [String]? = nil
    ) {
        self.stationAETitles = stationAETitles ?? [step.stationAETitle].compactMap { $0 }
        self.patient = patient
        self.visit = visit
        self.order = order
        self.step = step
    }
}

/// The stations that do steps which name none, by modality. One per site.
package struct WorklistStations: Sendable, Hashable {
    /// AE titles by the code of the modality.
    package var byModality: [String: [String]]
    package init(_ byModality: [String: [String]] = [:]) { self.byModality = byModality }

    /// Those that may do a step; none when it names none and the site has none for its modality.
    package func titles(of step: ScheduledProcedureStep, modality: String?) -> [String] {
        if let own = step.stationAETitle, !own.isEmpty { return [own] }
        return modality.flatMap { byModality[$0] } ?? []
    }

    /// The modalities that a station takes when a step names none, in alphabetical order.
    package func modalities(where takes: (_ title: String) -> Bool) -> [String] {
        byModality.filter { $0.value.contains(where: takes) }.keys.sorted()
    }
}

/// A step that modalities are not shown yet. PS3.4 Table K.6-1, return keys of type 1.
package struct WaitingStep: Sendable, Hashable {
    /// What a worklist entry must have and a step may lack.
    package enum Part: String, Sendable, Hashable, CaseIterable {
        case station = "station-ae-title"
        case modality
        case startDate = "start-date"
        case startTime = "start-time"
    }
    package var order: ImagingOrder
    package var step: ScheduledProcedureStep
    /// At least one.
    package var missing: [Part]
    package init(order: ImagingOrder, step: ScheduledProcedureStep, missing: [Part]) {
        self.order = order
        self.step = step
        self.missing = missing
    }
}

extension ImagingOrder {
    /// The modality of a step of this order: its own, else the order's.
    package func modality(of step: ScheduledProcedureStep) -> String? { step.modality ?? modality }

    /// What a worklist entry must have and this step lacks.
    package func partsMissing(
        of step: ScheduledProcedureStep, stations: WorklistStations = WorklistStations()
    ) -> [WaitingStep.Part] {
        WaitingStep.Part.allCases.filter { part in
            switch part {
            case .station: stations.titles(of: step, modality: modality(of: step)).isEmpty
            case .modality: modality(of: step)?.isEmpty ?? true
            case .startDate: step.scheduledStart?.dateDigits.utf8.count != 8
            case .startTime: step.scheduledStart?.timeDigits?.isEmpty ?? true
            }
        }
    }
}

/// The level of a study query.
package enum StudyQueryLevel: String, Sendable, Hashable { case study, series, instance }

/// A QIDO or C-FIND query over stored studies. PS3.4 §C.2.2.2, PS3.18 §8.3.4.
package struct StudyQuery: Sendable, Hashable {
    package var level: StudyQueryLevel
    package var keys: SearchKeys
    package var limit: Int
    package var offset: Int
    package init(level: StudyQueryLevel, keys: SearchKeys = SearchKeys(), limit: Int = 100, offset: Int = 0) {
        self.level = level
        self.keys = keys
        self.limit = limit
        self.offset = offset
    }
}

/// One match of a study query with the levels it belongs to.
package struct StudyMatch: Sendable, Hashable {
    /// What it says of its patient and accession number is what is known here, where its sender wrote otherwise.
    package var study: Study
    /// Distinct modalities of the study, sorted.
    package var modalitiesInStudy: [String]
    package var numberOfStudyRelatedSeries: Int
    package var numberOfStudyRelatedInstances: Int
    /// Set at series and instance level.
    package var series: Series?
    package var numberOfSeriesRelatedInstances: Int
    /// The requests that the objects of the series name, each once.
    package var requests: [RequestAttributes]
    /// Set at instance level.
    package var instance: Instance?
    /// The AE title of the archive that has the study; nil for one that lies here. What an archive did not tell of one of
    /// its own is empty, a count 0.
    package var archive: String?
    package init(
        study: Study, modalitiesInStudy: [String], numberOfStudyRelatedSeries: Int, numberOfStudyRelatedInstances: Int,
        series: Series? = nil, numberOfSeriesRelatedInstances: Int = 0, requests: [RequestAttributes] = [],
        instance: Instance? = nil
    ) {
        self.requests = requests
        self.study = study
        self.modalitiesInStudy = modalitiesInStudy
        self.numberOfStudyRelatedSeries = numberOfStudyRelatedSeries
        self.numberOfStudyRelatedInstances = numberOfStudyRelatedInstances
        self.series = series
        self.numberOfSeriesRelatedInstances = numberOfSeriesRelatedInstances
        self.instance = instance
    }

    /// Of what matched: its UIDs from the study down, by which matches of one level are told apart and put in order.
    package var key: String {
        [study.studyInstanceUID, series?.seriesInstanceUID ?? "", instance?.sopInstanceUID ?? ""]
            .joined(separator: "/")
    }
}

/// A page of matches.
package struct StudyMatches: Sendable {
    package var matches: [StudyMatch]
    /// How many more matched than were returned, counted up to `StudyMatches.remainingMax`.
    package var remaining: Int
    /// Whether more matched than were returned.
    package var hasMore: Bool { remaining > 0 }
    /// Beyond this many, what remains is not counted.
    package static let remainingMax = 1_000
    package init(matches: [StudyMatch], remaining: Int) {
        self.matches = matches
        self.remaining = remaining
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
    /// Earliest start first.
    func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry]
    /// Steps that are due and not shown to modalities, because what a worklist entry must have is missing; earliest
    /// start first.
    func waitingSteps(limit: Int, access: AccessContext) async throws -> [WaitingStep]
    /// Ordered by study date descending, then by UID, so that pages are stable.
    func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches
    /// Instances of a study, series or one instance in series and instance-number order, a page at a time:
    /// those behind `after`, at most `limit`.
    func instances(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [Instance]
    /// The same with headers.
    func headers(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [InstanceHeader]
    /// The header of the first instance of what a search found: a read in the turn of the client's searches, of which it
    /// makes many. Nil where there is none that the caller sees.
    func searchedHeader(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, access: AccessContext
    ) async throws -> InstanceHeader?
    /// A number that is another once an instance of a series has come, gone or been replaced, for who lists it: to be asked
    /// before the list is, and again before what was listed is used. One row is read. Nil where it is not known.
    func changes(ofSeries seriesInstanceUID: String) async throws -> UInt64?
    /// One instance where it is known without asking the store; nil otherwise, which says nothing of it.
    func remembered(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, access: AccessContext
    ) -> Instance?
    /// The patient of one instance.
    func patient(of instance: Instance, access: AccessContext) async throws -> PatientOfInstance
    /// Other content that came for stored instances, newest first.
    func conflicts(limit: Int, access: AccessContext) async throws -> [InstanceConflict]
}

extension ImagingIndex {
    package func searchedHeader(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, access: AccessContext
    ) async throws -> InstanceHeader? {
        try await headers(
            studyInstanceUID: studyInstanceUID, seriesInstanceUID: seriesInstanceUID, sopInstanceUID: sopInstanceUID,
            after: nil, limit: 1, access: access
        ).first
    }
    package func changes(ofSeries seriesInstanceUID: String) async throws -> UInt64? { nil }
    package func waitingSteps(limit: Int, access: AccessContext) async throws -> [WaitingStep] { [] }
    package func conflicts(limit: Int, access: AccessContext) async throws -> [InstanceConflict] { [] }
    package func patient(of instance: Instance, access: AccessContext) async throws -> PatientOfInstance { .uncertain }

    package func remembered(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, access: AccessContext
    ) -> Instance? { nil }
}

/// The port to configured peers.
package protocol PeerDirectory: Sendable {
    func peer(kind: Peer.Kind, name: String) async throws -> Peer?
    /// All, by kind and name; at most 10,000.
    func peers() async throws -> [Peer]
    /// Those that offer a service, by kind and name; at most 1,000.
    func peers(offering service: Peer.Service) async throws -> [Peer]
    func save(_ peer: Peer) async throws
    func removePeer(kind: Peer.Kind, name: String) async throws -> Bool
}

extension PeerDirectory {
    package func peers(offering service: Peer.Service) async throws -> [Peer] {
        try await peers().filter { $0.offers.contains(service) }
    }
}
