import Basics
import HL7Translation
import HL7v2
import Testing
import Workflow

/// Nothing is dropped in silence: groups, snapshots, what is withdrawn, repetitions, what can not be read.
/// HL7 v2.5.1 §2.9.2, §2.10, §4.4, §7.3; cases H4, H5, H10 to H13, H16, H19, H20, H26.
@Suite struct SilenceTests {
    let store = MemoryStore()
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ bytes: [UInt8]) async -> HL7Inbox.Receipt { await inbox.receive(bytes, peer: nil) }
    private func acknowledgment(_ receipt: HL7Inbox.Receipt) -> String {
        String(decoding: receipt.acknowledgement, as: UTF8.self)
    }

    // MARK: Groups

    @Test("H4: each PATIENT_RESULT is filed under its own patient")
    func patients() async throws {
        let other = "PID|2||P-0815^^^NORTH&2.999.1&ISO^MR||Zweit^Zoe||19800101|F"
        let receipt = await send(
            Site.lines([
                Site.msh("ORU^R01", "M1"), Site.pid, "OBR|1||FI-1^RIS|A^A|||||||||||||||||||||F",
                "OBX|1|TX|T||one||||||F",
                other, "OBR|1||FI-2^RIS|B^B|||||||||||||||||||||F", "OBX|1|TX|T||two||||||F",
            ]))
        #expect(receipt.code == "AA")
        #expect(store.patients.count == 2)
        for (filler, number) in [("FI-1", "P-4711"), ("FI-2", "P-0815")] {
            let report = try #require(store.reports.first { $0.filler?.value == filler })
            let patient = try #require(store.patients.first { $0.id == report.patientID })
            #expect(patient.identifiers.first?.value == number)
        }
    }

    @Test("H4: a broken second patient leaves nothing of the first")
    func allOrNothing() async {
        let receipt = await send(
            Site.lines([
                Site.msh("ORU^R01", "M1"), Site.pid, "OBR|1||FI-1^RIS|A^A|||||||||||||||||||||F", "PID|2||",
                "OBR|1||FI-2^RIS|B^B|||||||||||||||||||||F",
            ]))
        #expect(receipt.code == "AE")
        #expect(receipt.place == "PID^2^3^1")
        #expect(store.reports.isEmpty && store.patients.isEmpty)
    }

    @Test("H5: the OBR of a PRIOR_RESULT is no order")
    func prior() async {
        let receipt = await send(
            Site.lines([
                Site.msh("OMG^O19^OMG_O19", "M1"), Site.pid, "ORC|NW|PL-1|FI-1", "OBR|1|PL-1|FI-1|CT^CT", Site.pid,
                "ORC|PR|PL-0|FI-0", "OBR|1|PL-0|FI-0|OLD^Old||||||||||||||||||20200101||RAD|F",
                "OBX|1|TX|T||old||||||F",
            ]))
        #expect(receipt.code == "AA")
        #expect(store.orders.map(\.placer?.value) == ["PL-1"])
    }

    @Test("A segment outside of its group is told with its place, and the rest is carried out")
    func stray() async {
        let receipt = await send(Site.adt("A08", "M1", more: ["OBR|1", "ZZZ|1"]))
        #expect(receipt.code == "AA")
        #expect(receipt.conditions == ["100"])
        #expect(receipt.place == "OBR^1")
        #expect(store.patients.count == 1)
        #expect(store.journal.first?.note?.contains("OBR: The segment is outside of the groups of ADT_A01") == true)
    }

    @Test(
        "H20: a message in parts is refused at its place",
        arguments: [
            (["ADD|rest of it"], "ADD^1"), (["DSC|C-1|F"], "DSC^1"),
        ])
    func continuation(more: [String], place: String) async {
        let receipt = await send(Site.oru("M1", status: "F", obx: ["OBX|1|TX|T||half"] + more))
        #expect(receipt.code == "AR")
        #expect(receipt.place == place)
        #expect(store.reports.isEmpty)
        let other = await send(
            Site.lines([Site.msh("ORU^R01", "M2") + "||C-1", Site.pid, "OBR|1||F-1|X", "OBX|1|TX|T||rest"]))
        #expect(other.code == "AR")
        #expect(other.place == "MSH^1^14^1")
    }

    // MARK: Reports

    private func text(_ report: Report?) -> String? {
        report?.presentedForms.first.map { String(decoding: $0.data, as: UTF8.self) }
    }

    @Test("H10: what OBX-11 withdraws (D, W, X) is in no line, conclusion, document or shown finding")
    func withdrawn() async throws {
        let pdf = Base64.encode(Array("%PDF invented".utf8))
        _ = await send(
            Site.oru(
                "M1", status: "F",
                obx: [
                    "OBX|1|TX|T||stays||||||F", "OBX|2|TX|T||wrong patient||||||W", "OBX|3|TX|T||deleted||||||D",
                    "NTE|1||to the deleted line", "OBX|4|TX|IMP||no conclusion||||||D",
                    "OBX|5|ED|PDF||^AP^PDF^Base64^\(pdf)||||||D",
                    "OBX|6|NM|A^A||1||||||W", "OBX|7|NM|B^B||2||||||F", "OBX|8|FT|T||not had||||||X",
                ]))
        let report = try #require(store.reports.first)
        #expect(text(report) == "stays")
        #expect(report.conclusion == nil)
        #expect(report.presentedForms.count == 1)
        #expect(report.observations.filter(\.isShown).map(\.code.codings.first?.code) == ["B"])
        #expect(report.status == .final)
    }

    @Test(
        "H11: a report is a snapshot: what a later state does not have is gone, but for one that tells of the state alone"
    )
    func snapshot() async throws {
        _ = await send(
            Site.oru(
                "M1", status: "P", issued: "20261121140000",
                obx: ["OBX|1|TX|T||old text||||||P", "OBX|2|TX|IMP||fracture||||||P", "OBX|3|NM|A^A||1||||||P"]))
        #expect(store.reports.first?.conclusion == "fracture")
        _ = await send(Site.oru("M2", status: "F", issued: "20261121150000", obx: ["OBX|1|TX|T||new text||||||F"]))
        let report = try #require(store.reports.first)
        #expect(report.conclusion == nil)
        #expect(text(report) == "new text")
        #expect(report.observations.map(\.isShown) == [false])
        _ = await send(Site.oru("M3", status: "C", issued: "20261121160000", obx: []))
        #expect(store.reports.first?.status == .corrected)
        #expect(text(store.reports.first) == "new text")
    }

    @Test("Table 0123 A: of a partial report the rest is still to come")
    func partial() async throws {
        _ = await send(Site.oru("M1", status: "A", issued: "20261121140000", obx: ["OBX|1|NM|A^A||1||||||F"]))
        _ = await send(Site.oru("M2", status: "A", issued: "20261121150000", obx: ["OBX|1|NM|B^B||2||||||F"]))
        #expect(store.reports.first?.observations.filter(\.isShown).count == 2)
    }

    @Test("H12: two OBR of one filler number are one report with the text of both")
    func parts() async throws {
        let obr = "OBR|2|PL-1^EHR|FI-1^RIS|CTNECK^CT neck^LOCAL|||||||||||||||||||||P"
        _ = await send(
            Site.oru(
                "M1", status: "F",
                obx: ["OBX|1|TX|T||head||||||F", obr, "OBX|1|TX|T||neck||||||F", "OBX|2|NM|A^A||1||||||F"]))
        #expect(store.reports.count == 1)
        #expect(text(store.reports.first) == "head\n\nCT NECK:\nneck")
        #expect(store.reports.first?.observations.count == 1)
        // As far as the part that is furthest behind.
        #expect(store.reports.first?.status == .preliminary)
    }

    @Test("H13: every repetition of OBX-5 is a value, and what is not carried is listed as not mapped")
    func repetitions() async throws {
        _ = await send(
            Site.oru(
                "M1", status: "F",
                obx: ["OBX|1|NM|A^A||1~2~<3|mm|||||F", "OBX|2|TX|T||one~two||||||F", "OBX|3|CWE|C^C||X^x~Y^y||||||F"]))
        let report = try #require(store.reports.first)
        let numbers = try #require(report.observations.first)
        #expect(numbers.value == .quantity(value: "1", comparator: nil, unit: "mm", unitSystem: nil))
        #expect(
            numbers.attributes?.values(ClinicalStatement.Name.furtherValues) == [
                .quantity(value: "2", comparator: nil, unit: "mm", unitSystem: nil),
                .quantity(value: "3", comparator: "<", unit: "mm", unitSystem: nil),
            ])
        #expect(text(report) == "one\ntwo")
        #expect(report.observations.last?.attributes?.values(ClinicalStatement.Name.furtherValues).count == 1)
        let orc = "ORC|NW|PL-2|FI-2||SC||||20261121090000|||7002^Zuweiser^Zora~7009^Second^Sam"
        _ = await send(Site.orm("M2", orc: orc, obr: "OBR|1|PL-2|FI-2|X^X"))
        let entries = try #require(store.journal.last?.coverage?.entries)
        #expect(entries.contains { $0.place == "ORC-12[2].2" && $0.disposition == .unmapped })
    }

    // MARK: Words

    @Test("H16: a time that can not be read is a warning at its place, in the answer and in the journal")
    func unreadableTime() async {
        let obr = "OBR|1|PL-1|FI-1|X^X" + String(repeating: "|", count: 32) + "2026-04-01 09:00"
        let receipt = await send(Site.orm("M1", orc: "ORC|NW|PL-1|FI-1", obr: obr))
        #expect(receipt.code == "AA")
        #expect(receipt.conditions == ["102"])
        #expect(receipt.place == "OBR^1^36^1")
        #expect(acknowledgment(receipt).contains("|W||||The value is not a legal date or time\r"))
        #expect(store.journal.first?.note == "OBR-36: The value is not a legal date or time")
        #expect(store.orders.first?.scheduledAt == nil)
    }

    @Test(
        "H19: before 2.5 the words of a warning reach the sender in MSA-3, and their place in ERR-1",
        arguments: [
            "2.3", "2.3.1", "2.4",
        ])
    func wordsBefore25(version: String) async {
        let pid = "PID|1||P-1^^^NORTH||Muster^Maxine||19751315|Q"
        let receipt = await send(Site.lines([Site.msh("ADT^A08", "M1", version: version), pid]))
        #expect(receipt.code == "AA")
        let text = acknowledgment(receipt)
        #expect(text.contains("MSA|AA|M1|The value is not a legal date or time\r"))
        #expect(
            text.contains("ERR|PID^1^7^102&Data type error&HL70357&&The value is not a legal date or time~PID^1^8^103&")
        )
    }

    @Test(
        "An unknown code becomes absent with a word to the sender, never another known one",
        arguments: [
            ("PID|1||P-1^^^NORTH||A^B|||X", "PID^1^8^1"),
            ("PID|1||P-1^^^NORTH||A^B" + String(repeating: "|", count: 25) + "J", "PID^1^30^1"),
        ])
    func unknownCodes(pid: String, place: String) async {
        let receipt = await send(Site.lines([Site.msh("ADT^A08", "M1"), pid]))
        #expect(receipt.conditions == ["103"])
        #expect(receipt.place == place)
        #expect(store.patients.first?.sex == nil)
        #expect(store.patients.first?.isDeceased == nil)
    }

    @Test("H26: a comparator in NM keeps number and unit; SN as before")
    func comparators() async {
        _ = await send(Site.oru("M1", status: "F", obx: ["OBX|1|NM|A^A||<5|mg/l^^UCUM|||||F"]))
        #expect(
            store.reports.first?.observations.first?.value
                == .quantity(value: "5", comparator: "<", unit: "mg/l", unitSystem: "http://unitsofmeasure.org"))
    }

    // MARK: Coverage

    @Test("Each populated component of a message is in its coverage: mapped with its target, kept, or not mapped")
    func coverage() async throws {
        _ = await send(Site.orm("M1", more: ["NTE|1||careful", "ZZZ|own"]))
        let coverage = try #require(store.journal.first?.coverage)
        func targets(_ place: String) -> [String] { coverage.entries.filter { $0.place == place }.flatMap(\.targets) }
        #expect(targets("PID-3.1") == ["Patient.identifier"])
        #expect(targets("PID-7.1") == ["Patient.birthDate"])
        #expect(targets("OBR-18.1") == ["ServiceRequest.identifier"])
        #expect(targets("NTE-3.1") == ["ServiceRequest.note"])
        #expect(coverage.entries.contains { $0.place == "ZZZ-1.1" && $0.disposition == .unmapped })
        #expect(coverage.entries.contains { $0.place == "MSH-10.1" && $0.disposition == .kept })
        let message = try Parser().parse(Site.orm("M1", more: ["NTE|1||careful", "ZZZ|own"]))
        var populated = 0
        message.forEachValue { _, _ in populated += 1 }
        #expect(coverage.entries.reduce(0) { $0 + $1.count } == populated)
        #expect(MessageCoverage(text: coverage.text) == coverage)
    }

    @Test("A message made to fill the coverage record is cut off in it and counted on")
    func hostileCoverage() async throws {
        let fields = (1...400).map { "\($0)" }.joined(separator: "|")
        let components = (1...3000).map { "c\($0)" }.joined(separator: "^")
        let receipt = await send(Site.adt("A08", "M1", more: ["ZZZ|" + fields, "ZZY|" + components]))
        #expect(receipt.code == "AA")
        let coverage = try #require(store.journal.first?.coverage)
        #expect(coverage.entries.count == MessageCoverage.entriesMax)
        #expect(coverage.omitted > 1000)
    }
}
