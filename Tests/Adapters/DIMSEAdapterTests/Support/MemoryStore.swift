import Access
import Synchronization
import Workflow

/// A store of studies, series and instances in memory; everything else is empty.
final class MemoryStore: WorkflowStore {
    struct State {
        var studies: [String: Study] = [:]
        var series: [String: Series] = [:]
        var instances: [String: Instance] = [:]
        var published: [String] = []
        var conflicts: [InstanceConflict] = []
        var awaiting: Set<String> = []
        var failure: StoreError?
        var audited: [AuditRecord] = []
        var outbox: [OutboxDraft] = []
        var performed: [String: PerformedProcedureStep] = [:]
    }
    let state = Mutex(State())

    func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T { try run(access, body) }

    func read<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T { try run(access, body) }

    private func run<T: Sendable>(
        _ access: AccessContext, _ body: @Sendable (any UnitOfWork) throws -> T
    ) throws -> T {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            let unit = MemoryUnit(state: state, access: access)
            let result = try body(unit)
            state = unit.state
            return result
        }
    }
}

private final class MemoryUnit: UnitOfWork, PerformedStepUnit {
    var state: MemoryStore.State
    let access: AccessContext
    let time = UTCInstant(microseconds: 1)
    let entropy: any Entropy = CountingEntropy()
    let rules = SiteRules()

    init(state: MemoryStore.State, access: AccessContext) {
        self.state = state
        self.access = access
    }

    func patient(_ id: EntityID) throws -> Patient? { nil }
    func patients(identifiedBy identifier: Identifier) throws -> [Patient] { [] }
    func save(_ patient: Patient) throws {}
    func patients(mergedInto survivor: EntityID) throws -> [Patient] { [] }
    func removePatient(_ id: EntityID) throws {}
    func visit(_ id: EntityID) throws -> Visit? { nil }
    func visits(identifiedBy identifier: Identifier) throws -> [Visit] { [] }
    func visits(of patientID: EntityID) throws -> [Visit] { [] }
    func save(_ visit: Visit) throws {}
    func order(_ id: EntityID) throws -> ImagingOrder? { nil }
    func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder] { [] }
    func orders(studyInstanceUID: String) throws -> [ImagingOrder] { [] }
    func orders(of patientID: EntityID) throws -> [ImagingOrder] { [] }
    func save(_ order: ImagingOrder) throws {}
    func removeOrder(_ id: EntityID) throws {}
    func events(ofOrder id: EntityID) throws -> [OrderEvent] { [] }
    func save(_ events: [OrderEvent], ofOrder id: EntityID) throws {}
    func study(_ studyInstanceUID: String) throws -> Study? { state.studies[studyInstanceUID] }
    func study(id: EntityID) throws -> Study? { nil }
    func studies(of patientID: EntityID) throws -> [Study] { [] }
    func studies(ofOrder orderID: EntityID) throws -> [Study] { [] }
    func awaitPublication(of studyInstanceUID: String, isDue: Bool) throws { state.awaiting.insert(studyInstanceUID) }
    func awaitedPublication(of studyInstanceUID: String) throws -> AwaitedPublication? { nil }
    func awaitedPublications(
        quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int
    ) throws -> [AwaitedPublication] { [] }
    func endAwaiting(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws {}
    func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study] { [] }
    func studies(naming accession: Identifier) throws -> [Study] { [] }
    func note(_ authority: UnknownAuthority) throws {}
    func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws {}
    func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID] { [] }
    func awaitingMessage(_ id: EntityID) throws -> JournaledMessage? { nil }
    func settle(_ message: JournaledMessage) throws {}
    func save(_ study: Study) throws { state.studies[study.studyInstanceUID] = study }
    func series(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> Series? {
        state.series[seriesInstanceUID]
    }
    func series(in studyInstanceUID: String) throws -> [Series] { Array(state.series.values) }
    func save(_ series: Series) throws { state.series[series.seriesInstanceUID] = series }
    func instance(_ sopInstanceUID: String) throws -> Instance? { state.instances[sopInstanceUID] }
    func instances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> [Instance] {
        state.instances.values.filter { $0.seriesInstanceUID == seriesInstanceUID }
            .sorted { $0.sopInstanceUID < $1.sopInstanceUID }
    }
    func insert(_ received: ReceivedInstance) throws {
        state.instances[received.instance.sopInstanceUID] = received.instance
    }
    func removeInstance(_ instance: Instance) throws { state.instances[instance.sopInstanceUID] = nil }
    func note(_ conflict: InstanceConflict) throws { state.conflicts.append(conflict) }
    func report(_ id: EntityID) throws -> Report? { nil }
    func reports(identifiedBy identifier: Identifier) throws -> [Report] { [] }
    func reports(of patientID: EntityID) throws -> [Report] { [] }
    func reports(ofOrder orderID: EntityID) throws -> [Report] { [] }
    func save(_ report: Report) throws {}
    func removeReport(_ id: EntityID) throws {}
    func performedStep(_ uid: String) throws -> PerformedProcedureStep? { state.performed[uid] }
    func save(_ step: PerformedProcedureStep) throws { state.performed[step.sopInstanceUID] = step }
    func journaledMessage(sender: String, controlID: String) throws -> [JournaledMessage] { [] }
    func journal(_ message: JournaledMessage) throws {}
    func enqueue(_ draft: OutboxDraft) { state.outbox.append(draft) }
    func emit(_ event: DomainEvent) {
        if case .studyChanged(let uid) = event { state.published.append(uid) }
    }
    func audit(_ record: AuditRecord) throws { state.audited.append(record) }
}

