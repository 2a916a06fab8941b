import Access
import Synchronization
import Workflow

/// The workflow in memory: a unit works on a copy that takes the place of the state when it succeeds.
final class MemoryStore: WorkflowStore {
    struct State {
        var patients: [EntityID: Patient] = [:]
        var visits: [EntityID: Visit] = [:]
        var orders: [EntityID: ImagingOrder] = [:]
        var events: [EntityID: [OrderEvent]] = [:]
        var awaiting: [EntityID: [Identifier]] = [:]
        var unknownAuthorities: Set<UnknownAuthority> = []
        var reports: [EntityID: Report] = [:]
        var studies: [String: Study] = [:]
        var series: [String: [Series]] = [:]
        var outbox: [OutboxDraft] = []
        var told: [Told] = []
        var journal: [JournaledMessage] = []
        var audit: [AuditRecord] = []
        var time = UTCInstant(microseconds: 1_796_500_000_000_000)
        /// Thrown by writes, once there were as many as `writesBeforeFailure`.
        var failure: StoreError?
        var writesBeforeFailure = 0
        var writes = 0
    }
    let state = Mutex(State())
    /// Called at the end of each writing unit with what it told.
    let concluding = Mutex<(@Sendable ([DomainEvent], any UnitOfWork) throws -> Void)?>(nil)

    func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T {
        try state.withLock { state in
            if let failure = state.failure, state.writes >= state.writesBeforeFailure { throw failure }
            let unit = MemoryUnit(state: state, access: access)
            let result = try body(unit)
            try concluding.withLock { $0 }?(unit.emitted, unit)
            state = unit.state
            state.writes += 1
            return result
        }
    }

    func read<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T {
        try state.withLock { state in try body(MemoryUnit(state: state, access: access)) }
    }

    var patients: [Patient] { state.withLock { Array($0.patients.values) } }
    var visits: [Visit] { state.withLock { Array($0.visits.values) } }
    var orders: [ImagingOrder] { state.withLock { Array($0.orders.values) } }
    var reports: [Report] { state.withLock { Array($0.reports.values) } }
    func advance(bySeconds seconds: Int64) { state.withLock { $0.time = $0.time.advanced(bySeconds: seconds) } }
    var unknownAuthorities: Set<UnknownAuthority> { state.withLock { $0.unknownAuthorities } }
    var journal: [JournaledMessage] { state.withLock { $0.journal } }
}

private final class MemoryUnit: UnitOfWork, ToldUnit {
    var state: MemoryStore.State
    let access: AccessContext
    var time: UTCInstant { state.time }
    let entropy: any Entropy = TestEntropy()
    let rules = SiteRules()
    /// What was told of the unit, for those that take note of it at its end.
    private(set) var emitted: [DomainEvent] = []

    init(state: MemoryStore.State, access: AccessContext) {
        self.state = state
        self.access = access
    }

