/// Keeps orders and their scheduled steps, and decides which transitions are legal. HL7 v2.5.1 §4.5, IHE RAD-2 to RAD-4, RAD-13.
package struct OrderService: Sendable {
    package init() {}

    /// What an update did. `notes` are for the sender or the log, without clinical values.
    package struct Outcome: Sendable, Hashable {
        package enum Result: Sendable, Hashable {
            case created, updated, unchanged
            /// Older than the order's state, or a late event for a closed order: nothing of the state changed.
            case stale
        }
        package var result: Result
        /// The orders that the event speaks of: several where a placer order holds several procedures. At least one.
        package var orderIDs: [EntityID]
        package var notes: [String]
        package var orderID: EntityID { orderIDs[0] }
    }

    /// Why an update was refused; nothing was changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// The message names no patient that can be matched.
        case unidentifiedPatient
        case ambiguousPatient
        /// One patient number names a record, but its authority or another gave that record a different one.
        case contradictoryPatient
        /// The message names no patient, and its numbers no order.
        case unknownOrder
        /// Filler, placer and accession number lead to different orders.
        case conflictingIdentifiers
        /// The order found is another patient's.
        case patientMismatch
        /// The accession number is in use for another patient.
        case accessionOfAnotherPatient
        /// Neither placer, filler nor accession number.
        case unidentifiedOrder
        /// An identifier is longer than its DICOM value may be (accession 16, study UID 64).
        case identifierTooLong(String)

        /// Whether two records were taken for two people's: when they are merged, the same update may pass.
        package var isEndedByMerge: Bool {
            switch self {
            case .ambiguousPatient, .contradictoryPatient, .patientMismatch, .accessionOfAnotherPatient: true
            case .unidentifiedPatient, .unknownOrder, .conflictingIdentifiers, .unidentifiedOrder, .identifierTooLong:
                false
            }
        }
    }

    /// Applies one order event. Throws ``Refusal`` for what must be answered as an error.
    package func apply(_ update: OrderUpdate, in unit: any UnitOfWork) throws -> Outcome {
        try Self.checkLengths(update)
        guard update.placer != nil || update.filler != nil || update.accession != nil else {
            throw Refusal.unidentifiedOrder
        }
        return try apply(update, of: try patient(of: update, in: unit), in: unit)
    }

    /// Applies an event of a patient who is known.
    func apply(_ update: OrderUpdate, of patientID: EntityID, in unit: any UnitOfWork) throws -> Outcome {
        let related = try self.related(to: update, of: patientID, in: unit)
        let histories = try related.map { try history(of: $0, in: unit) }
        let event = Self.event(update, after: histories, in: unit)
        var seen: Set<OrderEvent> = []
        let known = histories.joined().filter { seen.insert($0).inserted }
        let isRepeated = known.contains { $0.saysTheSame(as: event) }

        let procedures = OrderedProcedure.all(in: isRepeated ? known : known + [event], of: related)
        let before = procedures.count > 1 ? OrderedProcedure.all(in: known, of: related) : []
        let (stored, left) = OrderedProcedure.stored(procedures, among: related)
        let named = procedures.filter { procedure in procedure.events.contains { $0.saysTheSame(as: event) } }
        try Self.checkConflict(update, named: named, procedures: procedures, related: related)
        var outcome = Outcome(result: .unchanged, orderIDs: [], notes: [])
        var results: [Outcome.Result] = []
        for (procedure, stored) in zip(procedures, stored) {
            let isNamed = named.contains { $0.key == procedure.key }
            // What the message does not name is made again only where it tells something of it all the same.
            let isAsBefore =
                before.contains(procedure)
                && zip(related, histories).contains { $0.id == stored?.id && $1 == procedure.events }
            if isNamed || !isAsBefore {
                let result = try put(procedure, stored, by: event, of: patientID, in: unit, notes: &outcome.notes)
                if isNamed {
                    outcome.orderIDs.append(result.id)
                    results.append(result.result)
                }
            }
        }
        // An event that proved two records to be one order leaves one of them over.
        for absorbed in left {
            guard let survivor = try unit.order(outcome.orderIDs.first ?? absorbed.id) else { continue }
            try absorb(absorbed, into: survivor, in: unit)
        }
        let precedence: [Outcome.Result] = [.created, .updated, .stale, .unchanged]
        outcome.result = precedence.first(where: results.contains) ?? .unchanged
        return outcome
    }

    // MARK: Matching

    /// The patient that the message names; where it names none, the one whose order its numbers name.
    private func patient(of update: OrderUpdate, in unit: any UnitOfWork) throws -> EntityID {
        if let named = update.patient {
            let identified = try PatientService().identify(named, in: unit)
            if let id = identified.patientID { return id }
            switch identified {
            case .ambiguous: throw Refusal.ambiguousPatient
            case .contradicted: throw Refusal.contradictoryPatient
            default: throw Refusal.unidentifiedPatient
            }
        }
        let patients = Set(try numbered(by: update, in: unit).map(\.patientID))
        if patients.count > 1 { throw Refusal.conflictingIdentifiers }
        guard let only = patients.first else { throw Refusal.unknownOrder }
        return only
    }

    /// All orders that carry one of the numbers, oldest first.
    private func numbered(by update: OrderUpdate, in unit: any UnitOfWork) throws -> [ImagingOrder] {
        var found: [ImagingOrder] = []
        for (number, role) in [
            (update.filler, OrderIdentifierRole.filler), (update.placer, .placer), (update.accession, .accession),
        ] {
            guard let number else { continue }
            for order in try unit.orders(identifiedBy: number, as: role)
            where !found.contains(where: { $0.id == order.id }) {
                found.append(order)
            }
        }
        return found
    }

    /// The patient's orders that carry one of the numbers. Throws when one of them is another patient's.
    package func related(to update: OrderUpdate, of patientID: EntityID, in unit: any UnitOfWork) throws
        -> [ImagingOrder]
    {
        let found = try numbered(by: update, in: unit)
        for order in found where order.patientID != patientID {
            let isByNumber =
                update.filler.map { order.filler?.matches($0) == true } == true
                || update.placer.map { order.placer?.matches($0) == true } == true
            throw isByNumber ? Refusal.patientMismatch : Refusal.accessionOfAnotherPatient
        }
        return found
    }

    /// What was said of an order. Of one that an earlier version kept: what it then was.
    private func history(of order: ImagingOrder, in unit: any UnitOfWork) throws -> [OrderEvent] {
        let events = try unit.events(ofOrder: order.id)
        guard events.isEmpty else { return events }
        let time = unit.comparable(order.eventTime) ?? .distantPast
        return [OrderEvent(.stated(order), time: time, receivedAt: time)]
    }

    /// The event of a message. One without a time, or with one that cannot be believed, happens as it comes.
    private static func event(_ update: OrderUpdate, after histories: [[OrderEvent]], in unit: any UnitOfWork)
        -> OrderEvent
    {
        var said = update
        said.patient = nil
        said.eventTime = nil
        said.messageTime = unit.credible(update.messageTime)
        let latest = histories.joined().map(\.time).max()
        let time = unit.credible(update.eventTime) ?? max(unit.time, latest ?? unit.time)
        return OrderEvent(.said(said), time: time, receivedAt: unit.time)
    }

    /// Refuses numbers that lead to different orders.
    private static func checkConflict(
        _ update: OrderUpdate, named: [OrderedProcedure], procedures: [OrderedProcedure], related: [ImagingOrder]
    ) throws {
        if update.placer == nil, update.filler == nil, named.count > 1 {
            // An accession number that several orders share names none of them.
            let fillers = Set(named.compactMap(\.key.filler)), placers = Set(named.compactMap(\.key.placer))
            if fillers.count > 1 || placers.count > 1 { throw Refusal.conflictingIdentifiers }
        }
        guard let placer = update.placer, let filler = update.filler else { return }
        let ofPlacer = related.filter { $0.placer?.matches(placer) == true }
        // The filler number is of one order and the placer number only of others.
        let isElsewhere = named.allSatisfy { $0.key.placer?.matches(placer) != true }
        if !ofPlacer.isEmpty, isElsewhere, related.contains(where: { $0.filler?.matches(filler) == true }) {
            throw Refusal.conflictingIdentifiers
        }
    }

    // MARK: Changing

    /// Makes or changes the order of one procedure.
    private func put(
        _ procedure: OrderedProcedure, _ stored: ImagingOrder?, by event: OrderEvent, of patientID: EntityID,
        in unit: any UnitOfWork, notes: inout [String]
    ) throws -> (id: EntityID, result: Outcome.Result) {
        let id = stored?.id ?? unit.entropy.newID()
        var order = procedure.order(of: patientID, stored: stored, id: id) { unit.entropy.newID() }
        if order.studyInstanceUID == nil, !order.steps.isEmpty { order.studyInstanceUID = unit.entropy.newUID() }
        try Self.linkVisit(&order, in: unit)
        unit.showStarts(of: &order)
        let control = event.said?.control
        guard let stored else {
            if let control, control != .new, control != .mentioned {
                notes.append("order was not known: created from a \(control.rawValue) event")
            }
            try save(order, instead: nil, events: procedure.events, shared: procedure.shared, in: unit)
            return (id, .created)
        }
        if let said = event.said { Self.note(said, order, &notes) }
        let isOlder = PatientService.isOlder(event.time, than: unit.comparable(stored.eventTime))
        let stated = event.said?.statedStatus
        let isKept =
            stored.status.isTerminal && order.status == stored.status && control != .mentioned
            && (stated != stored.status) && (control != .change || stated != nil)
        if isOlder || isKept {
            notes.append(isOlder ? "older than the stored order: state kept" : "order is closed: state kept")
        }
        // A mention that adds nothing now never will: what it says stands behind all else.
        if control == .mentioned, event.said?.status == nil {
            var comparable = order
            comparable.eventTime = stored.eventTime
            if comparable == stored { return (id, .unchanged) }
        }
        let isChanged = try save(
            order, instead: stored, events: procedure.events, shared: procedure.shared, in: unit)
        return (id, isOlder || isKept ? .stale : isChanged ? .updated : .unchanged)
    }

    /// The order's visit is the one it names: known, or still to come.
    private static func linkVisit(_ order: inout ImagingOrder, in unit: any UnitOfWork) throws {
        guard let number = order.visitNumber else { return }
        let named = try unit.visits(identifiedBy: number).first { $0.patientID == order.patientID }
        order.visitID = named?.id
    }

    private static func note(_ said: OrderUpdate, _ order: ImagingOrder, _ notes: inout [String]) {
        if let uid = said.studyInstanceUID, let stored = order.studyInstanceUID, uid != stored {
            notes.append("study instance UID differs from the stored one: stored one kept")
        }
        if let accession = said.accession, let stored = order.accession, !accession.matches(stored) {
            notes.append("accession number differs from the stored one: stored one kept")
        }
        if let placer = said.placer, let stored = order.placer, !placer.matches(stored) {
            notes.append("placer number differs from the stored one: stored one kept")
        }
    }

    /// Saves an order with its events where it differs; true when its content does.
    ///
    /// - Parameter shared: those of the events that speak of other orders as well.
    @discardableResult
    func save(
        _ order: ImagingOrder, instead stored: ImagingOrder?, events: [OrderEvent], shared: Set<OrderEvent> = [],
        in unit: any UnitOfWork
    ) throws -> Bool {
        var comparable = order
        comparable.eventTime = stored?.eventTime ?? order.eventTime
        let isChanged = comparable != stored
        let known = try stored.map { try unit.events(ofOrder: $0.id) } ?? []
        if known != events { try unit.save(Self.compacted(events, shared, of: order, in: unit), ofOrder: order.id) }
        if order != stored { try unit.save(order) }
        guard isChanged else { return false }
        unit.emit(.orderChanged(order.id))
        for step in stored?.steps ?? [] where !order.steps.contains(where: { $0.id == step.id }) {
            unit.emit(.stepRemoved(step.id))
        }
        if stored == nil || order.accession != stored?.accession
            || order.studyInstanceUID != stored?.studyInstanceUID || order.patientID != stored?.patientID
        {
            try StudyService().reconsider(after: order, instead: stored, in: unit)
        }
        return true
    }

    /// How many events of one order are kept one by one.
    static let eventsMax = 64

    /// The older half of a history that has grown too long, as the order that it made.
    private static func compacted(
        _ events: [OrderEvent], _ shared: Set<OrderEvent>, of order: ImagingOrder, in unit: any UnitOfWork
    ) -> [OrderEvent] {
        guard events.count > eventsMax else { return events }
        let old = Array(events.prefix(events.count / 2))
        guard let last = old.last else { return events }
        let made = OrderedProcedure(key: OrderKey(order), events: old, shared: shared)
            .order(of: order.patientID, stored: order, id: order.id) { unit.entropy.newID() }
        return [OrderEvent(.stated(made), time: last.time, receivedAt: last.receivedAt)] + events.dropFirst(old.count)
    }

    /// Joins the record of one order to another: what belonged to it belongs to the other, and it is gone.
    private func absorb(_ order: ImagingOrder, into survivor: ImagingOrder, in unit: any UnitOfWork) throws {
        try ReportService().move(from: order.id, to: survivor, in: unit)
        try StudyService().move(from: order, to: survivor, in: unit)
        var kept = survivor
        if kept.visitID == nil { kept.visitID = order.visitID }
        if kept != survivor { try unit.save(kept) }
        try unit.removeOrder(order.id)
        unit.emit(.orderRemoved(order.id, steps: order.steps.map(\.id)))
        // What two orders could both have claimed is now the one's.
        try StudyService().reconsider(after: kept, instead: order, in: unit)
    }

    /// Identifiers are refused when too long for their DICOM attribute, never cut. PS3.5 §6.2 (SH 16, UI 64).
    private static func checkLengths(_ update: OrderUpdate) throws {
        if let accession = update.accession, accession.value.count > 16 {
            throw Refusal.identifierTooLong("accession number")
        }
        if let uid = update.studyInstanceUID, uid.utf8.count > 64 {
            throw Refusal.identifierTooLong("study instance UID")
        }
    }
}
