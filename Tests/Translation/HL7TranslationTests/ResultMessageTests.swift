import Basics
import HL7Translation
import Testing
import Workflow

/// HL7 v2.5.1 §7.3.1 and §7.4, IHE RAD-28.
@Suite struct ResultMessageTests {
    let store = MemoryStore()
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ bytes: [UInt8]) async -> HL7Inbox.Receipt { await inbox.receive(bytes, peer: nil) }
    private let text = [
        "OBX|1|FT|59776-5^Findings^LN||No bleeding.\\.br\\Ventricles normal.||||||F",
        "OBX|2|TX|59776-5^Findings^LN||A & B ^ C||||||F",
        "OBX|3|TX|19005-8^Impression^LN||Normal CT.||||||F",
    ]

    @Test(
        "Broken results are AE at their place and change nothing",
        arguments: [
            (["ORC|RE|PL-1"], "100", "ORC^1"), ([], "100", "OBR^1"),
            (["OBR|1|||X|||||||||||||||||||||F"], "101", "OBR^1"),
            (["OBR|1||F-1|X|||||||||||||||||||||Q"], "103", "OBR^1^25^1"),
            (["OBR|1||F-1|X|||||||||||||||||||||F", "OBX|1|ED|PDF||^AP^pdf^Base64^!!!||||||F"], "102", "OBX^1^5^1"),
            (["OBR|1||F-1|X|||||||||||||||||||||F", "OBX|1|ED|PDF||^AP^pdf^Base64^||||||F"], "102", "OBX^1^5^1"),
        ] as [([String], String, String)])
    func broken(segments: [String], condition: String, place: String) async {
        let receipt = await send(Site.lines([Site.msh("ORU^R01", "M1"), Site.pid] + segments))
        #expect(receipt.code == "AE")
        #expect(receipt.conditions == [condition])
        #expect(receipt.place == place)
        #expect(store.reports.isEmpty)
        #expect(store.orders.isEmpty)
    }

    @Test(
        "Report text becomes one form, the impression the conclusion, measurements findings, the PDF a form, the UID a link"
    )
    func report() async throws {
        _ = await send(Site.orm("M1"))
        let pdf = Base64.encode(Array("%PDF-1.4 invented".utf8))
        let obx =
            text + [
                "OBX|4|NM|DLP^Dose length product^LOCAL||0450.10|mGy.cm^^UCUM|0-900|N|||F|||20261121143500",
                "NTE|1||from the console",
                "OBX|5|ED|PDF^Report^LOCAL||HIL^AP^PDF^Base64^\(pdf)||||||F",
                "OBX|6|ST|113014^DICOM Study^DCM||1.2.999.9||||||F",
                "OBX|7|CWE|BIRADS^Category^LOCAL||1^Negative^LOCAL||||||F",
                "OBX|8|SN|VOL^Volume^LOCAL||>^12.50|ml||||F",
            ]
        #expect(await send(Site.oru("M2", status: "F", obx: obx)).code == "AA")
        let report = try #require(store.reports.first)
        #expect(report.status == .final)
        #expect(report.orderID == store.orders.first?.id)
        #expect(store.orders.first?.status == .completed)
        #expect(report.code.displayText == "CT head")
        #expect(report.category?.codings.first?.code == "RAD")
        #expect(report.effective?.text == "2026-11-21T14:30:00+01:00")
        // 15:00 in Zurich.
        #expect(report.issued?.microseconds == 1_795_269_600_000_000)
        #expect(report.interpreters.first?.name?.family == "Leser")
        #expect(report.conclusion == "Normal CT.")
        #expect(report.studyInstanceUIDs == ["1.2.999.9"])
        #expect(report.presentedForms.map(\.contentType) == ["text/plain; charset=utf-8", "application/pdf"])
        #expect(
            String(decoding: report.presentedForms[0].data, as: UTF8.self)
                == "No bleeding.\nVentricles normal.\nA & B ^ C\n\nIMPRESSION:\nNormal CT.")
        #expect(report.presentedForms[1].data == Array("%PDF-1.4 invented".utf8))
        #expect(report.observations.map(\.key) == ["DLP|", "BIRADS|", "VOL|"])
        #expect(
            report.observations[0].value
                == .quantity(value: "450.10", comparator: nil, unit: "mGy.cm", unitSystem: "http://unitsofmeasure.org"))
        #expect(report.observations[0].referenceRange == "0-900")
        #expect(report.observations[0].interpretation.first?.codings.first?.code == "N")
        #expect(report.observations[0].notes == ["from the console"])
        #expect(report.observations[2].value == .quantity(value: "12.50", comparator: ">", unit: "ml", unitSystem: nil))
    }

    @Test("§7.4.1.25: preliminary, final, corrected go up; a late preliminary is accepted and dropped")
    func states() async throws {
        for (id, status, expected) in [
            ("M1", "P", Report.Status.preliminary), ("M2", "F", .final), ("M3", "C", .corrected),
            ("M4", "P", .corrected), ("M5", "F", .corrected),
        ] {
            #expect(await send(Site.oru(id, status: status, obx: text)).code == "AA")
            #expect(store.reports.map(\.status) == [expected])
        }
    }

    @Test("All OBX withdrawn make the report entered in error")
    func withdrawn() async {
        _ = await send(Site.oru("M1", status: "F", obx: text))
        _ = await send(Site.oru("M2", status: "C", obx: ["OBX|1|TX|59776-5||x||||||W", "OBX|2|TX|59776-5||x||||||D"]))
        #expect(store.reports.map(\.status) == [.enteredInError])
    }

    @Test("A withdrawn finding keeps its value under its new status; a repeated code is told apart")
    func findings() async throws {
        _ = await send(
            Site.oru(
                "M1", status: "F", obx: ["OBX|1|NM|A^A||1||||||F", "OBX|2|NM|A^A||2||||||F", "OBX|3|NM|A^A|2|3||||||F"])
        )
        #expect(store.reports.first?.observations.map(\.key) == ["A|", "A||2", "A|2"])
        _ = await send(Site.oru("M2", status: "C", obx: ["OBX|1|NM|A^A||||||||D"] + text))
        let first = try #require(store.reports.first?.observations.first)
        #expect(first.status == .enteredInError)
        #expect(first.value == .quantity(value: "1", comparator: nil, unit: nil, unitSystem: nil))
    }

    @Test(
        "Table 0125: each data type of OBX-5 has its value",
        arguments: [
            ("NM", "7.50", Observation.Value.quantity(value: "7.50", comparator: nil, unit: nil, unitSystem: nil)),
            ("NM", "+.5", .quantity(value: "0.5", comparator: nil, unit: nil, unitSystem: nil)),
            ("NM", "-007", .quantity(value: "-7", comparator: nil, unit: nil, unitSystem: nil)),
            ("NM", "<5", .quantity(value: "5", comparator: "<", unit: nil, unitSystem: nil)),
            ("NM", "1e5", .text("1e5")),
            ("NM", "1.", .quantity(value: "1", comparator: nil, unit: nil, unitSystem: nil)),
            ("SN", "^10^-^20", .range(low: "10", high: "20", unit: nil)),
            ("SN", "^1^:^128", .ratio(numerator: "1", denominator: "128")),
            ("SN", "=^5", .quantity(value: "5", comparator: nil, unit: nil, unitSystem: nil)),
            ("SN", "^3^+", .text("3+")), ("NR", "1^2.0", .range(low: "1", high: "2.0", unit: nil)),
            ("ST", "a\\T\\b", .text("a&b")), ("DT", "20261121", .dateTime(PartialDateTime("2026-11-21"))),
            ("TS", "20261121101500+0200", .dateTime(PartialDateTime("2026-11-21T10:15:00+02:00"))),
            ("TM", "1015", .time("10:15:00")), ("TM", "late", .text("late")),
            (
                "CE", "X^Text^L",
                .concept(CodedConcept(codings: [CodedConcept.Coding(system: nil, code: "X", display: "Text")]))
            ),
        ])
    func values(type: String, text: String, value: Observation.Value) async throws {
        _ = await send(Site.oru("M1", status: "F", obx: ["OBX|1|\(type)|K^K||\(text)||||||F"]))
        #expect(store.reports.first?.observations.first?.value == value)
    }

    @Test("A result before its order makes a minimal order, which a late NW does not open again")
    func resultFirst() async {
        _ = await send(Site.oru("M1", status: "F", obx: text))
        #expect(store.orders.map(\.status) == [.completed])
        _ = await send(Site.orm("M2"))
        #expect(store.orders.map(\.status) == [.completed])
    }

    @Test("A result for another patient's order is AE 205")
    func wrongPatient() async {
        _ = await send(Site.orm("M1"))
        let lines = [
            Site.msh("ORU^R01", "M2"), "PID|1||P-2^^^NORTH&2.999.1&ISO^MR||Andere",
            "OBR|1|PL-1^EHR|FI-1^RIS|X|||||||||||||||||||||F",
        ]
        #expect(await send(Site.lines(lines)).conditions == ["205"])
    }
}
