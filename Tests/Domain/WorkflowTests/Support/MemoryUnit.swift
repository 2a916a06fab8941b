import Access
import Synchronization
import Workflow

/// A unit of work over dictionaries, for tests of the domain alone. Lists come in the order of first saving.
final class MemoryUnit: UnitOfWork {
    var time = UTCInstant(microseconds: 1_000_000)
    let entropy: any Entropy
    let access = AccessContext.server(requestID: "test")
    var rules = SiteRules()
    private(set) var events: [DomainEvent] = []
    private(set) var audits: [AuditRecord] = []

    private(set) var patients: [Patient] = []
    private(set) var visits: [Visit] = []
    private(set) var orders: [ImagingOrder] = []
    private(set) var orderEvents: [EntityID: [OrderEvent]] = [:]
    private(set) var unknownAuthorities: Set<UnknownAuthority> = []
    private(set) var studies: [Study] = []
    private(set) var allSeries: [Series] = []
    private(set) var publications: [String: AwaitedPublication] = [:]
    private(set) var received: [ReceivedInstance] = []
    private(set) var reports: [Report] = []
    private(set) var messages: [JournaledMessage] = []

    init(seed: UInt64 = 1) { entropy = SeededEntropy(seed: seed) }

    func takeEvents() -> [DomainEvent] {
        defer { events = [] }
        return events
    }

    private static func put<Value>(_ value: Value, in list: inout [Value], where isSame: (Value) -> Bool) {
        if let index = list.firstIndex(where: isSame) { list[index] = value } else { list.append(value) }
    }

    func patient(_ id: EntityID) throws -> Patient? { patients.first { $0.id == id } }
    func patients(identifiedBy identifier: Identifier) throws -> [Patient] {
        patients.filter { $0.identifiers.contains { $0.matches(identifier) } }
    }
    func save(_ patient: Patient) throws { Self.put(patient, in: &patients) { $0.id == patient.id } }
    func patients(mergedInto survivor: EntityID) throws -> [Patient] { patients.filter { $0.mergedInto == survivor } }
    func removePatient(_ id: EntityID) throws { patients.removeAll { $0.id == id } }
    func visit(_ id: EntityID) throws -> Visit? { visits.first { $0.id == id } }
    func visits(identifiedBy identifier: Identifier) throws -> [Visit] {
        visits.filter { $0.identifier?.matches(identifier) == true }
    }
    func visits(of patientID: EntityID) throws -> [Visit] { visits.filter { $0.patientID == patientID } }
    func save(_ visit: Visit) throws { Self.put(visit, in: &visits) { $0.id == visit.id } }

