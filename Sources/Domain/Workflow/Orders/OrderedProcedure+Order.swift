extension OrderedProcedure {
    /// The order that the events make.
    ///
    /// - Parameters:
    ///   - stored: The order as it was, for what no event says: ids, and a study UID of our own making.
    ///   - newID: Makes ids of steps and statements.
    func order(of patientID: EntityID, stored: ImagingOrder?, id: EntityID, newID: @escaping () -> EntityID)
        -> ImagingOrder
    {
        var order = ImagingOrder(id: id, patientID: patientID, status: .active, code: CodedConcept())
        order.visitID = stored?.visitID
        var told = OrderDetails(stored: stored, newID: newID)
        var drafts = StepDrafts()
        let ids = Set(events.flatMap { event in event.said?.steps.compactMap(\.stepID) ?? [] })
        drafts.isNamed = !ids.isEmpty
        for event in details {
            switch event.content {
            case .said(let update):
                order.describe(update, keeping: isSlight(event))
                told.say(update, keeping: isSlight(event))
                drafts.describe(update, keeping: isSlight(event))
            case .stated(let stated):
                let steps = order.steps
                order = stated
                order.id = id
                order.patientID = patientID
                order.toldVisit?.patientID = patientID
                order.steps = steps
                told.state(stated)
                drafts.state(stated)
            }
        }
        order.placer = key.placer ?? order.placer
        order.filler = key.filler ?? order.filler
        order.accession = key.accession ?? order.accession
        order.requestedProcedureID = key.procedureID ?? order.requestedProcedureID
        order.studyInstanceUID = studyInstanceUID ?? stored?.studyInstanceUID
        told.complete(&order)
        order.eventTime = events.last { $0.said?.control != .mentioned }?.time
        order.steps = drafts.steps(of: order, stored: stored?.steps ?? [], newID: newID)
        setStates(&order)
        return order
    }

    /// What fills only gaps: results that name the order in passing, and events that speak of several procedures.
    private func isSlight(_ event: OrderEvent) -> Bool {
        event.said?.control == .mentioned || shared.contains(event)
    }

    /// The events in the order in which they describe: slight ones first, for others to write over. A whole order stands in
    /// place of all before it, and slight ones after it fill what it leaves open.
    private var details: [OrderEvent] {
        let last = events.lastIndex { $0.said == nil }.map { $0 + 1 } ?? 0
        return [events[..<last], events[last...]].flatMap { $0.filter(isSlight) + $0.filter { !isSlight($0) } }
    }

    /// A study has the first UID that a sender gave it, for modalities may have taken it; a client's word stands.
    private var studyInstanceUID: String? {
        var uid: String?
        for event in events {
            switch event.content {
            case .said(let update): uid = uid ?? update.studyInstanceUID
            case .stated(let order): uid = order.studyInstanceUID ?? uid
            }
        }
        return key.distinction == .study ? key.studyInstanceUID ?? uid : uid
    }

    /// The states of the order and its steps, event by event in the order in which they happened.
    private func setStates(_ order: inout ImagingOrder) {
        order.status = .active
        order.statusReason = nil
        for index in order.steps.indices { order.steps[index].status = .scheduled }
        var isFirst = true
        for event in events {
            switch event.content {
            case .stated(let stated):
                order.status = stated.status
                order.statusReason = stated.statusReason
                for step in stated.steps {
                    let index = order.steps.firstIndex { $0.stepID == step.stepID }
                    if let index = index ?? (stated.steps.count == 1 ? order.steps.indices.first : nil) {
                        order.steps[index].status = step.status
                    }
                }
            case .said(let update): order.follow(update, isFirst: isFirst)
            }
            isFirst = false
        }
        // Whatever the site's table says, no modality is offered work of a closed order.
        if order.status.isTerminal {
            for index in order.steps.indices where order.steps[index].status.isOpen {
                order.steps[index].status = order.status == .completed ? .completed : .canceled
            }
        }
    }
}

extension ImagingOrder {
    /// Takes the state that an event asks for, where it may follow the one before.
    fileprivate mutating func follow(_ update: OrderUpdate, isFirst: Bool) {
        let before = status
        let stated = update.statedStatus
        guard Self.mayFollow(update, from: before) else { return }
        status = stated ?? before
        switch update.statusReason {
        case .set(let reason): statusReason = reason
        case .clear: statusReason = nil
        case .keep: if status != before { statusReason = nil }
        }
        var state = update.stepStatus
        if status.isTerminal, state?.isOpen ?? true {
            let closing: ScheduledProcedureStep.Status =
                status == .completed ? .completed : update.control == .discontinue ? .discontinued : .canceled
            state = status == before && !isFirst ? nil : closing
        } else if state == nil, status == .onHold, before != .onHold {
            state = .held
        } else if state == nil, status == .active, before == .onHold {
            state = .scheduled
        }
        guard let state else { return }
        let ids = Set(update.steps.compactMap(\.stepID))
        for index in steps.indices where ids.isEmpty || ids.contains(steps[index].stepID) {
            // Work that was done stays done; only a change begins it anew.
            if steps[index].status == .completed, state != .completed, update.control != .change { continue }
            if state == .held, !steps[index].status.isOpen { continue }
            steps[index].status = state
        }
    }

    /// Whether an event has a say in the state after a terminal one: a change of the order opens it again, an end follows
    /// an end, but what is done stays done.
    private static func mayFollow(_ update: OrderUpdate, from status: ImagingOrder.Status) -> Bool {
        guard status.isTerminal else { return true }
        if update.control == .change { return true }
        guard let stated = update.statedStatus, stated.isTerminal else { return false }
        return stated == .enteredInError || (status == .revoked && stated == .completed) || stated == status
    }

    /// Takes what a message says of the order itself; when `keeping`, only what nothing has said before.
    fileprivate mutating func describe(_ update: OrderUpdate, keeping: Bool) {
        func take<Value>(_ old: Value?, _ change: Change<Value>) -> Value? {
            keeping && old != nil ? old : change.applied(to: old)
        }
        func pick<Value>(_ old: Value?, _ new: Value?) -> Value? { keeping ? old ?? new : new ?? old }
        visitNumber = pick(visitNumber, update.visit)
        if let told = update.unnumberedVisit {
            var visit = toldVisit ?? Visit(id: id, patientID: patientID, identifier: nil, status: .unknown)
            visit.tell(told, keeping: keeping)
            toldVisit = visit
        }
        requisition = take(requisition, update.requisition)
        priority = take(priority, update.priority)
        if let new = update.code, !keeping || code == CodedConcept() { code = new }
        modality = pick(modality, update.modality)
        if !keeping || reasons.isEmpty { reasons = update.reasons.applied(to: reasons) ?? [] }
        requester = take(requester, update.requester)
        orderedAt = orderedAt ?? update.orderedAt
        scheduledAt = take(scheduledAt, update.scheduledAt)
        clinicalInformation = take(clinicalInformation, update.clinicalInformation)
        if !keeping || notes.isEmpty { notes = update.notes.applied(to: notes) ?? [] }
    }
}
