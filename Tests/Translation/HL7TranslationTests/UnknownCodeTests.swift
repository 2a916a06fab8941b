import HL7Translation
import HL7v2
import TestSupport
import Testing
import Workflow

/// H17 and H25 for every mapped table: a code that is not known stays itself or becomes absent, with a word to the
/// sender, and never becomes another one. HL7 v2.5.1 §2.A.13, appendix A; v2-to-FHIR concept maps.
@Suite struct UnknownCodeTests {
    let store = MemoryStore(time: TestClock().now())
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ lines: [String]) async -> HL7Inbox.Receipt { await inbox.receive(Site.lines(lines), peer: nil) }
    private func segment(_ name: String, _ fields: [Int: String]) -> String {
        name + (1...(fields.keys.max() ?? 1)).map { "|" + (fields[$0] ?? "") }.joined()
    }
    private static let number = "P-1^^^NORTH&2.999.1&ISO^MR"
    private static func table(_ number: String) -> String { "http://terminology.hl7.org/CodeSystem/v2-" + number }
    private func dispositions(_ place: String) -> [MessageCoverage.Disposition] {
        (store.journal.last?.coverage?.entries ?? []).filter { $0.place == place }.map(\.disposition)
    }

    @Test(
        "A code outside of its table is absent, warned of with its place, and listed as not carried",
        arguments: [
            ("PID", 8, "Q", "PID^1^8^1", "PID-8.1"), ("PID", 5, "A^B^^^^^QQ", "PID^1^5^1^7", "PID-5.7"),
            ("PID", 5, "A^B^^^^^L^Q", "PID^1^5^1^8", "PID-5.8"), ("PID", 11, "S^^C^^^^QQ", "PID^1^11^1^7", "PID-11.7"),
            ("PID", 13, "1^QQ^PH", "PID^1^13^1^2", "PID-13.2"), ("PID", 13, "1^PRN^QQ", "PID^1^13^1^3", "PID-13.3"),
            ("PID", 24, "Q", "PID^1^24^1", "PID-24.1"), ("PID", 30, "Q", "PID^1^30^1", "PID-30.1"),
        ])
    func absent(segment name: String, field: Int, value: String, place: String, path: String) async {
        var fields = [3: Self.number, 5: "A^B"]
        fields[field] = value
        let receipt = await send([Site.msh("ADT^A04", "M1"), segment(name, fields)])
        #expect(receipt.code == "AA", "\(receipt)")
        #expect(receipt.conditions == ["103"], "\(receipt)")
        #expect(receipt.place == place, "\(receipt)")
        #expect(dispositions(path) == [.unmapped])
        #expect(receipt.notes.contains { $0.contains("not in table") })
    }

    @Test(
        "Known codes that FHIR has no word for are absent without a word, not made another: L and P of 0190, EMR of 0201"
    )
    func withoutCounterpart() async throws {
        let pid = segment(
            "PID",
            [3: Self.number, 5: "A^B^^^^^REL", 11: "S^^C^^^^P~T^^C^^^^L", 13: "1^EMR^PH~2^NET^Internet^a@b~3^PRN^SAT"])
        let receipt = await send([Site.msh("ADT^A04", "M1"), pid])
        #expect(receipt.conditions == [])
        let patient = try #require(store.patients.first)
        #expect(patient.addresses.map(\.use) == [nil, nil])
        #expect(patient.names.first?.use == nil)
        #expect(patient.telecoms.map(\.use) == [nil, .home, .home])
        #expect(patient.telecoms.map(\.system) == [.phone, .email, .other])
        #expect(dispositions("PID-11.7") == [.unmapped])
    }

    @Test(
        "A code of another system is never one of the field's table; a system nobody knows stands for itself",
        arguments: [
            ("M", UnknownCodeTests.table("0002")), ("M^Married^HL70002", UnknownCodeTests.table("0002")),
            ("M^Married^L", nil), ("M^Married^99KIS", nil), ("M^Married^KIS", "urn:hilum:unknown-code-system:KIS"),
            ("M^Married^LOCAL", "https://north.example/codes"),
        ])
    func systems(value: String, system: String?) async throws {
        let pid = segment("PID", [3: Self.number, 5: "A^B", 10: value, 16: value, 17: value])
        _ = await send([Site.msh("ADT^A04", "M1"), pid])
        let patient = try #require(store.patients.first)
        #expect(patient.maritalStatus?.codings.map(\.code) == ["M"])
        #expect(patient.maritalStatus?.codings.first?.system == system)
        let religion = patient.attributes?.concepts(Patient.Attribute.religion).first?.codings.first
        #expect(religion?.system == (system == Self.table("0002") && value == "M" ? Self.table("0006") : system))
        // An alternate code without a system is of no table either.
        _ = await send([
            Site.msh("ADT^A08", "M2", time: "20261121090000"),
            segment("PID", [3: Self.number, 5: "A^B", 16: "M^Married^HL70002^V^Verheiratet"]),
        ])
        #expect(store.patients.first?.maritalStatus?.codings.map(\.system) == [Self.table("0002"), nil])
    }

    @Test("CX.5: MRN stays MRN, identifies as MR does, and contradicts another record number of its authority")
    func recordNumbers() async throws {
        _ = await send([Site.msh("ADT^A04", "M1"), "PID|1||7^^^NORTH&2.999.1&ISO^MRN||A^B"])
        #expect(store.patients.first?.identifiers.map { $0.kind?.rawValue } == ["MRN"])
        _ = await send([Site.msh("ADT^A04", "M2"), "PID|1||8^^^NORTH&2.999.1&ISO^MR~X^^^S&9.9&ISO^NI||A^B"])
        #expect(store.patients.count == 2)
        #expect(
            Identifier(system: "s", value: "1", kind: .init(rawValue: "MRN")).isRecordNumber(
                SiteRules(recordNumberTypes: ["MR"])))
        #expect(
            !Identifier(system: "s", value: "1", kind: .init(rawValue: "MRN")).isRecordNumber(
                SiteRules(recordNumberTypes: ["PI"])))
    }

    @Test(
        "OBX: a status, a flag, a data type that nobody knows is told; the status is unknown, the flag has no system",
        arguments: [
            ("OBX|1|NM|A^B^L||7||||||Q", "OBX^1^11^1", Workflow.Observation.Status.unknown, nil),
            ("OBX|1|NM|A^B^L||7|||QQ|||F", "OBX^1^8^1", .final, nil),
            ("OBX|1|QQ|A^B^L||7||||||F", "OBX^1^2^1", .final, nil),
            (
                "OBX|1|NM|A^B^L||7|||H|||F", "", .final,
                "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
            ),
            ("OBX|1|NM|A^B^L||7|||TOX|||F", "", .final, UnknownCodeTests.table("0078")),
        ] as [(String, String, Workflow.Observation.Status, String?)])
    func observations(obx: String, place: String, status: Workflow.Observation.Status, system: String?) async throws {
        let receipt = await inbox.receive(Site.oru("M1", status: "F", obx: [obx]), peer: nil)
        #expect(receipt.code == "AA", "\(receipt)")
        #expect(receipt.place == place, "\(receipt)")
        let finding = try #require(store.reports.first?.observations.first)
        #expect(finding.status == status)
        #expect(finding.interpretation.first?.codings.first?.system == system)
    }

    @Test(
        "H26: a unit is never lost: of a range, a ratio, a comparator, and of what is no number",
        arguments: [
            ("NM", "<5", .quantity(value: "5", comparator: "<", unit: "mg", unitSystem: ucum)),
            ("NM", "≤ 5", .quantity(value: "5", comparator: "<=", unit: "mg", unitSystem: ucum)),
            ("NM", "about 5", .text("about 5 mg")), ("NM", "1,5", .text("1,5 mg")), ("SN", "^2^+", .text("2+ mg")),
            ("SN", "^1^-^2", .range(low: "1", high: "2", unit: "mg", unitSystem: ucum)),
            ("SN", "^1^:^128", .ratio(numerator: "1", denominator: "128", unit: "mg", unitSystem: ucum)),
            ("SN", ">=^1^-^3", .text(">=1-3 mg")),
            ("NR", "1^2", .range(low: "1", high: "2", unit: "mg", unitSystem: ucum)),
            ("ST", "as it is", .text("as it is")),
        ] as [(String, String, Workflow.Observation.Value)])
    func units(type: String, sent: String, value: Workflow.Observation.Value) async throws {
        let receipt = await inbox.receive(
            Site.oru("M1", status: "F", obx: ["OBX|1|\(type)|A^B^L||\(sent)|mg^^UCUM|||||F"]), peer: nil)
        var isText = false
        if case .text = value { isText = type != "ST" }
        // That the result came before its order is told too.
        let conditions = receipt.conditions.filter { $0 != "0" }
        #expect(receipt.code == "AA", "\(receipt)")
        #expect(conditions == (isText ? ["102"] : []), "\(receipt)")
        #expect(store.reports.first?.observations.first?.value == value)
    }
    private static let ucum = "http://unitsofmeasure.org"

    @Test("H11: a finding that comes again without its value has none any more")
    func emptied() async {
        for (index, value) in ["7", ""].enumerated() {
            _ = await inbox.receive(
                Site.oru(
                    "M\(index)", status: index == 0 ? "P" : "F", issued: "2026112115000\(index)",
                    obx: ["OBX|1|NM|A^B^L||\(value)|mg|||||F"]), peer: nil)
        }
        #expect(store.reports.first?.observations.count == 1)
        #expect(store.reports.first?.observations.first?.value == nil)
    }

    @Test(
        "OBR-24: sections of table 0074, modalities of DICOM, and neither",
        arguments: [
            ("RUS", "US", ""), ("ES", "ES", ""), ("XRC", "RF", ""), ("LAB", nil, ""), ("QQ", nil, "OBR^1^24^1"),
        ] as [(String, String?, String)])
    func modality(sent: String, modality: String?, place: String) async {
        let obr = segment("OBR", [2: "PL-1", 4: "X^X", 24: sent])
        let receipt = await inbox.receive(Site.orm("M1", orc: "ORC|NW|PL-1|FI-1", obr: obr), peer: nil)
        #expect(receipt.code == "AA", "\(receipt)")
        #expect(receipt.place == place, "\(receipt)")
        #expect(store.orders.first?.modality == modality)
    }

    @Test("The category of a report: 0074, DCM, or a code of no system with a word")
    func category() async throws {
        for (index, entry) in [
            ("RAD", Self.table("0074")), ("ES", "http://dicom.nema.org/resources/ontology/DCM"), ("QQ", nil),
        ]
        .enumerated() {
            let obr = segment("OBR", [3: "FI-\(index)", 4: "X^X", 24: entry.0, 25: "F"])
            let receipt = await send([Site.msh("ORU^R01", "M\(index)"), Site.pid, obr, "OBX|1|TX|A||text||||||F"])
            #expect(receipt.code == "AA", "\(receipt)")
            #expect(receipt.place == (entry.1 == nil ? "OBR^1^24^1" : ""), "\(receipt)")
            let report = try #require(store.reports.first { $0.filler?.value == "FI-\(index)" })
            #expect(report.category?.codings.first?.code == entry.0)
            #expect(report.category?.codings.first?.system == entry.1)
        }
    }

    @Test(
        "Priorities: before an operation and on call-back are not routine; timed ones are urgent; others are told",
        arguments: [
            ("S", .stat, ""), ("P", .asap, ""), ("C", .asap, ""), ("R", .routine, ""), ("TM30", .urgent, ""),
            ("TX9", nil, "OBR^1^5^1"), ("Q", nil, "OBR^1^5^1"),
        ] as [(String, ImagingOrder.Priority?, String)])
    func priorities(sent: String, priority: ImagingOrder.Priority?, place: String) async {
        let obr = segment("OBR", [2: "PL-1", 4: "X^X", 5: sent])
        let receipt = await inbox.receive(Site.orm("M1", orc: "ORC|NW|PL-1|FI-1", obr: obr), peer: nil)
        #expect(receipt.place == place, "\(receipt)")
        #expect(store.orders.first?.priority == priority)
    }

    @Test("AL1: a category or severity of another system or outside of its table is kept with its code and told")
    func allergies() async throws {
        typealias Name = ClinicalStatement.Name
        for (index, entry) in [("DA^Drug^HL70127", 0), ("DA^Dust^99KIS", 1), ("ZZ", 1)].enumerated() {
            let receipt = await send([
                Site.msh("ADT^A08", "M\(index)", time: "2026112109000\(index)"), Site.pid, "AL1|1|\(entry.0)|X^Y^L|SV",
            ])
            #expect(receipt.code == "AA", "\(receipt)")
            #expect(receipt.conditions.count == entry.1, "\(receipt)")
        }
        let statement = try #require(store.patients.first?.statements?.first)
        #expect(statement.attributes.concepts(Name.category).first?.codings.first?.code == "ZZ")
    }
}