    func order(_ id: EntityID) throws -> ImagingOrder? { orders.first { $0.id == id } }
    func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder] {
        orders.filter { order in
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
        orders.filter { $0.studyInstanceUID == studyInstanceUID }
    }
    func orders(of patientID: EntityID) throws -> [ImagingOrder] { orders.filter { $0.patientID == patientID } }
    func save(_ order: ImagingOrder) throws { Self.put(order, in: &orders) { $0.id == order.id } }
    func removeOrder(_ id: EntityID) throws {
        orders.removeAll { $0.id == id }
        orderEvents[id] = nil
    }
    func events(ofOrder id: EntityID) throws -> [OrderEvent] { orderEvents[id] ?? [] }
    func save(_ events: [OrderEvent], ofOrder id: EntityID) throws { orderEvents[id] = events }
    func note(_ authority: UnknownAuthority) throws { unknownAuthorities.insert(authority) }

    func study(_ studyInstanceUID: String) throws -> Study? {
        studies.first { $0.studyInstanceUID == studyInstanceUID }
    }
    func study(id: EntityID) throws -> Study? { studies.first { $0.id == id } }
    func studies(of patientID: EntityID) throws -> [Study] {
        studies.filter { $0.reconciliation.patientID == patientID }
    }
    func studies(ofOrder orderID: EntityID) throws -> [Study] {
        studies.filter { study in
            allSeries.contains { $0.studyInstanceUID == study.studyInstanceUID && $0.reconciliation.orderID == orderID }
        }
    }
    func awaitPublication(of studyInstanceUID: String, isDue: Bool) throws {
        var awaited =
            publications[studyInstanceUID]
            ?? AwaitedPublication(studyInstanceUID: studyInstanceUID, since: time, changedAt: time)
        if isDue { awaited.since = AwaitedPublication.due }
        awaited.changedAt = time
        publications[studyInstanceUID] = awaited
    }
    func awaitedPublication(of studyInstanceUID: String) throws -> AwaitedPublication? {
        publications[studyInstanceUID]
    }
    func awaitedPublications(
        quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int
    ) throws -> [AwaitedPublication] {
        let due = publications.values.filter { $0.changedAt <= quietSince || $0.since <= waitingSince }
        return Array(due.sorted { ($0.since, $0.studyInstanceUID) < ($1.since, $1.studyInstanceUID) }.prefix(limit))
    }
    func endAwaiting(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws {
        guard var current = publications[awaited.studyInstanceUID] else { return }
        current.since = seenAt
        publications[awaited.studyInstanceUID] = current.changedAt == awaited.changedAt ? nil : current
    }
    func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study] {
        studies.filter { study in
            allSeries.contains { series in
                let attributes = series.attributes
                let byAccession = accession.map {
                    attributes.accessionNumber == $0.value && attributes.accessionSystem == $0.system
                }
                let byPatient = patient.map {
                    attributes.patientID == $0.value && attributes.patientIDSystem == $0.system
                }
                return series.studyInstanceUID == study.studyInstanceUID && series.reconciliation.isQuarantined
                    && (byAccession == true || byPatient == true)
            }
        }
    }
    func studies(naming accession: Identifier) throws -> [Study] {
        studies.filter { study in
            allSeries.contains {
                $0.studyInstanceUID == study.studyInstanceUID && $0.attributes.accessionNumber == accession.value
                    && $0.attributes.accessionSystem == accession.system
            }
        }
    }
    func save(_ study: Study) throws { Self.put(study, in: &studies) { $0.id == study.id } }
    func series(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> Series? {
        allSeries.first { $0.seriesInstanceUID == seriesInstanceUID && $0.studyInstanceUID == studyInstanceUID }
    }
    func series(in studyInstanceUID: String) throws -> [Series] {
        allSeries.filter { $0.studyInstanceUID == studyInstanceUID }
    }
    func save(_ series: Series) throws {
        Self.put(series, in: &allSeries) {
            $0.seriesInstanceUID == series.seriesInstanceUID && $0.studyInstanceUID == series.studyInstanceUID
        }
    }
    func instance(_ sopInstanceUID: String) throws -> Instance? {
        received.first { $0.instance.sopInstanceUID == sopInstanceUID }?.instance
    }
    func instances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> [Instance] {
        received.map(\.instance).filter {
            $0.seriesInstanceUID == seriesInstanceUID && $0.studyInstanceUID == studyInstanceUID
        }
    }
    func insert(_ received: ReceivedInstance) throws { self.received.append(received) }
    func removeInstance(_ instance: Instance) throws {
        received.removeAll { $0.instance.sopInstanceUID == instance.sopInstanceUID }
    }
    var conflicts: [InstanceConflict] = []
    func note(_ conflict: InstanceConflict) throws { conflicts.append(conflict) }

    func report(_ id: EntityID) throws -> Report? { reports.first { $0.id == id } }
    func reports(identifiedBy identifier: Identifier) throws -> [Report] {
        reports.filter { $0.filler?.matches(identifier) == true || $0.placer?.matches(identifier) == true }
    }
    func reports(of patientID: EntityID) throws -> [Report] { reports.filter { $0.patientID == patientID } }
    func reports(ofOrder orderID: EntityID) throws -> [Report] { reports.filter { $0.orderID == orderID } }
    func save(_ report: Report) throws { Self.put(report, in: &reports) { $0.id == report.id } }
    func removeReport(_ id: EntityID) throws { reports.removeAll { $0.id == id } }

    func journaledMessage(sender: String, controlID: String) throws -> [JournaledMessage] {
        messages.filter { $0.sender == sender && $0.controlID == controlID }
    }
    func journal(_ message: JournaledMessage) throws { messages.append(message) }
    func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws {}
    func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID] { [] }
    func awaitingMessage(_ id: EntityID) throws -> JournaledMessage? { nil }
    func settle(_ message: JournaledMessage) throws {}

    func enqueue(_ draft: OutboxDraft) {}
    func emit(_ event: DomainEvent) { events.append(event) }
    func audit(_ record: AuditRecord) throws { audits.append(record) }
}

/// Repeatable bytes: SplitMix64.
final class SeededEntropy: Entropy {
    private let state: Mutex<UInt64>
    init(seed: UInt64) { state = Mutex(seed) }
    func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            (0..<count).map { _ in
                state &+= 0x9E37_79B9_7F4A_7C15
                var word = state
                word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
                word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
                return UInt8(truncatingIfNeeded: word >> 32)
            }
        }
    }
}
