import Access
import FHIRResources
import FHIRSearch
import Workflow

/// One unit of work over the tables: the store's answer to both the workflow's port and the resources' port.
///
/// Lives on one thread inside one transaction. A unit made for reading refuses the saving calls.
final class SQLUnitOfWork: UnitOfWork {
    let connection: any SQLConnection
    /// What this unit will be committed as; nil in a read.
    let transaction: SQLTransaction?
    let time: UTCInstant
    let entropy: any Entropy
    let access: AccessContext
    let rules: SiteRules
    let indexer: SearchIndexer
    private let subjects: SubjectChanges
    /// Told of the instances whose rows change.
    private let hideFromCache: (String) -> Void
    private let observers: [any CommitObserver]
    let subscriptionKeeping: SubscriptionKeeping
    /// Of searches within the unit; nil in a read.
    let paging: SearchPaging?
    var log = UnitChangeLog()
    private(set) var auditRecords: [AuditRecord] = []
    /// Whether something is in the outbox that was not before.
    private(set) var hasEnqueued = false
    /// Instances whose rows are final again: back as they were before they were rejected, or changed.
    private(set) var restored: [String] = []
    /// What all searches of a writing unit may use together.
    private(set) lazy var searchBudget = SQLBudget(time: searchTimeout, rows: 200_000)
    private let searchTimeout: Duration
    /// Studies whose rows of keys are made anew once: before an image adds to them, and at the end of the unit.
    private var staleKeys: Set<String> = []
    /// Nil where studies are found by what their senders wrote alone.
    private let authorities: AssigningAuthorities?
    /// Of which studies are found by another patient or order at the end of the unit.
    private var staleSubjects = StaleSubjects()

    private struct StaleSubjects {
        var studies: Set<String> = []
        var patients: Set<EntityID> = []
        var orders: Set<EntityID> = []
    }

    private let patientTable: PatientTable
    private let orderTable: OrderTable
    private let studyTable: StudyTable
    private let rejectionTable: RejectionTable
    private let publicationTable: PublicationTable
    private let reportTable: ReportTable
    private let messageTable: MessageTable
    private let authorityTable: AuthorityTable

    init(
        connection: any SQLConnection, transaction: SQLTransaction?, time: UTCInstant, entropy: any Entropy,
        access: AccessContext, rules: SiteRules, indexer: SearchIndexer, stations: WorklistStations,
        observers: [any CommitObserver] = [], authorities: AssigningAuthorities? = nil,
        subscriptions: SubscriptionKeeping = SubscriptionKeeping(),
        paging: SearchPaging? = nil, subjects: SubjectChanges = SubjectChanges(),
        searchTimeout: Duration = .zero, hideFromCache: @escaping (String) -> Void = { _ in }
    ) {
        self.searchTimeout = searchTimeout
        self.observers = observers
        self.authorities = authorities
        subscriptionKeeping = subscriptions
        self.paging = paging
        self.subjects = subjects
        self.hideFromCache = hideFromCache
        self.connection = connection
        self.transaction = transaction
        self.time = time
        self.entropy = entropy
        self.access = access
        self.rules = rules
        self.indexer = indexer
        patientTable = PatientTable(connection: connection, memo: transaction?.memo)
        orderTable = OrderTable(connection: connection, memo: transaction?.memo, stations: stations)
        studyTable = StudyTable(connection: connection, memo: transaction?.memo)
        rejectionTable = RejectionTable(connection: connection, memo: transaction?.memo)
        publicationTable = PublicationTable(connection: connection)
        reportTable = ReportTable(connection: connection)
        messageTable = MessageTable(connection: connection)
        authorityTable = AuthorityTable(connection: connection, memo: transaction?.memo)
    }

    /// The stamp of a writing unit. Throws in a read.
    func writing() throws -> CommitStamp {
        guard let transaction else { throw StoreError(.misuse, "a read cannot change anything") }
        return transaction.stamp
    }

    // MARK: Consequences

    /// Rounds of events that follow from projections, before they are taken for endless.
    private static let roundsMax = 16

    func emit(_ event: DomainEvent) { log.note(event) }

