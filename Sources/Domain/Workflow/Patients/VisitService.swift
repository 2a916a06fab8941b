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
        package var visitID: EntityID? {
            switch self {
            case .created(let id), .updated(let id), .unchanged(let id), .stale(let id): id
            case .patientMismatch: nil
            }
        }
    }

    /// Applies what one event says of a patient's visit. Without a visit number it speaks of the newest visit that is
    /// not finished, or starts one.
    package func apply(_ update: VisitUpdate, to patientID: EntityID, in unit: any UnitOfWork) throws -> Outcome {
        let found: Visit?
        if let identifier = update.identifier {
            found = try unit.visits(identifiedBy: identifier).first
        } else {
            found = try unit.visits(of: patientID).last { $0.status != .finished && $0.status != .cancelled }
        }
        guard let old = found else {
            var visit = Visit(
                id: unit.entropy.newID(), patientID: patientID, identifier: update.identifier,
                status: update.status ?? .planned)
            Self.fill(&visit, from: update)
            try unit.save(visit)
            unit.emit(.visitChanged(visit.id))
            return .created(visit.id)
        }
        guard old.patientID == patientID else { return .patientMismatch }
        if PatientService.isOlder(update.eventTime, than: old.eventTime) { return .stale(old.id) }
        var visit = old
        Self.fill(&visit, from: update)
        var comparable = visit
        comparable.eventTime = old.eventTime
        if comparable == old { return .unchanged(old.id) }
        try unit.save(visit)
        unit.emit(.visitChanged(visit.id))
        return .updated(visit.id)
    }

    private static func fill(_ visit: inout Visit, from update: VisitUpdate) {
        if let status = update.status { visit.status = status }
        if let classCode = update.classCode { visit.classCode = classCode }
        visit.location = update.location.applied(to: visit.location)
        visit.attending = update.attending.applied(to: visit.attending)
        visit.referring = update.referring.applied(to: visit.referring)
        visit.start = update.start.applied(to: visit.start)
        visit.end = update.end.applied(to: visit.end)
        if let time = update.eventTime { visit.eventTime = time }
    }
}
