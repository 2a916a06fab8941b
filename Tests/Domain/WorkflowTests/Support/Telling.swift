import Workflow

/// The state that a unit of work ends in, without what is random by nature.
struct StoryState: Hashable, CustomStringConvertible {
    var lines: [String]
    var description: String { lines.joined(separator: "\n") }
}

/// Tells a story to the domain services, as the doors do: what is refused because two records are not yet known to be
/// one person's waits for their merge.
struct Telling {
    let unit: any UnitOfWork
    private var waiting: [StoryEvent] = []
    private(set) var refused: [String] = []

    /// - Parameter pass: lets time go on between two events, where the unit's does not by itself.
    init(_ events: [StoryEvent], in unit: any UnitOfWork, pass: () -> Void = {}) throws {
        self.unit = unit
        for event in events { try tell(event, pass) }
    }

    /// To the domain alone.
    init(_ events: [StoryEvent]) throws {
        let unit = MemoryUnit()
        unit.time = Make.at(100)
        try self.init(events, in: unit) { unit.time = unit.time.advanced(bySeconds: 1) }
    }

    private mutating func tell(_ event: StoryEvent, _ pass: () -> Void) throws {
        pass()
        do {
            guard try apply(event) else { return waiting.append(event) }
        } catch let refusal as OrderService.Refusal where refusal.isEndedByMerge {
            return waiting.append(event)
        } catch let refusal as ReportService.Refusal where refusal.isEndedByMerge {
            return waiting.append(event)
        } catch let refusal as OrderService.Refusal {
            refused.append("\(event): \(refusal)")
        } catch let refusal as ReportService.Refusal {
            refused.append("\(event): \(refusal)")
        }
        if case .merge = event.content {
            let retried = waiting
            waiting = []
            for event in retried { try tell(event, pass) }
        }
    }

    /// False when the event has to wait.
    private func apply(_ event: StoryEvent) throws -> Bool {
        switch event.content {
        case .registration(let update): _ = try PatientService().apply(update, in: unit)
        case .visit(let patient, let visit):
            guard let id = try PatientService().apply(patient, in: unit).patientID else { return false }
            return try VisitService().apply(visit, to: id, in: unit) != .patientMismatch
        case .merge(let prior, let surviving):
            _ = try PatientService().merge(prior: [prior], into: surviving, in: unit)
        case .order(let update): _ = try OrderService().apply(update, in: unit)
        case .report(let update): _ = try ReportService().apply(update, in: unit)
        case .image(let received): _ = try StudyService().register(received, in: unit)
        }
        return true
    }

    /// What there is at the end, without what is random by nature and in an order of its own.
    func state() throws -> StoryState {
        var lines: [String] = refused.map { "refused \($0)" } + waiting.map { "waiting \($0)" }
        var people: [Patient] = []
        for number in Story.patientNumbers {
            for patient in try unit.patients(identifiedBy: Make.mrn(number))
            where patient.isActive && !people.contains(where: { $0.id == patient.id }) {
                people.append(patient)
            }
        }
        for patient in people {
            let owner = patient.identifiers.first { $0.isCurrent }?.value ?? "none"
            let identifiers = patient.identifiers.map { $0.value + ($0.isCurrent ? "" : " old") }.sorted()
            lines.append(
                "patient \(identifiers) \(patient.names.map(\.family)) \(String(describing: patient.sex)) "
                    + "\(patient.telecoms.map(\.value)) \(String(describing: patient.isDeceased)) "
                    + "\(patient.deceasedAt?.text ?? "-") \(patient.attributes?.text("religion") ?? "-") "
                    + Self.current(patient.statements))
            for visit in try unit.visits(of: patient.id) {
                lines.append(
                    "visit \(visit.status) \(visit.location ?? "-") \(visit.end?.text ?? "-") "
                        + "\(visit.attributes?.text("diet") ?? "-") of \(owner)")
            }
            for order in try unit.orders(of: patient.id) { lines.append(Self.text(order) + " of \(owner)") }
            for report in try unit.reports(of: patient.id) {
                let orders = try report.orderIDs.compactMap { try unit.order($0).map(Self.name) }.sorted()
                lines.append(
                    "report \(report.placer?.value ?? "-") \(report.filler?.value ?? "-") \(report.status) "
                        + "\(report.conclusion ?? "-") orders \(orders) of \(owner)")
            }
        }
        for uid in Story.studyUIDs {
            for series in try unit.series(in: uid) {
                let link =
                    switch series.reconciliation {
                    case .matched(let patient, let order):
                        "matched \(try name(patient)) \(try unit.order(order).map(Self.name) ?? "gone")"
                    case .unscheduled(let patient): "unscheduled \(try name(patient))"
                    case .quarantined(let reason): "quarantined \(reason)"
                    }
                // Of a series that is no one's, either of two identities may be the series' and the other aside.
                let asides = series.reconciliation.isQuarantined ? [] : series.keptAside.sorted()
                lines.append("series of \(uid) \(link), aside \(asides)")
            }
        }
        return StoryState(lines: lines.sorted())
    }

    private static func name(_ order: ImagingOrder) -> String {
        [order.placer?.value, order.filler?.value, order.accession?.value, order.requestedProcedureID]
            .map { $0 ?? "-" }.joined(separator: " ")
    }

    private static func text(_ order: ImagingOrder) -> String {
        let uid = order.studyInstanceUID.map { $0.hasPrefix("2.25.") ? "ours" : $0 } ?? "-"
        var text =
            "order \(name(order)) \(uid) \(order.status) \(order.code.displayText ?? "-") "
            + "\(String(describing: order.priority)) "
            + "\(order.reasons.map { $0.displayText ?? "" }) \(order.clinicalInformation ?? "-") "
            + "\(order.scheduledAt?.text ?? "-") visit \(order.visitID != nil) "
            + "\(order.attributes?.text("transport") ?? "-") \(order.toldVisit?.location ?? "-") "
            + current(order.statements)
        let steps = order.steps.map { step in
            let id = step.stepID.utf8.count == 16 ? "ours" : step.stepID
            return "\n  step \(id) \(step.status) \(step.stationAETitle ?? "-") \(step.scheduledStart?.text ?? "-") "
                + "\(step.description ?? "-")"
        }
        text += steps.sorted().joined()
        return text
    }

    private static func current(_ statements: [ClinicalStatement]?) -> String {
        (statements ?? []).filter(\.isCurrent).map { "\($0.kind) \($0.key) \($0.code?.displayText ?? "-")" }.sorted()
            .joined(separator: ", ")
    }

    private func name(_ patient: EntityID) throws -> String {
        try unit.patient(patient)?.identifiers.first { $0.isCurrent }?.value ?? "none"
    }
}
