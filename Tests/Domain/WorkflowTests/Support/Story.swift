import Workflow

/// One thing that happened, as a message or an image tells it.
struct StoryEvent: Sendable, CustomStringConvertible {
    enum Content: Sendable {
        case registration(PatientUpdate)
        case visit(patient: PatientUpdate, VisitUpdate)
        case merge(prior: Identifier, surviving: PatientUpdate)
        case order(OrderUpdate)
        case report(ReportUpdate)
        case image(ReceivedInstance)
    }
    var content: Content
    var description: String
}

/// Events in the order in which they happened; made from a seed.
struct Story {
    var events: [StoryEvent] = []

    /// A story of one order and its patient, in which nothing contradicts. With a merge, what happened before it may
    /// name the patient by the number that it retires.
    init(seed: UInt64) {
        var random = StoryRandom(state: seed)
        let count = 3 + random.below(4)
        let mergeAt = random.below(3) == 0 ? random.below(count) : nil
        for index in 0..<count {
            let time = Int64(index + 1)
            let isBefore = mergeAt.map { index < $0 } ?? false
            let number = isBefore && random.below(2) == 0 ? "200" : "100"
            if index == mergeAt {
                var surviving = Make.patient("100", at: time)
                if random.below(2) == 0 { surviving.names = .set([HumanName(family: "M\(time)")]) }
                events.append(
                    StoryEvent(
                        content: .merge(prior: Make.mrn("200"), surviving: surviving), description: "A40 200 to 100"))
                continue
            }
            events.append(Self.event(number, time, &random))
        }
    }

    private static func event(_ number: String, _ time: Int64, _ random: inout StoryRandom) -> StoryEvent {
        let patient = Self.patient(number, time, &random)
        switch random.below(10) {
        case 0, 1:
            return StoryEvent(content: .registration(patient), description: "A08 \(number) at \(time)")
        case 2:
            var visit = VisitUpdate(
                identifier: Identifier(system: "urn:visit", value: "V1"),
                status: random.pick([.planned, .inProgress, .finished, nil]), eventTime: Make.at(time))
            visit.location = random.change("L\(time)")
            visit.end = random.change(PartialDateTime("2026-01-0\(time)"))
            visit.attributes["diet"] = random.change(.text("D\(time)"))
            return StoryEvent(content: .visit(patient: patient, visit), description: "PV1 \(number) at \(time)")
        case 3:
            let accession = random.below(2) == 0 ? "A1" : nil
            return StoryEvent(
                content: .image(Make.received("1.9.\(time)", patientID: number, accession: accession)),
                description: "image \(number) \(accession ?? "-") at \(time)")
        case 4, 5:
            let status: Report.Status = random.pick([.preliminary, .final, .corrected, .cancelled])
            let isByPlacer = random.below(4) > 0
            var report = Make.report(
                status, patient: patient, placer: isByPlacer ? "P1" : nil,
                filler: !isByPlacer || random.below(2) == 0 ? "F1" : nil,
                accession: random.below(3) == 0 ? "A1" : nil, issued: time)
            report.conclusion = "C\(time)"
            report.hasContent = true
            return StoryEvent(content: .report(report), description: "ORU \(status) \(number) at \(time)")
        default:
            let order = Self.order(patient, time, &random)
            return StoryEvent(
                content: .order(order),
                description: "\(order.control) \(order.status.map { "\($0)" } ?? "-") \(number) at \(time)")
        }
    }

    private static func patient(_ number: String, _ time: Int64, _ random: inout StoryRandom) -> PatientUpdate {
        var patient = Make.patient(number, at: time)
        patient.names = random.change([HumanName(family: "N\(time)")])
        patient.sex = random.change(random.pick([.female, .male]))
        patient.homeTelecoms = random.change([ContactPoint(system: .phone, value: "h\(time)", use: .home)])
        patient.workTelecoms = random.change([ContactPoint(system: .phone, value: "w\(time)", use: .work)])
        patient.isDeceased = random.change(random.below(2) == 0)
        patient.deceasedAt = random.change(PartialDateTime("2026-02-0\(time)"))
        patient.attributes["religion"] = random.change(.text("R\(time)"))
        if random.below(3) == 0 { patient.statements = statements(.coverage, time, &random) }
        return patient
    }

