/// Keeps a patient's visits. HL7 v2.5.1 §3.4.3 (PV1).
package struct VisitService: Sendable {
    package init() {}

    package enum Outcome: Sendable, Hashable {
        case created(EntityID)
        case updated(EntityID)
        case unchanged(EntityID)
        case stale(EntityID)
        /// The visit number is another patient's.
        case patientMismatch
        /// It names no visit and begins none, and the patient has none that is not finished: nothing was kept.
        case unknownVisit
        package var visitID: EntityID? {
            switch self {
            case .created(let id), .updated(let id), .unchanged(let id), .stale(let id): id
            case .patientMismatch, .unknownVisit: nil
            }
        }
    }

    /// Applies what one event says of a patient's visit. Without a visit number it speaks of the newest visit that is
    /// not finished; where there is none it starts one, if it says in which state.
    package func apply(_ update: VisitUpdate, to patientID: EntityID, in unit: any UnitOfWork) throws -> Outcome {
        let found: Visit?
        if let identifier = update.identifier {
            found = try unit.visits(identifiedBy: identifier).first
        } else {
            found = try unit.newestOpenVisit(of: patientID)
            if found == nil, update.status == nil { return .unknownVisit }
        }
        var update = update
        update.eventTime = unit.credible(update.eventTime)
        guard let old = found else {
            var visit = Visit(
                id: unit.entropy.newID(), patientID: patientID, identifier: update.identifier,
                status: update.status ?? .unknown)
            visit.take(update, isNew: true, in: unit)
            try unit.save(visit)
            unit.emit(.visitChanged(visit.id))
            try attach(visit, in: unit)
            return .created(visit.id)
        }
        guard old.patientID == patientID else { return .patientMismatch }
        var visit = old
        visit.take(update, isNew: false, in: unit)
        let isStale = PatientService.isOlder(update.eventTime, than: unit.comparable(old.eventTime))
        if visit == old { return isStale ? .stale(old.id) : .unchanged(old.id) }
        try unit.save(visit)
        var comparable = visit
        comparable.eventTime = old.eventTime
        comparable.stated = old.stated
        if comparable == old { return isStale ? .stale(old.id) : .unchanged(old.id) }
        unit.emit(.visitChanged(visit.id))
        return isStale ? .stale(visit.id) : .updated(visit.id)
    }

    /// Notes what an order or a result says of the visit it belongs to, and nothing over what a registration said: an
    /// unknown visit is begun with its state unknown, a known one is given what it lacks. Without a visit number, or with
    /// that of another patient's visit, nothing is done.
    package func mention(_ update: VisitUpdate, of patientID: EntityID, in unit: any UnitOfWork) throws {
        guard let identifier = update.identifier else { return }
        guard let old = try unit.visits(identifiedBy: identifier).first else {
            var visit = Visit(
                id: unit.entropy.newID(), patientID: patientID, identifier: identifier, status: .unknown)
            // No value is stated yet: whatever a registration says stands, whenever it happened.
            visit.stated = StatedTimes()
            visit.complete(update)
            try unit.save(visit)
            unit.emit(.visitChanged(visit.id))
            return try attach(visit, in: unit)
        }
        guard old.patientID == patientID else { return }
        var visit = old
        visit.complete(update)
        guard visit != old else { return }
        try unit.save(visit)
        unit.emit(.visitChanged(visit.id))
    }

    /// Links the orders and reports that named the visit before it came.
    func attach(_ visit: Visit, in unit: any UnitOfWork) throws {
        guard let number = visit.identifier else { return }
        for var order in try unit.orders(of: visit.patientID)
        where order.visitID == nil && order.visitNumber?.matches(number) == true {
            order.visitID = visit.id
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
        }
        for var report in try unit.reports(of: visit.patientID)
        where report.visitID == nil && report.visitNumber?.matches(number) == true {
            report.visitID = visit.id
            try unit.save(report)
            unit.emit(.reportChanged(report.id))
        }
    }
}

extension Visit {
    /// The values that are stated one by one.
    private enum Stated: String, CaseIterable {
        case status, classCode, location, attending, referring, start, end
    }

    /// Takes what is said in passing, where nothing is known: neither a value nor that there is none.
    fileprivate mutating func complete(_ update: VisitUpdate) {
        if let details = update.identifier?.details, identifier?.details == nil { identifier?.details = details }
        func take<Value>(_ old: Value?, _ value: Stated, _ change: Change<Value>) -> Value? {
            old ?? (stated?[value.rawValue] == nil ? change.applied(to: nil) : nil)
        }
        classCode = take(classCode, .classCode, update.classCode)
        location = take(location, .location, update.location)
        attending = take(attending, .attending, update.attending)
        referring = take(referring, .referring, update.referring)
        start = take(start, .start, update.start)
        end = take(end, .end, update.end)
        let known = attributes ?? [:]
        var further = known
        further.apply(
            update.attributes.filter { known[$0.key] == nil && stated?[Self.timesName(ofAttribute: $0.key)] == nil })
        attributes = further.isEmpty ? nil : further
    }

    private static func timesName(ofAttribute name: String) -> String { "attribute." + name }

    /// Takes what an order says of a visit that it does not number; when `keeping`, only what nothing has said before.
    mutating func tell(_ update: VisitUpdate, keeping: Bool) {
        if keeping { return complete(update) }
        classCode = update.classCode.applied(to: classCode)
        location = update.location.applied(to: location)
        attending = update.attending.applied(to: attending)
        referring = update.referring.applied(to: referring)
        start = update.start.applied(to: start)
        end = update.end.applied(to: end)
        var further = attributes ?? [:]
        further.apply(update.attributes)
        attributes = further.isEmpty ? nil : further
    }

    /// Takes what an event states: of each value the newest statement stands.
    fileprivate mutating func take(_ update: VisitUpdate, isNew: Bool, in unit: any UnitOfWork) {
        var times = stated ?? StatedTimes()
        if stated == nil, !isNew {
            for value in Stated.allCases { times.note(unit.comparable(eventTime) ?? .distantPast, for: value.rawValue) }
        }
        func admits(_ value: Stated, _ isStated: Bool) -> Bool {
            guard isStated, times.admits(update.eventTime, for: value.rawValue) else { return false }
            times.note(update.eventTime ?? .distantPast, for: value.rawValue)
            return true
        }
        if let new = update.status, admits(.status, true) { status = new }
        if admits(.classCode, update.classCode != .keep) { classCode = update.classCode.applied(to: classCode) }
        if admits(.location, update.location != .keep) { location = update.location.applied(to: location) }
        if admits(.attending, update.attending != .keep) { attending = update.attending.applied(to: attending) }
        if admits(.referring, update.referring != .keep) { referring = update.referring.applied(to: referring) }
        if admits(.start, update.start != .keep) { start = update.start.applied(to: start) }
        if admits(.end, update.end != .keep) { end = update.end.applied(to: end) }
        var further = attributes ?? [:]
        for (name, change) in update.attributes where change != .keep {
            let key = Self.timesName(ofAttribute: name)
            guard times.admits(update.eventTime, for: key) else { continue }
            times.note(update.eventTime ?? .distantPast, for: key)
            further[name] = change.applied(to: further[name])
        }
        attributes = further.isEmpty ? nil : further
        if let details = update.identifier?.details,
            !PatientService.isOlder(update.eventTime, than: unit.comparable(eventTime))
        {
            identifier?.details = details
        }
        stated = times
        if let time = update.eventTime { eventTime = max(time, unit.comparable(eventTime) ?? time) }
    }
}
