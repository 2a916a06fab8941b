extension OrderService {
    /// Why a whole order was refused; nothing was changed.
    package enum ReplaceRefusal: Error, Sendable, Hashable {
        case unknownPatient
        case accessionOfAnotherPatient
        /// Images or reports that belong to the order are another patient's than its new subject.
        case subjectInUse
        /// The visit that the order names is another patient's.
        case visitOfAnotherPatient
        /// Another order carries the placer or filler number.
        case identifierInUse(by: EntityID)
        case identifierTooLong(String)
        /// Studies or reports belong to the order.
        case inUse
    }

    /// Takes a whole order as a client states it. An active order with an accession number gets its worklist step,
    /// and a study UID when it names none.
    package func replace(_ order: ImagingOrder, in unit: any UnitOfWork) throws {
        var order = order
        let old = try unit.order(order.id)
        if old?.visitID != order.visitID {
            // The client names another visit than messages did.
            order.visitNumber = try order.visitID.flatMap { try unit.visit($0)?.identifier }
            order.toldVisit = nil
        }
        guard let subject = try unit.patient(order.patientID) else { throw ReplaceRefusal.unknownPatient }
        order.patientID = try PatientService().survivor(of: subject, in: unit).id
        if let old, old.patientID != order.patientID, try isUsed(old, in: unit) { throw ReplaceRefusal.subjectInUse }
        if let visit = try order.visitID.flatMap({ try unit.visit($0) }), visit.patientID != order.patientID {
            throw ReplaceRefusal.visitOfAnotherPatient
        }
        if order.accession == nil, let numbering = unit.rules.accessionNumbering {
            // A client that states the order again without the number it was given does not take it away.
            order.accession = try old?.accession ?? (order.status == .active ? numbering.next(in: unit) : nil)
        }
        if let accession = order.accession {
            if accession.value.count > 16 { throw ReplaceRefusal.identifierTooLong("accession number") }
            if try unit.orders(identifiedBy: accession, as: .accession).contains(where: {
                $0.id != order.id && $0.patientID != order.patientID
            }) {
                throw ReplaceRefusal.accessionOfAnotherPatient
            }
        }
        for (identifier, role) in [(order.placer, OrderIdentifierRole.placer), (order.filler, .filler)] {
            guard let identifier else { continue }
            // A placer order may hold several procedures: only what could not be told apart is in use.
            if let other = try unit.orders(identifiedBy: identifier, as: role).first(where: {
                $0.id != order.id
                    && (role == .filler || OrderKey($0).isCompatible(with: OrderKey(order)))
            }) {
                throw ReplaceRefusal.identifierInUse(by: other.id)
            }
        }
        if let uid = order.studyInstanceUID, uid.utf8.count > 64 {
            throw ReplaceRefusal.identifierTooLong("study instance UID")
        }
        if order.studyInstanceUID == nil, order.accession != nil { order.studyInstanceUID = unit.entropy.newUID() }
        if order.steps.isEmpty, order.status == .active, let accession = order.accession {
            order.steps = [
                ScheduledProcedureStep(
                    id: unit.entropy.newID(), stepID: accession.value, modality: order.modality,
                    scheduledStart: order.scheduledAt, description: order.code.displayText)
            ]
        }
        Self.follow(&order)
        if let old { Self.inherit(&order, from: old, in: unit) }
        unit.showStarts(of: &order)
        if old == order { return }
        let known = try unit.events(ofOrder: order.id)
        // The client states it after all that was said, also by a sender whose clock is ahead of ours.
        let next = known.map(\.time).max().map { UTCInstant(microseconds: $0.microseconds &+ 1) } ?? unit.time
        let stated = OrderEvent(.stated(order), time: max(unit.time, next), receivedAt: unit.time)
        try save(order, instead: old, events: known + [stated], in: unit)
    }

    /// Forgets an order that nothing belongs to.
    package func remove(_ id: EntityID, in unit: any UnitOfWork) throws {
        guard let order = try unit.order(id) else { return }
        if try isUsed(order, in: unit) { throw ReplaceRefusal.inUse }
        try unit.removeOrder(id)
        unit.emit(.orderRemoved(id, steps: order.steps.map(\.id)))
    }

    private func isUsed(_ order: ImagingOrder, in unit: any UnitOfWork) throws -> Bool {
        if try !unit.studies(ofOrder: order.id).isEmpty { return true }
        if try !unit.remoteStudies(.ofOrder(order.id)).isEmpty { return true }
        return try !unit.reports(on: order).isEmpty
    }

    /// What a step had from its order it has from the changed one.
    private static func inherit(_ order: inout ImagingOrder, from old: ImagingOrder, in unit: any UnitOfWork) {
        func shown(_ time: PartialDateTime?) -> PartialDateTime? {
            time.map { unit.rules.clock?.shown($0) ?? $0 }
        }
        for index in order.steps.indices where order.steps[index].status.isOnWorklist {
            let step = order.steps[index]
            if shown(step.scheduledStart) == shown(old.scheduledAt) {
                order.steps[index].scheduledStart = order.scheduledAt
            }
            if step.description == old.code.displayText { order.steps[index].description = order.code.displayText }
            if step.modality == old.modality { order.steps[index].modality = order.modality }
        }
    }

    /// Steps that are still open follow the order's state.
    private static func follow(_ order: inout ImagingOrder) {
        for index in order.steps.indices {
            let step = order.steps[index].status
            switch order.status {
            case .revoked, .enteredInError:
                if step.isOnWorklist || step == .held { order.steps[index].status = .canceled }
            case .completed: if step.isOnWorklist { order.steps[index].status = .completed }
            case .onHold: if step == .scheduled { order.steps[index].status = .held }
            case .active: if step == .held { order.steps[index].status = .scheduled }
            case .draft, .unknown: break
            }
        }
    }
}