    /// One or two of three statements of a kind.
    private static func statements(
        _ kind: ClinicalStatement.Kind, _ time: Int64, _ random: inout StoryRandom
    ) -> [StatementUpdate] {
        let first = random.below(3)
        return Set([first, random.below(3)]).sorted().map { key in
            var statement = StatementUpdate(kind: kind, key: "\(key)")
            statement.code = Make.concept("\(kind)\(key)at\(time)")
            return statement
        }
    }

    private static func order(_ patient: PatientUpdate, _ time: Int64, _ random: inout StoryRandom) -> OrderUpdate {
        let control: OrderUpdate.Control = random.pick([
            .new, .new, .change, .cancel, .discontinue, .statusChanged, .statusChanged, .hold, .release,
        ])
        let isDescribed = control == .new || random.below(2) == 0
        var order = Make.order(
            control, patient: patient, placer: "P1", filler: random.below(2) == 0 ? "F1" : nil,
            accession: random.below(2) == 0 ? "A1" : nil, code: isDescribed ? "X\(time)" : nil, at: time)
        if [.new, .change, .statusChanged].contains(control) {
            order.status = random.pick([.active, .active, .completed, .onHold, nil])
            order.stepStatus = random.pick([.scheduled, .inProgress, .completed, .held, nil])
        }
        if random.below(3) == 0 { order.visit = Identifier(system: "urn:visit", value: "V1") }
        if random.below(3) == 0 { order.studyInstanceUID = "1.2.3" }
        order.priority = random.change(random.pick([.stat, .routine]))
        order.reasons = random.change([Make.concept("R\(time)")])
        order.clinicalInformation = random.change("I\(time)")
        order.scheduledAt = random.change(PartialDateTime("2026-03-0\(time)T10:00:00Z"))
        if random.below(3) == 0 { order.statements = statements(random.pick([.allergy, .observation]), time, &random) }
        if random.below(3) == 0 { order.attributes = ["transport": .text("T\(time)")] }
        if random.below(4) == 0 {
            var told = VisitUpdate(identifier: nil, status: nil, eventTime: nil)
            told.location = random.change("U\(time)")
            order.unnumberedVisit = told
        }
        if isDescribed, random.below(2) == 0 {
            var step = OrderUpdate.StepUpdate()
            step.stepID = random.pick(["S1", "S2", nil])
            step.stationAETitle = random.change("CT\(time)")
            order.steps = [step]
        }
        return order
    }
}

/// The state that a unit of work ends in, without what is random by nature.
struct StoryState: Hashable, CustomStringConvertible {
    var lines: [String]
    var description: String { lines.joined(separator: "\n") }
}

/// Tells a story to the domain services, as the doors do: what is refused because two records are not yet known to be
/// one person's waits for their merge.
struct Telling {
    let unit = MemoryUnit()
    private var waiting: [StoryEvent] = []
    private(set) var refused: [String] = []

    init(_ events: [StoryEvent]) throws {
        unit.time = Make.at(100)
        for event in events { try tell(event) }
    }

    private mutating func tell(_ event: StoryEvent) throws {
        unit.time = unit.time.advanced(bySeconds: 1)
        do {
            guard try apply(event) else { return waiting.append(event) }
        } catch OrderService.Refusal.patientMismatch, OrderService.Refusal.accessionOfAnotherPatient,
            ReportService.Refusal.patientMismatch
        {
            return waiting.append(event)
        } catch {
            refused.append("\(event): \(error)")
        }
        if case .merge = event.content {
            let retried = waiting
            waiting = []
            for event in retried { try tell(event) }
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
        case .order(let update): try unit.place(update)
        case .report(let update): try unit.result(update)
        case .image(let received): try unit.store(received)
        }
        return true
    }

