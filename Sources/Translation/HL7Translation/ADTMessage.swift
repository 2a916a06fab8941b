import HL7v2
import Workflow

/// ADT: registration, visit and merge events. HL7 v2.5.1 §3.3, IHE RAD-1 and RAD-12.
struct ADTMessage: InboundMessage {
    /// The trigger events that are carried out.
    static let events: Set<String> = [
        "A01", "A02", "A03", "A04", "A05", "A08", "A11", "A13", "A28", "A31", "A40",
    ]

    private enum Action: Sendable {
        case register(PatientUpdate, VisitUpdate?)
        /// One entry for each PID and MRG pair; all or none.
        case merge([(prior: [Identifier], surviving: PatientUpdate)])
    }

    private let action: Action

    init(_ message: Message, root: SegmentGroup, types: DataTypes) throws {
        let event = message.header.triggerEvent
        let patients = PatientSegments(types: types)
        types.kept("order of segments") { root.noteSetIDs() }
        let eventTime = types.kept("journal: time of the event") { message.eventTime(types) }
        if event == "A40" {
            action = .merge(try ADTMessage.pairs(root, patients: patients, eventTime: eventTime))
            return
        }
        let pid = try root.required("PID")
        var update = patients.update(pid, eventTime: eventTime)
        try ADTMessage.checkIdentified(update, pid: pid)
        let details = patients.attributes(pd1: root["PD1"], nk1: root.all("NK1"))
        update.attributes.merge(details) { $1 }
        update.statements = StatementSegments(types: types).read(root.everySegment)
        var visit = ADTMessage.visit(
            root["PV1"], root["PV2"], event: event, patients: patients, eventTime: eventTime)
        if visit != nil, let operators = root["EVN"]?[5] {
            let people = types.into("Encounter.participant") { operators.repetitions.compactMap { types.xcn($0) } }
            if !people.isEmpty { visit?.attributes[Visit.Attribute.enterers] = .set(.parties(people)) }
        }
        action = .register(update, visit)
    }

    func apply(in unit: any UnitOfWork) throws -> MessageEffect {
        switch action {
        case .register(let patient, let visit): return try register(patient, visit, in: unit)
        case .merge(let pairs):
            var effect = MessageEffect(disposition: .ignored, notes: [])
            for (index, pair) in pairs.enumerated() {
                try merge(pair.prior, into: pair.surviving, occurrence: index + 1, effect: &effect, in: unit)
            }
            return effect
        }
    }

    // MARK: Registration

    private func register(_ update: PatientUpdate, _ visit: VisitUpdate?, in unit: any UnitOfWork) throws
        -> MessageEffect
    {
        var effect = MessageEffect(disposition: .applied, notes: [])
        effect.note(update.eventTime, in: unit)
        let pid3 = ErrorLocation(segment: "PID", field: 3)
        let outcome = try PatientService().apply(update, in: unit)
        effect.concerns(outcome.patientID)
        switch outcome {
        case .created, .updated: break
        case .unchanged: effect.disposition = .ignored
        case .stale:
            effect.disposition = .ignored
            effect.notes.append("older than the stored record: only what no later event had stated was taken")
        case .redirected:
            // The person's stay is the survivor's, whichever number it was registered under.
            effect.disposition = .ignored
            effect.notes.append("the identifier was merged away: the surviving record was not changed")
        case .ambiguous:
            throw MessageRefusal(OrderService.Refusal.ambiguousPatient, group: pid3, of: update)
        case .contradicted:
            throw MessageRefusal(OrderService.Refusal.contradictoryPatient, group: pid3, of: update)
        case .unidentified:
            throw MessageRefusal(OrderService.Refusal.unidentifiedPatient, group: pid3, of: update)
        }
        guard let visit, let patientID = outcome.patientID else { return effect }
        switch try VisitService().apply(visit, to: patientID, in: unit) {
        case .created, .updated: effect.disposition = .applied
        case .unchanged: break
        case .stale: effect.notes.append("older than the stored visit: visit kept")
        case .unknownVisit: effect.notes.append("no visit number and no open visit: what PV1 says was not kept")
        case .patientMismatch:
            throw MessageRefusal(
                .duplicateKeyIdentifier, at: ErrorLocation(segment: "PV1", field: 19),
                "The visit belongs to another patient"
            ).awaitingMerge(of: update)
        }
        return effect
    }