    func settle() throws {
        for _ in 0..<Self.roundsMax {
            let events = try withoutLargeStudies(log.takeEvents())
            if events.isEmpty { return }
            for observer in observers { try observer.project(events, in: self) }
        }
        throw StoreError(.misuse, "projections call forth each other without end")
    }

    /// The end of the unit: the last projections, then everything that was changed is told to the observers.
    func conclude() throws {
        try settle()
        try rebuildStaleKeys()
        try refreshSubjects()
        let changes = log.changes
        if changes.isEmpty { return }
        for observer in observers { try observer.conclude(changes, in: self) }
    }

    func enqueue(_ draft: OutboxDraft) throws {
        _ = try writing()
        try OutboxTable(connection: connection).enqueue(draft, eventID: draft.eventID ?? entropy.newID(), at: time)
        hasEnqueued = true
    }

    /// For what is in the outbox and may be delivered again.
    func noteEnqueued() { hasEnqueued = true }

    func audit(_ record: AuditRecord) throws {
        _ = try writing()
        auditRecords.append(record)
    }

    func peers(offering service: Peer.Service) throws -> [Peer] {
        try PeerTable(connection: connection).peers(offering: service)
    }

    // MARK: Patients and visits

    func patient(_ id: EntityID) throws -> Patient? { try patientTable.patient(id) }
    func patients(identifiedBy identifier: Identifier) throws -> [Patient] {
        try patientTable.patients(identifiedBy: identifier)
    }
    func patients(mergedInto survivor: EntityID) throws -> [Patient] { try patientTable.patients(mergedInto: survivor) }
    func save(_ patient: Patient) throws {
        _ = try writing()
        try TextRule.check(patient)
        if subjects.note(patient, instead: try patientTable.patient(patient.id)) {
            staleSubjects.patients.insert(patient.id)
        }
        try patientTable.save(patient)
    }
    func removePatient(_ id: EntityID) throws {
        _ = try writing()
        subjects.note()
        try patientTable.removePatient(id)
    }
    func visit(_ id: EntityID) throws -> Visit? { try patientTable.visit(id) }
    func visits(identifiedBy identifier: Identifier) throws -> [Visit] {
        try patientTable.visits(identifiedBy: identifier)
    }
    func visits(of patientID: EntityID) throws -> [Visit] { try patientTable.visits(of: patientID) }
    func newestOpenVisit(of patientID: EntityID) throws -> Visit? { try patientTable.newestOpenVisit(of: patientID) }
    func save(_ visit: Visit) throws {
        try TextRule.check(visit)
        try patientTable.save(visit, ordinal: try writing().sequence)
    }

    // MARK: Orders

