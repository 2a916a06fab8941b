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
        guard update.placer != nil || update.filler != nil || update.accession != nil else {
            throw Refusal.unidentifiedOrder
        }
        let existing = try find(update, patientID: patientID, in: unit)
        var visitID = existing?.visitID
        if let visit = update.visit, let known = try unit.visits(identifiedBy: visit).first,
            known.patientID == patientID
        {
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
        if update.control != .new {
            notes.append("order was not known: created from a \(update.control.rawValue) event")
        }
        var order = ImagingOrder(
            id: unit.entropy.newID(), patientID: patientID, visitID: visitID,
            status: Self.status(after: update, from: nil),
            code: update.code ?? CodedConcept())
        Self.fill(&order, from: update, overwriting: true)
        order.statusReason = update.statusReason
        order.eventTime = update.eventTime
        mergeSteps(&order, update: update, isStale: false, overwriting: true, before: nil, in: unit)
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
        let isClosed = old.status.isTerminal && !mayReopen && Self.statedStatus(update)?.isTerminal != true
        let isStale = isOlder || isClosed
        // A late message still tells what was missing, and describes the order if no newer one did.
        let isNewestDescription =
            old.detailsTime != nil && !PatientService.isOlder(update.eventTime, than: old.detailsTime)
        let overwriting = !isStale || (isOlder && isNewestDescription)
        Self.fill(&order, from: update, overwriting: overwriting)
        if isStale {
            order.visitID = old.visitID ?? visitID
            notes.append(isOlder ? "older than the stored order: state kept" : "order is closed: state kept")
        } else {
            order.status = Self.status(after: update, from: old.status)
            order.statusReason = update.statusReason ?? (order.status == old.status ? old.statusReason : nil)
            order.visitID = visitID
            if let time = update.eventTime { order.eventTime = max(time, order.eventTime ?? time) }
        }
        Self.follow(&order, old: old)
        mergeSteps(&order, update: update, isStale: isStale, overwriting: overwriting, before: old.status, in: unit)
        if let uid = update.studyInstanceUID, let stored = order.studyInstanceUID, uid != stored {
            notes.append("study instance UID differs from the stored one: stored one kept")
        }
        if let accession = update.accession, let stored = order.accession, !accession.matches(stored) {
            notes.append("accession number differs from the stored one: stored one kept")
        }
        var comparable = order
        comparable.eventTime = old.eventTime
        comparable.detailsTime = old.detailsTime
        comparable.stepState = old.stepState
        if comparable == old {
            if order != old { try unit.save(order) }
            return Outcome(result: isStale ? .stale : .unchanged, orderID: old.id, notes: notes)
        }
        try unit.save(order)
        unit.emit(.orderChanged(order.id))
        if order.accession != old.accession || order.studyInstanceUID != old.studyInstanceUID {
            try reconcile(order, in: unit)
        }
        return Outcome(result: isStale ? .stale : .updated, orderID: order.id, notes: notes)
    }

    /// The status that the message itself states: by its control, else by ORC-5.
    private static func statedStatus(_ update: OrderUpdate) -> ImagingOrder.Status? {
        switch update.control {
        case .cancel, .discontinue: .revoked
        case .hold: .onHold
        case .release: .active
        case .new, .change, .statusChanged: update.status
        }
    }

    /// The status that follows from what is asked, what the sender states, and what is stored.
    static func status(after update: OrderUpdate, from old: ImagingOrder.Status?) -> ImagingOrder.Status {
        statedStatus(update) ?? old ?? .active
    }

    /// Takes what the message says of the order itself, or only what was missing when not `overwriting`.
    private static func fill(_ order: inout ImagingOrder, from update: OrderUpdate, overwriting: Bool) {
        func pick<Value>(_ old: Value?, _ new: Value?) -> Value? { overwriting ? new ?? old : old ?? new }
        order.placer = pick(order.placer, update.placer)
        order.filler = pick(order.filler, update.filler)
        order.accession = order.accession ?? update.accession
        order.requisition = pick(order.requisition, update.requisition)
        order.requestedProcedureID = pick(order.requestedProcedureID, update.requestedProcedureID)
        order.studyInstanceUID = order.studyInstanceUID ?? update.studyInstanceUID
        order.priority = pick(order.priority, update.priority)
        if let code = update.code, overwriting || order.code == CodedConcept() { order.code = code }
        order.modality = pick(order.modality, update.modality)
        if !update.reasons.isEmpty, overwriting || order.reasons.isEmpty { order.reasons = update.reasons }
        order.requester = pick(order.requester, update.requester)
        order.orderedAt = order.orderedAt ?? update.orderedAt
        order.scheduledAt = pick(order.scheduledAt, update.scheduledAt)
        order.clinicalInformation = pick(order.clinicalInformation, update.clinicalInformation)
        if !update.notes.isEmpty, overwriting || order.notes.isEmpty { order.notes = update.notes }
        if update.code != nil, let time = update.eventTime { order.detailsTime = max(time, order.detailsTime ?? time) }
    }

    /// Updates the steps named by the message, adds new ones, and gives a described order without any its one step.
    /// An order with steps has a study UID: the sender's, else one of ours, given once.
    private func mergeSteps(
        _ order: inout ImagingOrder, update: OrderUpdate, isStale: Bool, overwriting: Bool,
        before: ImagingOrder.Status?,
        in unit: any UnitOfWork
    ) {
        var named = update.steps
        let describes = update.code != nil || update.control == .new
        if named.isEmpty && order.steps.isEmpty && describes && update.control != .cancel
            && update.control != .discontinue
        {
            named = [OrderUpdate.StepUpdate()]
        }
        for step in named {
            let index: Int?
            if let stepID = step.stepID {
                index = order.steps.firstIndex { $0.stepID == stepID }
            } else {
                index = order.steps.isEmpty ? nil : 0
            }
            let isNew = index == nil
            let position: Int
            if let index {
                position = index
            } else {
                let id = unit.entropy.newID()
                order.steps.append(
                    ScheduledProcedureStep(
                        id: id, stepID: step.stepID ?? Self.stepID(for: order, id: id),
                        status: order.stepState ?? update.stepStatus ?? .scheduled))
                position = order.steps.count - 1
            }
            order.steps[position] = Self.merged(
                order.steps[position], step, update: update, order: order, overwriting: isNew || overwriting)
        }
        if !isStale { Self.setSteps(of: &order, update: update, before: before) }
        // Whatever the site's table says, no modality is offered work of a closed order.
        if order.status.isTerminal {
            for index in order.steps.indices where order.steps[index].status.isOpen {
                order.steps[index].status = order.status == .completed ? .completed : .canceled
            }
        }
        if order.studyInstanceUID == nil, !order.steps.isEmpty { order.studyInstanceUID = unit.entropy.newUID() }
    }

    /// What a step has from its order follows a change of the order; what the step was told itself stays.
    private static func follow(_ order: inout ImagingOrder, old: ImagingOrder) {
        for index in order.steps.indices {
            let step = order.steps[index]
            if step.description == old.code.displayText { order.steps[index].description = order.code.displayText }
            if step.modality == old.modality { order.steps[index].modality = order.modality }
            if step.scheduledStart == old.scheduledAt { order.steps[index].scheduledStart = order.scheduledAt }
        }
    }

    private static func merged(
        _ old: ScheduledProcedureStep, _ step: OrderUpdate.StepUpdate, update: OrderUpdate, order: ImagingOrder,
        overwriting: Bool
    ) -> ScheduledProcedureStep {
        func pick<Value>(_ old: Value?, _ new: Value?) -> Value? { overwriting ? new ?? old : old ?? new }
        var merged = old
        merged.modality = pick(old.modality, step.modality) ?? order.modality
        merged.stationAETitle = pick(old.stationAETitle, step.stationAETitle)
        merged.stationName = pick(old.stationName, step.stationName)
        merged.location = pick(old.location, step.location)
        merged.scheduledStart = pick(old.scheduledStart, step.scheduledStart ?? update.scheduledAt) ?? order.scheduledAt
        merged.description = pick(old.description, step.description) ?? order.code.displayText
        merged.protocolCode = pick(old.protocolCode, step.protocolCode)
        merged.performingPhysician = pick(old.performingPhysician, step.performingPhysician)
        return merged
    }

    /// Gives the steps the state of the site's table; of a message that closes the order, at least a closed one.
    private static func setSteps(of order: inout ImagingOrder, update: OrderUpdate, before: ImagingOrder.Status?) {
        var state = update.stepStatus
        if order.status.isTerminal, state?.isOpen ?? true {
            let closing: ScheduledProcedureStep.Status =
                order.status == .completed ? .completed : update.control == .discontinue ? .discontinued : .canceled
            state = order.status == before ? nil : closing
        }
        guard let state else { return }
        let ids = Set(update.steps.compactMap(\.stepID))
        order.stepState = ids.isEmpty ? state : nil
        for index in order.steps.indices where ids.isEmpty || ids.contains(order.steps[index].stepID) {
            order.steps[index].status = state
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
        if let accession = update.accession, accession.value.count > 16 {
            throw Refusal.identifierTooLong("accession number")
        }
        if let uid = update.studyInstanceUID, uid.utf8.count > 64 {
            throw Refusal.identifierTooLong("study instance UID")
        }
        if let id = update.requestedProcedureID, id.count > 16 {
            throw Refusal.identifierTooLong("requested procedure id")
        }
        for step in update.steps where (step.stepID?.count ?? 0) > 16 {
            throw Refusal.identifierTooLong("scheduled procedure step id")
        }
    }
}
