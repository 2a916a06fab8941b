import Workflow

/// Makes persons, orders and reports of a seed, with every sign in them that has a meaning on the wire.
struct OutboundValues {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    private mutating func next(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % bound
    }
    private mutating func some<Value>(_ values: [Value]) -> Value { values[next(values.count)] }
    private mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? { next(2) == 0 ? nil : make(&self) }

    /// Words that begin and end with a letter, as those of a person do.
    private mutating func words(lines: Bool = false) -> String {
        let signs = ["|", "^", "~", "\\", "&", " ", "é", "Ł", "患", "\"", "#", "\\X41\\", "0"] + (lines ? ["\n"] : [])
        return "a" + (0..<next(5)).map { _ in some(signs) }.joined() + "z"
    }
    private mutating func key() -> String { "K" + String(next(100_000)) }
    private mutating func date() -> PartialDateTime {
        PartialDateTime(
            some(["1975", "1975-03", "1975-03-15", "2026-11-21T10:15:00+01:00", "2026-07-01T08:00:30.5+02:00"]))
    }
    private mutating func day() -> PartialDateTime { PartialDateTime(some(["1975", "1975-03", "1975-03-15"])) }

    private mutating func name(_ use: HumanName.Use? = .official) -> HumanName {
        HumanName(
            family: words(), given: next(2) == 0 ? [words()] : [words(), words()], prefix: maybe { [$0.words()] } ?? [],
            suffix: maybe { [$0.words()] } ?? [], use: use)
    }
    private mutating func concept() -> CodedConcept {
        let systems = ["http://loinc.org", "https://north.example/codes", "urn:oid:2.999.3", "https://far.example/a&b"]
        return CodedConcept(codings: [.init(system: next(5) == 0 ? nil : some(systems), code: key(), display: words())])
    }
    private mutating func party() -> PartyReference {
        let system = some(["urn:hilum:practitioner", "urn:oid:2.999.4"])
        return PartyReference(identifier: maybe { Identifier(system: system, value: $0.key()) }, name: name(nil))
    }

    mutating func patient() -> Patient {
        var patient = Patient(
            id: EntityID("p"),
            identifiers: [
                Identifier(system: "urn:oid:2.999.1", value: words(), kind: .medicalRecord),
                Identifier(system: "https://north.example/mrn", value: key(), kind: .medicalRecord),
                Identifier(system: "urn:hilum:unknown-issuer:OLD%20KIS", value: key(), kind: .patientInternal),
            ])
        patient.names = [name()]
        patient.aliases = maybe { [$0.name(.maiden)] } ?? []
        patient.birthDate = maybe { $0.day() }
        patient.sex = maybe { $0.some([.female, .male, .other, .unknown]) }
        patient.addresses =
            maybe { made in
                [
                    PostalAddress(
                        lines: [made.words(), made.words()], city: made.words(), district: made.words(),
                        postalCode: made.key(),
                        country: "CHE", use: made.some([.home, .work, .temp, .old, .billing]))
                ]
            } ?? []
        patient.telecomsByField = (
            [
                ContactPoint(system: .phone, value: words(), use: .home),
                ContactPoint(system: .email, value: words(), use: .home),
            ],
            maybe { [ContactPoint(system: .fax, value: $0.words(), use: .work)] } ?? []
        )
        patient.language = maybe { $0.concept() }
        patient.isDeceased = maybe { $0.next(2) == 0 }
        if patient.isDeceased == true { patient.deceasedAt = maybe { $0.date() } }
        patient.attributes = [Patient.Attribute.birthPlace: .text(words())]
        return patient
    }

    mutating func order(of patient: Patient) -> ImagingOrder {
        var order = ImagingOrder(id: EntityID("o"), patientID: patient.id, status: .active, code: concept())
        order.placer = Identifier(system: "https://north.example/placer", value: words(), kind: .placer)
        order.filler = maybe { Identifier(system: "https://north.example/ris", value: $0.key(), kind: .filler) }
        order.accession = Identifier(system: "https://north.example/accession", value: key(), kind: .accession)
        order.requestedProcedureID = key()
        order.studyInstanceUID = "1.2.999.\(next(100_000))"
        order.priority = maybe { $0.some([.routine, .urgent, .asap, .stat]) }
        order.modality = some(["CT", "MR", "US", "NM", "DX", "MG", "XA"])
        order.reasons = maybe { [$0.concept()] } ?? []
        order.requester = maybe { $0.party() }
        order.scheduledAt = PartialDateTime("2026-11-21T10:15:00+01:00")
        order.clinicalInformation = maybe { $0.words(lines: true) }
        order.notes = maybe { [$0.words(lines: true), $0.words()] } ?? []
        order.steps = [
            ScheduledProcedureStep(
                id: EntityID("s"), stepID: key(), modality: order.modality, scheduledStart: order.scheduledAt)
        ]
        return order
    }

    mutating func report(of patient: Patient) -> Report {
        var report = Report(
            id: EntityID("r"), patientID: patient.id, status: some([.preliminary, .final, .corrected]), code: concept())
        report.placer = Identifier(system: "https://north.example/placer", value: key(), kind: .placer)
        report.filler = Identifier(system: "https://north.example/ris", value: words(), kind: .filler)
        report.issued = UTCInstant(microseconds: 1_796_000_000_000_000 + Int64(next(1_000)) * 1_000_000)
        report.effective = PartialDateTime("2026-11-21T10:15:00+01:00")
        report.interpreters = maybe { [$0.party(), $0.party()] } ?? []
        report.studyInstanceUIDs = ["1.2.999.\(next(100_000))"]
        let conclusion = maybe { $0.words(lines: true) }
        report.conclusion = conclusion
        var text = words(lines: true) + "\n\n  " + words(lines: true)
        if let conclusion { text += "\n\nIMPRESSION:\n" + conclusion }
        report.presentedForms = [
            PresentedForm(contentType: "text/plain; charset=utf-8", data: Array(text.utf8)),
            PresentedForm(
                contentType: some(["application/pdf", "image/png", "application/x-own"]), data: [0, 1, 255],
                title: words()),
        ]
        report.observations = [
            finding(.quantity(value: "1.50", comparator: nil, unit: "mm", unitSystem: "http://unitsofmeasure.org")),
            finding(.text(words(lines: true))), finding(.concept(concept())),
        ]
        return report
    }

    private mutating func finding(_ value: Observation.Value) -> Observation {
        Observation(
            id: EntityID(key()), key: "", code: concept(), status: some([.preliminary, .final, .corrected]),
            value: value,
            referenceRange: maybe { $0.words() }, notes: maybe { [$0.words(lines: true)] } ?? [])
    }
}