    var state: StoryState {
        var lines: [String] = refused.map { "refused \($0)" } + waiting.map { "waiting \($0)" }
        for patient in unit.patients where patient.isActive {
            let identifiers = patient.identifiers.map { $0.value + ($0.isCurrent ? "" : " old") }.sorted()
            lines.append(
                "patient \(identifiers) \(patient.names.map(\.family)) \(String(describing: patient.sex)) "
                    + "\(patient.telecoms.map(\.value)) \(String(describing: patient.isDeceased)) "
                    + "\(patient.deceasedAt?.text ?? "-") \(patient.attributes?.text("religion") ?? "-") "
                    + Self.current(patient.statements))
        }
        for visit in unit.visits {
            lines.append(
                "visit \(visit.status) \(visit.location ?? "-") \(visit.end?.text ?? "-") "
                    + "\(visit.attributes?.text("diet") ?? "-") of \(name(visit.patientID))")
        }
        for order in unit.orders {
            let uid = order.studyInstanceUID.map { $0.hasPrefix("2.25.") ? "ours" : $0 } ?? "-"
            lines.append(
                "order \(order.placer?.value ?? "-") \(order.filler?.value ?? "-") \(order.accession?.value ?? "-") "
                    + "\(uid) \(order.status) \(order.code.displayText ?? "-") \(String(describing: order.priority)) "
                    + "\(order.reasons.map { $0.displayText ?? "" }) \(order.clinicalInformation ?? "-") "
                    + "\(order.scheduledAt?.text ?? "-") visit \(order.visitID != nil) of \(name(order.patientID)) "
                    + "\(order.attributes?.text("transport") ?? "-") \(order.toldVisit?.location ?? "-") "
                    + Self.current(order.statements))
            for step in order.steps {
                let id = step.stepID.utf8.count == 16 ? "ours" : step.stepID
                lines.append(
                    "  step \(id) \(step.status) \(step.stationAETitle ?? "-") \(step.scheduledStart?.text ?? "-") "
                        + "\(step.description ?? "-")")
            }
        }
        for report in unit.reports {
            lines.append(
                "report \(report.placer?.value ?? "-") \(report.filler?.value ?? "-") \(report.status) "
                    + "\(report.conclusion ?? "-") orders \(report.orderIDs.count) of \(name(report.patientID))")
        }
        for series in unit.allSeries {
            let link =
                switch series.reconciliation {
                case .matched(let patient, let order):
                    "matched \(name(patient)) \(unit.orders.contains { $0.id == order })"
                case .unscheduled(let patient): "unscheduled \(name(patient))"
                case .quarantined(let reason): "quarantined \(reason)"
                }
            lines.append("series \(link)")
        }
        return StoryState(lines: lines)
    }

    private static func current(_ statements: [ClinicalStatement]?) -> String {
        (statements ?? []).filter(\.isCurrent).map { "\($0.kind) \($0.key) \($0.code?.displayText ?? "-")" }.sorted()
            .joined(separator: ", ")
    }

    private func name(_ patient: EntityID) -> String {
        unit.patients.first { $0.id == patient }?.identifiers.first { $0.isCurrent }?.value ?? "none"
    }
}

/// SplitMix64.
struct StoryRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
    mutating func change<Value>(_ value: Value) -> Change<Value> {
        switch below(4) {
        case 0: .clear
        case 1: .keep
        default: .set(value)
        }
    }
    mutating func shuffle<Value>(_ values: [Value]) -> [Value] {
        var shuffled = values
        for index in shuffled.indices.reversed() { shuffled.swapAt(index, below(index + 1)) }
        return shuffled
    }
}