    func patient(_ id: EntityID) throws -> Patient? { state.patients[id] }
    func patients(identifiedBy identifier: Identifier) throws -> [Patient] {
        state.patients.values.filter { $0.identifiers.contains { $0.matches(identifier) } }
    }
    func save(_ patient: Patient) throws { state.patients[patient.id] = patient }
    func patients(mergedInto survivor: EntityID) throws -> [Patient] {
        state.patients.values.filter { $0.mergedInto == survivor }
    }
    func removePatient(_ id: EntityID) throws { state.patients[id] = nil }
    func visit(_ id: EntityID) throws -> Visit? { state.visits[id] }
    func visits(identifiedBy identifier: Identifier) throws -> [Visit] {
        state.visits.values.filter { $0.identifier?.matches(identifier) == true }
    }
    func visits(of patientID: EntityID) throws -> [Visit] { state.visits.values.filter { $0.patientID == patientID } }
    func save(_ visit: Visit) throws { state.visits[visit.id] = visit }
    func order(_ id: EntityID) throws -> ImagingOrder? { state.orders[id] }
    func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder] {
        state.orders.values.filter { order in
            let own =
                switch role {
                case .placer: order.placer
                case .filler: order.filler
                case .accession: order.accession
                }
            return own?.matches(identifier) == true
        }
    }
    func orders(studyInstanceUID: String) throws -> [ImagingOrder] {
        state.orders.values.filter { $0.studyInstanceUID == studyInstanceUID }
    }
    func orders(of patientID: EntityID) throws -> [ImagingOrder] {
        state.orders.values.filter { $0.patientID == patientID }
    }
    func save(_ order: ImagingOrder) throws { state.orders[order.id] = order }
    func removeOrder(_ id: EntityID) throws {
        state.orders[id] = nil
        state.events[id] = nil
    }
    func events(ofOrder id: EntityID) throws -> [OrderEvent] { state.events[id] ?? [] }
    func save(_ events: [OrderEvent], ofOrder id: EntityID) throws { state.events[id] = events }
    func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws {
        state.awaiting[messageID] = patientNumbers
    }
    func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID] {
        state.journal.map(\.id).filter { id in
            state.awaiting[id]?.contains { own in patientNumbers.contains { $0.matches(own) } } == true
        }
    }
    func awaitingMessage(_ id: EntityID) throws -> JournaledMessage? {
        state.journal.first { $0.id == id && state.awaiting[id] != nil }
    }
    func settle(_ message: JournaledMessage) throws {
        state.awaiting[message.id] = nil
        if let index = state.journal.firstIndex(where: { $0.id == message.id }) { state.journal[index] = message }
    }
    func note(_ authority: UnknownAuthority) throws { state.unknownAuthorities.insert(authority) }
    func studies(naming accession: Identifier) throws -> [Study] { [] }
    func study(_ studyInstanceUID: String) throws -> Study? { state.studies[studyInstanceUID] }
    func study(id: EntityID) throws -> Study? { nil }
    func studies(of patientID: EntityID) throws -> [Study] { [] }
    func studies(ofOrder orderID: EntityID) throws -> [Study] { [] }
    func awaitPublication(of studyInstanceUID: String, isDue: Bool) throws {}
    func awaitedPublication(of studyInstanceUID: String) throws -> AwaitedPublication? { nil }
    func awaitedPublications(
        quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int
    ) throws -> [AwaitedPublication] { [] }
    func endAwaiting(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws {}
    func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study] { [] }
    func save(_ study: Study) throws {}
    func series(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> Series? { nil }
    func series(in studyInstanceUID: String) throws -> [Series] { state.series[studyInstanceUID] ?? [] }
    func save(_ series: Series) throws {}
    func instance(_ sopInstanceUID: String) throws -> Instance? { nil }
    func instances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> [Instance] { [] }
    func insert(_ received: ReceivedInstance) throws {}
    func removeInstance(_ instance: Instance) throws {}
    func note(_ conflict: InstanceConflict) throws {}
    func report(_ id: EntityID) throws -> Report? { state.reports[id] }
    func reports(identifiedBy identifier: Identifier) throws -> [Report] {
        state.reports.values.filter { $0.filler?.matches(identifier) == true || $0.placer?.matches(identifier) == true }
    }
    func reports(of patientID: EntityID) throws -> [Report] {
        state.reports.values.filter { $0.patientID == patientID }
    }
    func reports(ofOrder orderID: EntityID) throws -> [Report] { state.reports.values.filter { $0.orderID == orderID } }
    func save(_ report: Report) throws { state.reports[report.id] = report }
    func removeReport(_ id: EntityID) throws { state.reports[id] = nil }
    func journaledMessage(sender: String, controlID: String) throws -> [JournaledMessage] {
        state.journal.filter { $0.sender == sender && $0.controlID == controlID }
    }
    func journal(_ message: JournaledMessage) throws { state.journal.append(message) }
    func enqueue(_ draft: OutboxDraft) { state.outbox.append(draft) }
    func told(_ subject: String, to destination: String) throws -> Told? {
        state.told.first { $0.subject == subject && $0.destination == destination }
    }
    func save(_ told: Told) throws {
        try forget(told)
        state.told.append(told)
    }
    func forget(_ told: Told) throws {
        state.told.removeAll { $0.subject == told.subject && $0.destination == told.destination }
    }
    func emit(_ event: DomainEvent) { emitted.append(event) }
    func audit(_ record: AuditRecord) throws { state.audit.append(record) }
}

struct TestClock: Clock {
    func now() -> UTCInstant { UTCInstant(microseconds: 1_796_500_000_000_000) }
}

struct TestEntropy: Entropy {
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
}