    func order(_ id: EntityID) throws -> ImagingOrder? { try orderTable.order(id) }
    func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder] {
        try orderTable.orders(identifiedBy: identifier, as: role)
    }
    func orders(studyInstanceUID: String) throws -> [ImagingOrder] {
        try orderTable.orders(studyInstanceUID: studyInstanceUID)
    }
    func orders(of patientID: EntityID) throws -> [ImagingOrder] { try orderTable.orders(of: patientID) }
    func save(_ order: ImagingOrder) throws {
        try TextRule.check(order)
        if subjects.note(order, instead: try orderTable.order(order.id)) { staleSubjects.orders.insert(order.id) }
        try orderTable.save(order, ordinal: try writing().sequence)
    }
    func removeOrder(_ id: EntityID) throws {
        _ = try writing()
        staleSubjects.orders.insert(id)
        try orderTable.removeOrder(id)
    }

    func events(ofOrder id: EntityID) throws -> [OrderEvent] { try orderTable.events(of: id) }
    func save(_ events: [OrderEvent], ofOrder id: EntityID) throws {
        _ = try writing()
        try orderTable.save(events, of: id)
    }

    // MARK: Studies

    func study(_ studyInstanceUID: String) throws -> Study? { try studyTable.study(studyInstanceUID) }
    func study(id: EntityID) throws -> Study? { try studyTable.study(id: id) }
    func studies(of patientID: EntityID) throws -> [Study] { try studyTable.studies(of: patientID) }
    func studies(ofOrder orderID: EntityID) throws -> [Study] { try studyTable.studies(ofOrder: orderID) }
    func awaitPublication(of studyInstanceUID: String, isDue: Bool) throws {
        _ = try writing()
        let since = isDue ? AwaitedPublication.due : time
        try publicationTable.awaitPublication(of: studyInstanceUID, since: since, at: time)
    }
    func awaitedPublication(of studyInstanceUID: String) throws -> AwaitedPublication? {
        try publicationTable.awaited(of: studyInstanceUID)
    }
    func awaitedPublications(
        quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int
    ) throws -> [AwaitedPublication] {
        try publicationTable.awaited(quietSince: quietSince, waitingSince: waitingSince, limit: limit)
    }
    func endAwaiting(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws {
        _ = try writing()
        try publicationTable.end(awaited, seenAt: seenAt)
    }
    func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study] {
        try studyTable.quarantinedStudies(accession: accession, patient: patient)
    }
    func studies(naming accession: Identifier) throws -> [Study] { try studyTable.studies(naming: accession) }
    func save(_ study: Study) throws {
        _ = try writing()
        try TextRule.check(study.attributes)
        try studyTable.save(study)
        staleSubjects.studies.insert(study.studyInstanceUID)
    }
    func series(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> Series? {
        try studyTable.series(seriesInstanceUID, in: studyInstanceUID)
    }
    func series(in studyInstanceUID: String) throws -> [Series] { try studyTable.series(in: studyInstanceUID) }
    func save(_ series: Series) throws {
        _ = try writing()
        try TextRule.check(series.attributes)
        subjects.note(
            series, instead: try studyTable.series(series.seriesInstanceUID, in: series.studyInstanceUID))
        try studyTable.save(series)
    }
    func instance(_ sopInstanceUID: String) throws -> Instance? { try studyTable.instance(sopInstanceUID) }
    func instances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> [Instance] {
        try studyTable.instances(in: seriesInstanceUID, of: studyInstanceUID)
    }
    func places(of sopInstanceUIDs: [String]) throws -> [String: InstanceWhereabouts] {
        try rejectionTable.places(of: sopInstanceUIDs)
    }
    func hasInstances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> Bool {
        try studyTable.hasInstances(in: seriesInstanceUID, of: studyInstanceUID)
    }
    func insert(_ received: ReceivedInstance) throws {
        _ = try writing()
        try rebuildStaleKeys()
        subjects.noteInstances(ofSeries: received.instance.seriesInstanceUID)
        try studyTable.insert(received)
    }
    func removeInstance(_ instance: Instance) throws {
        _ = try writing()
        hideFromCache(instance.sopInstanceUID)
        subjects.noteInstances(ofSeries: instance.seriesInstanceUID)
        try studyTable.remove(instance)
    }
    /// The row of an instance that stays is another now.
    func noteChanged(_ sopInstanceUID: String) {
        hideFromCache(sopInstanceUID)
        restored.append(sopInstanceUID)
    }
    func note(_ conflict: InstanceConflict) throws {
        _ = try writing()
        try ConflictTable(connection: connection).note(conflict)
    }

    func rejectedSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> RejectedSeries? {
        try rejectionTable.series(seriesInstanceUID, in: studyInstanceUID)
    }
    func rejectedSeries(in studyInstanceUID: String) throws -> [RejectedSeries] {
        try rejectionTable.series(in: studyInstanceUID)
    }
    func rejectedInstance(_ sopInstanceUID: String) throws -> Instance? { try rejectionTable.instance(sopInstanceUID) }
    func rejections(
        of seriesInstanceUID: String, in studyInstanceUID: String, sopInstanceUIDs: [String]?
    ) throws -> [String: RejectedSeries.RejectedInstance] {
        try rejectionTable.decisions(of: seriesInstanceUID, in: studyInstanceUID, sopInstanceUIDs)
    }
    func reject(_ sopInstanceUIDs: [String]?, of rejected: RejectedSeries) throws {
        _ = try writing()
        let moved = try rejectionTable.reject(sopInstanceUIDs, of: rejected)
        if moved.isEmpty { return }
        for uid in moved { hideFromCache(uid) }
        subjects.noteInstances(ofSeries: rejected.series.seriesInstanceUID)
        try rebuildKeys(ofStudy: rejected.study.studyInstanceUID)
    }
    func restore(_ sopInstanceUIDs: [String]?, of left: RejectedSeries) throws {
        _ = try writing()
        subjects.noteInstances(ofSeries: left.series.seriesInstanceUID)
        restored += try rejectionTable.restore(sopInstanceUIDs, of: left)
        try rebuildKeys(ofStudy: left.study.studyInstanceUID)
    }
    private var awaitedRejectionTable: AwaitedRejectionTable {
        AwaitedRejectionTable(connection: connection, memo: transaction?.memo)
    }
    func awaitedRejection(of sopInstanceUID: String) throws -> AwaitedRejection? {
        try awaitedRejectionTable.rejection(of: sopInstanceUID)
    }
    func awaitRejections(_ rejections: [AwaitedRejection]) throws {
        _ = try writing()
        try awaitedRejectionTable.keep(rejections)
    }
    func forgetAwaitedRejections(
        ofStudy studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?
    ) throws -> Int {
        _ = try writing()
        return try awaitedRejectionTable.forget(
            ofStudy: studyInstanceUID, seriesUID: seriesInstanceUID, sopUID: sopInstanceUID)
    }
    func removeSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws {
        _ = try writing()
        subjects.noteRemovedSeries()
        try studyTable.removeSeries(seriesInstanceUID, in: studyInstanceUID)
    }
    func removeStudy(_ studyInstanceUID: String) throws {
        _ = try writing()
        try studyTable.removeStudy(studyInstanceUID)
    }
    func rebuildKeys(ofStudy studyInstanceUID: String) throws {
        _ = try writing()
        staleKeys.insert(studyInstanceUID)
    }
    private func rebuildStaleKeys() throws {
        for uid in staleKeys.sorted() {
            try StudyKeyTable(connection: connection, memo: transaction?.memo).rebuild(uid)
        }
        staleSubjects.studies.formUnion(staleKeys)
        staleKeys = []
    }
    private func refreshSubjects() throws {
        let stale = staleSubjects
        staleSubjects = StaleSubjects()
        guard let authorities else { return }
        let table = StudySubjectTable(
            connection: connection, authorities: authorities, memo: transaction?.memo)
        try table.refresh(stale.studies.sorted())
        for id in stale.patients.sorted(by: { $0.value < $1.value }) { try table.refresh(ofPatient: id) }
        for id in stale.orders.sorted(by: { $0.value < $1.value }) { try table.refresh(ofOrder: id) }
    }

    // MARK: Reports and messages

    func report(_ id: EntityID) throws -> Report? { try reportTable.report(id) }
    func reports(identifiedBy identifier: Identifier) throws -> [Report] {
        try reportTable.reports(identifiedBy: identifier)
    }
    func reports(of patientID: EntityID) throws -> [Report] { try reportTable.reports(of: patientID) }
    func reports(ofOrder orderID: EntityID) throws -> [Report] { try reportTable.reports(ofOrder: orderID) }
    func reports(on order: ImagingOrder) throws -> [Report] { try reportTable.reports(on: order) }
    func save(_ report: Report) throws {
        try TextRule.check(report)
        try reportTable.save(report, ordinal: try writing().sequence)
    }
    func removeReport(_ id: EntityID) throws {
        _ = try writing()
        try reportTable.remove(id)
    }

    func journaledMessage(sender: String, controlID: String) throws -> [JournaledMessage] {
        try messageTable.messages(sender: sender, controlID: controlID)
    }
    func journal(_ message: JournaledMessage) throws {
        try TextRule.check(message.sender, .message)
        try TextRule.check(message.controlID, .message)
        try messageTable.insert(message, ordinal: try writing().sequence)
    }
    func note(_ authority: UnknownAuthority) throws {
        try authorityTable.note(authority, at: UTCInstant(microseconds: try writing().time))
    }
    func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws {
        _ = try writing()
        try messageTable.awaitMerge(messageID, of: patientNumbers)
    }
    func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID] {
        try messageTable.messages(awaitingMergeOf: patientNumbers)
    }
    func awaitingMessage(_ id: EntityID) throws -> JournaledMessage? { try messageTable.awaitingMessage(id) }
    func settle(_ message: JournaledMessage) throws {
        _ = try writing()
        try messageTable.settle(message)
    }
}
