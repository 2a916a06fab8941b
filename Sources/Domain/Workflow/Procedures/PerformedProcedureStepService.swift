/// Keeps performed procedure steps, and moves what was scheduled along with them. PS3.4 §F.7.2, IHE RAD-6, RAD-7.
package struct PerformedProcedureStepService: Sendable {
    package init() {}

    /// Why nothing was changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// There is one of that UID.
        case duplicate
        case unknown
        /// It is completed or discontinued: nothing follows.
        case closed
    }

    /// Keeps a new one, in progress, and shows its scheduled steps as begun. Throws ``Refusal``.
    package func create(_ step: PerformedProcedureStep, in unit: any UnitOfWork) throws {
        let records = try Self.records(unit)
        guard try records.performedStep(step.sopInstanceUID) == nil else { throw Refusal.duplicate }
        try records.save(step)
        unit.emit(.performedStepChanged(sopInstanceUID: step.sopInstanceUID, isNew: true))
        try move(step, in: unit)
    }

    /// Changes one that is in progress. `change` makes the new state of the old; what it throws is thrown on, and nothing
    /// is changed. Throws ``Refusal``.
    package func update(
        _ sopInstanceUID: String, in unit: any UnitOfWork,
        _ change: (PerformedProcedureStep) throws -> PerformedProcedureStep
    ) throws {
        let records = try Self.records(unit)
        guard let before = try records.performedStep(sopInstanceUID) else { throw Refusal.unknown }
        guard !before.status.isFinal else { throw Refusal.closed }
        let after = try change(before)
        try records.save(after)
        unit.emit(.performedStepChanged(sopInstanceUID: sopInstanceUID, isNew: false))
        guard after.status != before.status else { return }
        try move(after, in: unit)
        // The images that came are told of at once: no more are to be waited for.
        for uid in Set(after.scheduled.map(\.studyInstanceUID)).sorted() where try unit.study(uid) != nil {
            try unit.awaitPublication(of: uid, isDue: true)
        }
    }

    /// One by its UID. Throws ``Refusal`` `.unknown`.
    package func step(_ sopInstanceUID: String, in unit: any UnitOfWork) throws -> PerformedProcedureStep {
        guard let step = try Self.records(unit).performedStep(sopInstanceUID) else { throw Refusal.unknown }
        return step
    }

    private static func records(_ unit: any UnitOfWork) throws -> any PerformedStepUnit {
        guard let records = unit as? any PerformedStepUnit else {
            throw StoreError(.misuse, "this store keeps no performed procedure steps")
        }
        return records
    }

    // MARK: What was scheduled

    /// Gives the scheduled steps the state of the performed one. Work that was done stays done, and a closed order is not
    /// opened by it: that is for the order's own rules.
    private func move(_ step: PerformedProcedureStep, in unit: any UnitOfWork) throws {
        let status: ScheduledProcedureStep.Status =
            switch step.status {
            case .inProgress: .inProgress
            case .completed: .completed
            case .discontinued: .discontinued
            }
        for scheduled in step.scheduled {
            for order in try unit.orders(studyInstanceUID: scheduled.studyInstanceUID) where scheduled.names(order) {
                // Without a number of its sender an order cannot be told of.
                guard order.filler != nil || order.placer != nil || order.accession != nil,
                    let planned = scheduled.step(of: order), planned.status != status
                else { continue }
                var update = OrderUpdate(control: .statusChanged, patient: nil)
                update.placer = order.placer
                update.filler = order.filler
                update.accession = order.accession
                update.requestedProcedureID = order.requestedProcedureID
                update.orderID = order.id
                update.stepStatus = status
                var said = OrderUpdate.StepUpdate()
                said.stepID = planned.stepID
                update.steps = [said]
                do {
                    _ = try OrderService().apply(update, of: order.patientID, in: unit)
                } catch is OrderService.Refusal {
                    // Numbers that several orders share name none of them; the performed step is kept all the same.
                    continue
                }
            }
        }
    }
}

extension PerformedProcedureStep.Scheduled {
    fileprivate func names(_ order: ImagingOrder) -> Bool {
        guard let accessionNumber, let accession = order.accession?.value else { return true }
        return accession == accessionNumber
    }

    /// The step of the order by the id that the worklist shows, or the only one where none is told.
    fileprivate func step(of order: ImagingOrder) -> ScheduledProcedureStep? {
        guard let id = scheduledProcedureStepID else { return order.steps.count == 1 ? order.steps.first : nil }
        return order.steps.first { $0.worklistID == id || $0.stepID == id }
    }
}
