import Access
import Workflow

/// A unit of work over a ``MemoryState``.
package final class MemoryUnit: UnitOfWork, PerformedStepUnit, ToldUnit {
    package var state: MemoryState
    package let entropy: any Entropy
    package let access: AccessContext
    package var rules = SiteRules()

    package init(
        _ state: MemoryState = MemoryState(), entropy: any Entropy = SeededEntropy(),
        access: AccessContext = .server(requestID: "test")
    ) {
        self.state = state
        self.entropy = entropy
        self.access = access
    }

    package var time: UTCInstant {
        get { state.time }
        set { state.time = newValue }
    }
    package var patients: [Patient] { state.patients }
    package var visits: [Visit] { state.visits }
    package var orders: [ImagingOrder] { state.orders }
    package var reports: [Report] { state.reports }
    package var studies: [Study] { state.studies }
    package var allSeries: [Series] { state.series }

    package func takeEvents() -> [DomainEvent] {
        defer { state.events = [] }
        return state.events
    }

    package func emit(_ event: DomainEvent) { state.events.append(event) }
    package func audit(_ record: AuditRecord) throws { state.audits.append(record) }
    package func enqueue(_ draft: OutboxDraft) { state.outbox.append(draft) }
    package func note(_ authority: UnknownAuthority) throws { state.unknownAuthorities.insert(authority) }
}

/// Patients and visits.
extension MemoryUnit {
    package func patient(_ id: EntityID) throws -> Patient? { state.patients.first { $0.id == id } }
    package func patients(identifiedBy identifier: Identifier) throws -> [Patient] {
        state.patients.filter { $0.identifiers.contains { $0.matches(identifier) } }
    }
    package func save(_ patient: Patient) throws {
        MemoryState.put(patient, in: &state.patients) { $0.id == patient.id }
    }
    package func patients(mergedInto survivor: EntityID) throws -> [Patient] {
        state.patients.filter { $0.mergedInto == survivor }
    }
    package func removePatient(_ id: EntityID) throws { state.patients.removeAll { $0.id == id } }
    package func visit(_ id: EntityID) throws -> Visit? { state.visits.first { $0.id == id } }
    package func visits(identifiedBy identifier: Identifier) throws -> [Visit] {
        state.visits.filter { $0.identifier?.matches(identifier) == true }
    }
    package func visits(of patientID: EntityID) throws -> [Visit] { state.visits.filter { $0.patientID == patientID } }
    package func newestOpenVisit(of patientID: EntityID) throws -> Visit? {
        try visits(of: patientID).last(where: \.status.isOpen)
    }
    package func save(_ visit: Visit) throws { MemoryState.put(visit, in: &state.visits) { $0.id == visit.id } }
}

/// Orders, performed steps and reports.
extension MemoryUnit {
    package func order(_ id: EntityID) throws -> ImagingOrder? { state.orders.first { $0.id == id } }
    package func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder] {
        state.orders.filter { order in
            let own =
                switch role {
                case .placer: order.placer
                case .filler: order.filler
                case .accession: order.accession
                }
            return own?.matches(identifier) == true
        }
    }
    package func orders(studyInstanceUID: String) throws -> [ImagingOrder] {
        state.orders.filter { $0.studyInstanceUID == studyInstanceUID }
    }
    package func orders(of patientID: EntityID) throws -> [ImagingOrder] {
        state.orders.filter { $0.patientID == patientID }
    }
    package func save(_ order: ImagingOrder) throws { MemoryState.put(order, in: &state.orders) { $0.id == order.id } }
    package func removeOrder(_ id: EntityID) throws {
        state.orders.removeAll { $0.id == id }
        state.orderEvents[id] = nil
    }
    package func events(ofOrder id: EntityID) throws -> [OrderEvent] { state.orderEvents[id] ?? [] }
    package func save(_ events: [OrderEvent], ofOrder id: EntityID) throws { state.orderEvents[id] = events }

    package func performedStep(_ sopInstanceUID: String) throws -> PerformedProcedureStep? {
        state.performed[sopInstanceUID]
    }
    package func save(_ step: PerformedProcedureStep) throws { state.performed[step.sopInstanceUID] = step }

    package func report(_ id: EntityID) throws -> Report? { state.reports.first { $0.id == id } }
    package func reports(identifiedBy identifier: Identifier) throws -> [Report] {
        state.reports.filter { $0.filler?.matches(identifier) == true || $0.placer?.matches(identifier) == true }
    }
    package func reports(of patientID: EntityID) throws -> [Report] {
        state.reports.filter { $0.patientID == patientID }
    }
    package func reports(ofOrder orderID: EntityID) throws -> [Report] {
        state.reports.filter { $0.orderID == orderID }
    }
    package func reports(on order: ImagingOrder) throws -> [Report] {
        try reports(of: order.patientID).filter { $0.orderIDs.contains(order.id) }
    }
    package func save(_ report: Report) throws { MemoryState.put(report, in: &state.reports) { $0.id == report.id } }
    package func removeReport(_ id: EntityID) throws { state.reports.removeAll { $0.id == id } }
}

/// Messages, and what was told of them.
extension MemoryUnit {
    package func journaledMessage(sender: String, controlID: String) throws -> [JournaledMessage] {
        state.messages.filter { $0.sender == sender && $0.controlID == controlID }
    }
    package func journal(_ message: JournaledMessage) throws { state.messages.append(message) }
    package func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws {
        state.awaitingMerge[messageID] = patientNumbers
    }
    package func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID] {
        state.messages.map(\.id).filter { id in
            state.awaitingMerge[id]?.contains { own in patientNumbers.contains { $0.matches(own) } } == true
        }
    }
    package func awaitingMessage(_ id: EntityID) throws -> JournaledMessage? {
        state.messages.first { $0.id == id && state.awaitingMerge[id] != nil }
    }
    package func settle(_ message: JournaledMessage) throws {
        state.awaitingMerge[message.id] = nil
        if let index = state.messages.firstIndex(where: { $0.id == message.id }) { state.messages[index] = message }
    }

    package func told(_ subject: String, to destination: String) throws -> Told? {
        state.told.first { $0.subject == subject && $0.destination == destination }
    }
    package func save(_ told: Told) throws {
        MemoryState.put(told, in: &state.told) {
            $0.subject == told.subject && $0.destination == told.destination
        }
    }
    package func joinTelling(of orderingKey: String, into other: String, to destination: String) throws {
        for index in state.outbox.indices
        where state.outbox[index].destination == destination && state.outbox[index].orderingKey == orderingKey {
            state.outbox[index].orderingKey = other
        }
    }
    package func forget(_ told: Told) throws {
        state.told.removeAll { $0.subject == told.subject && $0.destination == told.destination }
    }
}