/// Blobs in memory; how many are being written and how many are durable can be seen.
final class MemoryBlobs: BlobStoring {
    struct State {
        var incoming: Set<String> = []
        var durable: [String: [UInt8]] = [:]
        var next = 0
        /// Thrown by the append that goes over this many bytes.
        var bytesMax = Int.max
    }
    let state = Mutex(State())
    /// Waited for by `finish`.
    let gate: Gate?
    init(gate: Gate? = nil) { self.gate = gate }

    func create() throws -> any BlobWriting {
        let id = state.withLock { state in
            state.next += 1
            let id = "blob-\(state.next)"
            state.incoming.insert(id)
            return id
        }
        return Writer(store: self, id: BlobID(id))
    }
    func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value {
        guard let bytes = state.withLock({ $0.durable[id.value] }) else { throw StoreError(.notFound, "test") }
        return try work(Reader(bytes: bytes))
    }
    func remove(_ id: BlobID) async throws { state.withLock { $0.durable[id.value] = nil } }

    private final class Writer: BlobWriting {
        let id: BlobID
        private let store: MemoryBlobs
        private let bytes = Mutex<[UInt8]>([])
        init(store: MemoryBlobs, id: BlobID) {
            self.store = store
            self.id = id
        }
        var count: Int64 { Int64(bytes.withLock { $0.count }) }
        func append(_ bytes: UnsafeRawBufferPointer) throws {
            let total = self.bytes.withLock { all in
                all.append(contentsOf: bytes)
                return all.count
            }
            if total > store.state.withLock({ $0.bytesMax }) { throw StoreError(.full, "test") }
        }
        func finish() async throws {
            await store.gate?.wait()
            let bytes = bytes.withLock { $0 }
            store.state.withLock { state in
                state.incoming.remove(id.value)
                state.durable[id.value] = bytes
            }
        }
        func abort() { store.state.withLock { state in _ = state.incoming.remove(id.value) } }
    }

    private struct Reader: BlobReading {
        let bytes: [UInt8]
        var count: Int64 { Int64(bytes.count) }
        func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try work()
        }
        func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
            target.copyBytes(from: bytes[Int(offset)..<Int(offset) + target.count])
        }
    }
}
