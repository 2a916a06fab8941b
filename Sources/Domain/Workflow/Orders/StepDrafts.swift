/// The steps of an order while its events are read: what was told of each, without what it has from the order.
struct StepDrafts {
    private struct Draft {
        /// Nil for the one step of a sender that gives none an id.
        var stepID: String?
        var id: EntityID?
        var told = OrderUpdate.StepUpdate()
    }
    private var drafts: [Draft] = []
    /// Whether any event names a step: then what names none speaks of the first.
    var isNamed = false

    /// Takes what a message says of steps. One that describes the order without any has one step, unless it ends it.
    mutating func describe(_ update: OrderUpdate, keeping: Bool) {
        var named = update.steps
        let isEnd = update.control == .cancel || update.control == .discontinue
        if named.isEmpty {
            if update.scheduledAt != .keep {
                for index in drafts.indices {
                    Self.take(&drafts[index].told.scheduledStart, update.scheduledAt, keeping)
                }
            }
            if update.describes, update.control != .mentioned, !isEnd, drafts.isEmpty { named = [.init()] }
        }
        for step in named {
            let index: Int
            if let stepID = step.stepID {
                if let known = drafts.firstIndex(where: { $0.stepID == stepID }) {
                    index = known
                } else if let unnamed = drafts.firstIndex(where: { $0.stepID == nil }) {
                    drafts[unnamed].stepID = stepID
                    index = unnamed
                } else {
                    drafts.append(Draft(stepID: stepID))
                    index = drafts.count - 1
                }
            } else {
                if drafts.isEmpty { drafts.append(Draft()) }
                index = 0
            }
            var told = step
            if told.scheduledStart == .keep { told.scheduledStart = update.scheduledAt }
            Self.take(&drafts[index].told, told, keeping)
        }
    }

    /// Takes the steps of a whole order.
    mutating func state(_ order: ImagingOrder) {
        for step in order.steps {
            // An id of our own making names nothing: the step takes the one that a sender gives it.
            let isOurs =
                order.steps.count == 1
                && (step.stepID == order.accession?.value || step.stepID == String(step.id.value.prefix(16)))
            let stepID = isOurs ? nil : step.stepID
            let index = drafts.firstIndex { $0.stepID == stepID } ?? drafts.firstIndex { $0.stepID == nil }
            var told = OrderUpdate.StepUpdate()
            func change<Value>(_ value: Value?, unless own: Value?) -> Change<Value> {
                guard let value, value != own else { return .keep }
                return .set(value)
            }
            told.modality = change(step.modality, unless: order.modality)
            told.stationAETitle = change(step.stationAETitle, unless: nil)
            told.stationName = change(step.stationName, unless: nil)
            told.location = change(step.location, unless: nil)
            told.scheduledStart = change(step.scheduledStart, unless: order.scheduledAt)
            told.description = change(step.description, unless: order.code.displayText)
            told.protocolCode = change(step.protocolCode, unless: nil)
            told.performingPhysician = change(step.performingPhysician, unless: nil)
            let draft = Draft(stepID: stepID, id: step.id, told: told)
            if let index { drafts[index] = draft } else { drafts.append(draft) }
        }
    }

    /// The steps, each with what it has from its order. A step keeps the id that it has in `stored`.
    func steps(
        of order: ImagingOrder, stored: [ScheduledProcedureStep], newID: () -> EntityID
    ) -> [ScheduledProcedureStep] {
        var free = stored
        var made: [ScheduledProcedureStep?] = Array(repeating: nil, count: drafts.count)
        // Ids by name first, so that a step that is named now does not take another's.
        for isByName in [true, false] {
            for (index, draft) in drafts.enumerated() where made[index] == nil {
                let own = free.firstIndex { isByName ? $0.stepID == draft.stepID : true }
                if isByName, own == nil { continue }
                let id = own.map { free.remove(at: $0).id } ?? draft.id ?? newID()
                made[index] = Self.step(draft, id: id, isOnly: drafts.count == 1, of: order)
            }
        }
        return made.compactMap { $0 }
    }

    private static func step(_ draft: Draft, id: EntityID, isOnly: Bool, of order: ImagingOrder)
        -> ScheduledProcedureStep
    {
        let told = draft.told
        return ScheduledProcedureStep(
            id: id, stepID: draft.stepID ?? stepID(for: order, id: id),
            modality: told.modality.applied(to: nil) ?? order.modality,
            stationAETitle: told.stationAETitle.applied(to: nil), stationName: told.stationName.applied(to: nil),
            location: told.location.applied(to: nil),
            scheduledStart: told.scheduledStart == .clear
                ? nil : told.scheduledStart.applied(to: nil) ?? order.scheduledAt,
            description: told.description.applied(to: nil) ?? order.code.displayText,
            protocolCode: told.protocolCode.applied(to: nil),
            performingPhysician: told.performingPhysician.applied(to: nil))
    }

    /// A step id of at most 16 characters for a sender that gives none.
    private static func stepID(for order: ImagingOrder, id: EntityID) -> String {
        if let accession = order.accession?.value, accession.utf8.count <= 16 { return accession }
        return String(id.value.prefix(16))
    }

    private static func take<Value>(_ old: inout Change<Value>, _ new: Change<Value>, _ keeping: Bool) {
        if new == .keep || (keeping && old != .keep) { return }
        old = new
    }

    private static func take(_ old: inout OrderUpdate.StepUpdate, _ new: OrderUpdate.StepUpdate, _ keeping: Bool) {
        take(&old.modality, new.modality, keeping)
        take(&old.stationAETitle, new.stationAETitle, keeping)
        take(&old.stationName, new.stationName, keeping)
        take(&old.location, new.location, keeping)
        take(&old.scheduledStart, new.scheduledStart, keeping)
        take(&old.description, new.description, keeping)
        take(&old.protocolCode, new.protocolCode, keeping)
        take(&old.performingPhysician, new.performingPhysician, keeping)
    }
}