    private static func checkIdentified(_ update: PatientUpdate, pid: Segment) throws {
        guard update.identifiers.isEmpty else { return }
        throw MessageRefusal(.requiredFieldMissing, at: pid.location(field: 3), "No patient identifier")
    }

    private static func visit(
        _ pv1: Segment?, _ pv2: Segment?, event: String, patients: PatientSegments, eventTime: UTCInstant?
    ) -> VisitUpdate? {
        // A28 and A31 are about the person; PV1 is there only because the structure wants it. Class N is "no visit".
        guard let pv1, event != "A28", event != "A31", pv1[2].text != "N" else { return nil }
        let ofEvent: Visit.Status? =
            switch event {
            case "A01", "A02", "A13": .inProgress
            case "A03": .finished
            case "A04": .arrived
            case "A05": .planned
            case "A11": .cancelled
            default: nil
            }
        // A visit with an end is finished, whatever event tells it; one whose end is taken back goes on.
        var status = ofEvent
        if event != "A11", event != "A13" {
            if pv1[45].isValued { status = .finished } else if pv1[45].isNull, status == nil { status = .inProgress }
        }
        var update = patients.visitUpdate(pv1, pv2, status: status, eventTime: eventTime)
        if event == "A13" { update.end = .clear }
        return update
    }

    // MARK: Merge

    private static func pairs(
        _ root: SegmentGroup, patients: PatientSegments, eventTime: UTCInstant?
    ) throws -> [(prior: [Identifier], surviving: PatientUpdate)] {
        let pairs = try root.groups("PATIENT").map { group in
            let pid = try group.required("PID")
            let surviving = patients.update(pid, eventTime: eventTime)
            try checkIdentified(surviving, pid: pid)
            let mrg = try group.required("MRG")
            let prior = patients.types.into("Patient.identifier") { patients.types.patientIdentifiers(mrg[1]) }
            guard !prior.isEmpty else {
                throw MessageRefusal(.requiredFieldMissing, at: mrg.location(field: 1), "No prior patient identifier")
            }
            return (prior, surviving)
        }
        guard !pairs.isEmpty else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "PID"), "PID is missing")
        }
        return pairs
    }

    private func merge(
        _ prior: [Identifier], into surviving: PatientUpdate, occurrence: Int, effect: inout MessageEffect,
        in unit: any UnitOfWork
    ) throws {
        let place = ErrorLocation(segment: "MRG", occurrence: occurrence, field: 1)
        effect.note(surviving.eventTime, in: unit)
        switch try PatientService().merge(prior: prior, into: surviving, in: unit) {
        case .merged(let survivor, let retired):
            effect.concerns(survivor)
            effect.concerns(retired)
            effect.disposition = .applied
            effect.mergedNumbers += try unit.patient(survivor)?.identifiers ?? []
        case .alreadyMerged(let survivor):
            effect.concerns(survivor)
            effect.notes.append("this merge was already done")
        case .selfMerge:
            throw MessageRefusal(.duplicateKeyIdentifier, at: place, "Prior and surviving patient are the same")
        case .inverse:
            throw MessageRefusal(
                .duplicateKeyIdentifier, at: place, "The prior patient already absorbed the surviving one")
        case .ambiguous:
            throw MessageRefusal(.duplicateKeyIdentifier, at: place, "The identifiers belong to different patients")
        case .contradicted:
            throw MessageRefusal(
                .duplicateKeyIdentifier, at: place, "An authority of these identifiers gave the patient another number")
        case .unidentified:
            throw MessageRefusal(
                .requiredFieldMissing, at: place, "No patient identifier that identifies: a record number is missing")
        }
    }
}
