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
        package var orderID: EntityID
        package var notes: [String]
    }

    /// Why an update was refused; nothing was changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// The message names no patient that can be matched.
        case unidentifiedPatient
        case ambiguousPatient
        /// Filler, placer and accession number lead to different orders.
        case conflictingIdentifiers
        /// The order found is another patient's.
        case patientMismatch
        /// The accession number is in use for another patient.
        case accessionOfAnotherPatient
        /// Neither placer, filler nor accession number.
        case unidentifiedOrder
        /// An identifier is longer than its DICOM value may be (accession 16, study UID 64, step id 16).
        case identifierTooLong(String)
    }

    /// Applies one order event. Throws ``Refusal`` for what must be answered as an error.
    package func apply(_ update: OrderUpdate, in unit: any UnitOfWork) throws -> Outcome {
        try Self.checkLengths(update)
        let patients = PatientService()
        let identified = try patients.identify(update.patient, in: unit)
        guard let patientID = identified.patientID else {
            if case .ambiguous = identified { throw Refusal.ambiguousPatient }
            throw Refusal.unidentifiedPatient
        }
        guard update.placer != nil || update.filler != nil || update.accession != nil else { throw Refusal.unidentifiedOrder }
        let existing = try find(update, patientID: patientID, in: unit)
        var visitID = existing?.visitID
        if let visit = update.visit, let known = try unit.visits(identifiedBy: visit).first, known.patientID == patientID {
            visitID = known.id
        }
        if let old = existing {
            return try change(old, by: update, visitID: visitID, in: unit)
        }
        return try create(update, patientID: patientID, visitID: visitID, in: unit)
    }

    // MARK: Matching

    /// The stored order that the identifiers name: filler first, then placer, then accession number.
    package func find(_ update: OrderUpdate, patientID: EntityID, in unit: any UnitOfWork) throws -> ImagingOrder? {
        var found: [EntityID: ImagingOrder] = [:]
        if let filler = update.filler {
            for order in try unit.orders(identifiedBy: filler, as: .filler) { found[order.id] = order }
        }
        if let placer = update.placer {
            for order in try unit.orders(identifiedBy: placer, as: .placer) { found[order.id] = order }
        }
        if found.count > 1 { throw Refusal.conflictingIdentifiers }
        if let accession = update.accession {
            let byAccession = try unit.orders(identifiedBy: accession, as: .accession)
            if byAccession.contains(where: { $0.patientID != patientID }) { throw Refusal.accessionOfAnotherPatient }
            // Several orders may share an accession number; it finds an order only when nothing better names one
            // and the stored order lacks the number that the message brings.
            if found.isEmpty {
                let candidates = byAccession.filter {
                    (update.filler == nil || $0.filler == nil) && (update.placer == nil || $0.placer == nil)
                }
                if candidates.count > 1 { throw Refusal.conflictingIdentifiers }
                if let only = candidates.first { found[only.id] = only }
            }
        }
        guard let order = found.values.first else { return nil }
        guard order.patientID == patientID else { throw Refusal.patientMismatch }
        return order
    }

    // MARK: Changing

    private func create(
        _ update: OrderUpdate, patientID: EntityID, visitID: EntityID?, in unit: any UnitOfWork
    ) throws -> Outcome {
        var notes: [String] = []
        if update.control != .new { notes.append("order was not known: created from a \(update.control.rawValue) event") }
        var order = ImagingOrder(
            id: unit.entropy.newID(), patientID: patientID, visitID: visitID, status: Self.status(after: update, from: nil),
            code: update.code ?? CodedConcept())
        Self.fill(&order, from: update)
        order.studyInstanceUID = update.studyInstanceUID ?? unit.entropy.newUID()
        mergeSteps(&order, update: update, in: unit)
        try unit.save(order)
        unit.emit(.orderChanged(order.id))
        try reconcile(order, in: unit)
        return Outcome(result: .created, orderID: order.id, notes: notes)
    }

    private func change(
        _ old: ImagingOrder, by update: OrderUpdate, visitID: EntityID?, in unit: any UnitOfWork
    ) throws -> Outcome {
        var notes: [String] = []
        var order = old
        let isOlder = PatientService.isOlder(update.eventTime, than: old.eventTime)
        let isNewer = update.eventTime.map { time in old.eventTime.map { time > $0 } ?? true } ?? false
        let mayReopen = update.control == .change && isNewer
        let isClosed = old.status.isTerminal && !mayReopen && !Self.status(after: update, from: old.status).isTerminal
        let isStale = isOlder || isClosed
        if isStale {
            // A late message may still bring a number that was missing.
            order.placer = order.placer ?? update.placer
            order.filler = order.filler ?? update.filler
            order.accession = order.accession ?? update.accession
            notes.append(isOlder ? "older than the stored order: state kept" : "order is closed: state kept")
        } else {
            order.status = Self.status(after: update, from: old.status)
            order.visitID = visitID
            Self.fill(&order, from: update)
            mergeSteps(&order, update: update, in: unit)
        }
        if let uid = update.studyInstanceUID, let stored = order.studyInstanceUID, uid != stored {
            notes.append("study instance UID differs from the stored one: stored one kept")
        }
        var comparable = order
        comparable.eventTime = old.eventTime
        if comparable == old {
            if order != old { try unit.save(order) }
            return Outcome(result: isStale ? .stale : .unchanged, orderID: old.id, notes: notes)
        }
        try unit.save(order)
        unit.emit(.orderChanged(order.id))
        if order.accession != old.accession { try reconcile(order, in: unit) }
        return Outcome(result: isStale ? .stale : .updated, orderID: order.id, notes: notes)
    }

    /// The status that follows from what is asked, what the sender states, and what is stored.
    static func status(after update: OrderUpdate, from old: ImagingOrder.Status?) -> ImagingOrder.Status {
        switch update.control {
        case .cancel, .discontinue: .revoked
        case .hold: .onHold
        case .release: .active
        case .new, .change, .statusChanged: update.status ?? (old.map { $0 == .onHold ? .onHold : $0 } ?? .active)
        }
    }

    private static func fill(_ order: inout ImagingOrder, from update: OrderUpdate) {
        order.placer = update.placer ?? order.placer
        order.filler = update.filler ?? order.filler
        order.accession = order.accession ?? update.accession
        order.requisition = update.requisition ?? order.requisition
        order.requestedProcedureID = update.requestedProcedureID ?? order.requestedProcedureID
        order.studyInstanceUID = order.studyInstanceUID ?? update.studyInstanceUID
        order.statusReason = update.statusReason ?? order.statusReason
        order.priority = update.priority ?? order.priority
        order.code = update.code ?? order.code
        order.modality = update.modality ?? order.modality
        if !update.reasons.isEmpty { order.reasons = update.reasons }
        order.requester = update.requester ?? order.requester
        order.orderedAt = order.orderedAt ?? update.orderedAt
        order.scheduledAt = update.scheduledAt ?? order.scheduledAt
        order.clinicalInformation = update.clinicalInformation ?? order.clinicalInformation
        if !update.notes.isEmpty { order.notes = update.notes }
        if let time = update.eventTime { order.eventTime = max(time, order.eventTime ?? time) }
    }

    /// Updates the steps named by the message, adds new ones, and gives an order without any its one step.
    private func mergeSteps(_ order: inout ImagingOrder, update: OrderUpdate, in unit: any UnitOfWork) {
        var named = update.steps
        if named.isEmpty && order.steps.isEmpty && update.control != .cancel && update.control != .discontinue {
            named = [OrderUpdate.StepUpdate()]
        }
        for step in named {
            let index: Int?
            if let stepID = step.stepID {
                index = order.steps.firstIndex { $0.stepID == stepID }
            } else {
                index = order.steps.isEmpty ? nil : 0
            }
            let position: Int
            if let index {
                position = index
            } else {
                let id = unit.entropy.newID()
                order.steps.append(
                    ScheduledProcedureStep(id: id, stepID: step.stepID ?? Self.stepID(for: order, id: id)))
                position = order.steps.count - 1
            }
            var merged = order.steps[position]
            merged.modality = step.modality ?? merged.modality ?? order.modality
            merged.stationAETitle = step.stationAETitle ?? merged.stationAETitle
            merged.stationName = step.stationName ?? merged.stationName
            merged.location = step.location ?? merged.location
            merged.scheduledStart = step.scheduledStart ?? update.scheduledAt ?? merged.scheduledStart ?? order.scheduledAt
            merged.description = step.description ?? merged.description ?? order.code.displayText
            merged.protocolCode = step.protocolCode ?? merged.protocolCode
            merged.performingPhysician = step.performingPhysician ?? merged.performingPhysician
            order.steps[position] = merged
        }
        if let status = update.stepStatus {
            let ids = Set(update.steps.compactMap(\.stepID))
            for index in order.steps.indices where ids.isEmpty || ids.contains(order.steps[index].stepID) {
                order.steps[index].status = status
            }
        }
    }

    /// A step id of at most 16 characters for a sender that gives none.
    private static func stepID(for order: ImagingOrder, id: EntityID) -> String {
        if order.steps.isEmpty, let accession = order.accession?.value, accession.utf8.count <= 16 { return accession }
        return String(id.value.prefix(16))
    }

    private func reconcile(_ order: ImagingOrder, in unit: any UnitOfWork) throws {
        guard let accession = order.accession else { return }
        try StudyService().reconcileQuarantined(accession: accession, patient: nil, in: unit)
    }

    /// Identifiers are refused when too long for their DICOM attribute, never cut. PS3.5 §6.2 (SH 16, UI 64).
    private static func checkLengths(_ update: OrderUpdate) throws {
        if let accession = update.accession, accession.value.count > 16 { throw Refusal.identifierTooLong("accession number") }
        if let uid = update.studyInstanceUID, uid.utf8.count > 64 { throw Refusal.identifierTooLong("study instance UID") }
        if let id = update.requestedProcedureID, id.count > 16 { throw Refusal.identifierTooLong("requested procedure id") }
        for step in update.steps where (step.stepID?.count ?? 0) > 16 {
            throw Refusal.identifierTooLong("scheduled procedure step id")
        }
    }
}
