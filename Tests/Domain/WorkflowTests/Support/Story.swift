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

    static let patientNumbers = ["100", "200"]
    static let studyUIDs = ["1.2.3", "1.2.3.1", "1.2.3.2"]

    /// A story of one placer order and its patient, in which nothing contradicts. With a merge, what happened before it may
    /// name the patient by the number that it retires. The order may hold two requested procedures, each with its
    /// procedure id and the other numbers of its own: a filler order each, as when the filler splits it.
    init(seed: UInt64, procedures: Int? = nil) {
        var random = StoryRandom(state: seed)
        let count = 3 + random.below(4)
        let isSplit = procedures.map { $0 > 1 } ?? (random.below(3) == 0)
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
            events.append(Self.event(number, time, isSplit, &random))
        }
    }

    private static func event(
        _ number: String, _ time: Int64, _ isSplit: Bool, _ random: inout StoryRandom
    ) -> StoryEvent {
        // Which procedure of a split order; 0 for the whole of one that is not.
        let part = isSplit ? 1 + random.below(2) : 0
        let numbers = Numbers(part)
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
            let accession = random.below(2) == 0 ? numbers.accession : nil
            return StoryEvent(
                content: .image(
                    Make.received(
                        "1.9.\(time)", study: numbers.studyUID, series: numbers.studyUID + ".1", patientID: number,
                        accession: accession)),
                description: "image of \(numbers.studyUID) \(number) \(accession ?? "-") at \(time)")
        case 4, 5:
            let status: Report.Status = random.pick([.preliminary, .final, .corrected, .cancelled])
            let isByPlacer = random.below(4) > 0
            var report = Make.report(
                status, patient: patient, placer: isByPlacer ? "P1" : nil,
                filler: !isByPlacer || isSplit || random.below(2) == 0 ? numbers.filler : nil,
                // Nothing may contradict: one that does not name its order must not name an order's image either.
                accession: isByPlacer && random.below(3) == 0 ? numbers.accession : nil, issued: time)
            if isSplit { report.requestedProcedureID = numbers.procedure }
            report.conclusion = "C\(time)"
            report.hasContent = random.below(4) > 0
            if !report.hasContent { report.conclusion = nil }
            return StoryEvent(
                content: .report(report), description: "ORU \(status) \(numbers.filler) \(number) at \(time)")
        default:
            let order = Self.order(patient, time, numbers, &random)
            return StoryEvent(
                content: .order(order),
                description:
                    "\(order.control) \(order.status.map { "\($0)" } ?? "-") \(numbers.filler) \(number) at \(time)")
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

    /// The numbers of a requested procedure.
    private struct Numbers {
        let accession: String, filler: String, studyUID: String
        /// Nil for the one procedure of an order.
        let procedure: String?

        init(_ part: Int) {
            (accession, filler) = ("A\(max(1, part))", "F\(max(1, part))")
            studyUID = part == 0 ? "1.2.3" : "1.2.3.\(part)"
            procedure = part == 0 ? nil : "RP\(part)"
        }
    }

    private static func order(
        _ patient: PatientUpdate, _ time: Int64, _ numbers: Numbers, _ random: inout StoryRandom
    ) -> OrderUpdate {
        let control: OrderUpdate.Control = random.pick([
            .new, .new, .change, .cancel, .discontinue, .statusChanged, .statusChanged, .hold, .release,
        ])
        let isDescribed = control == .new || random.below(2) == 0
        var order = Make.order(
            control, patient: patient, placer: "P1", filler: random.below(2) == 0 ? numbers.filler : nil,
            accession: random.below(2) == 0 ? numbers.accession : nil, code: isDescribed ? "X\(time)" : nil, at: time)
        order.requestedProcedureID = numbers.procedure
        if [.new, .change, .statusChanged].contains(control) {
            order.status = random.pick([.active, .active, .completed, .onHold, nil])
            order.stepStatus = random.pick([.scheduled, .inProgress, .completed, .held, nil])
        }
        if random.below(3) == 0 { order.visit = Identifier(system: "urn:visit", value: "V1") }
        if random.below(3) == 0 { order.studyInstanceUID = numbers.studyUID }
        order.priority = random.change(random.pick([.stat, .routine]))
        order.reasons = random.change([Make.concept("R\(time)")])
        order.clinicalInformation = random.change("I\(time)")
        order.scheduledAt = random.change(PartialDateTime("2026-03-0\(time)T10:00:00Z"))
        if random.below(3) == 0 { order.statements = statements(random.pick([.allergy, .observation]), time, &random) }
        if random.below(3) == 0 { order.attributes = ["transport": time % 3 == 0 ? .clear : .set(.text("T\(time)"))] }
        if random.below(4) == 0 {
            var told = VisitUpdate(identifier: nil, status: nil, eventTime: nil)
            told.location = random.change("U\(time)")
            order.unnumberedVisit = told
        }
        if isDescribed, random.below(2) == 0 {
            var step = OrderUpdate.StepUpdate()
            step.stepID = random.pick(["S1", "S2", nil]).map { $0 + (numbers.procedure ?? "") }
            step.stationAETitle = random.change("CT\(time)")
            order.steps = [step]
        }
        return order
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
