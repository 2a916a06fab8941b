import HL7Translation
import HL7v2
import TestSupport
import Testing
import Workflow

/// What identifiers, names, addresses and places say beside their value. HL7 v2.5.1 §2.A.14 CX, §2.A.53 PL, §2.A.88 XAD,
/// §2.A.89 XPN; v2-to-FHIR CX, XAD, XPN, XCN, PL, PD1, IN1.
@Suite struct ValidityTests {
    let store = MemoryStore(time: TestClock().now())
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ lines: [String]) async -> HL7Inbox.Receipt { await inbox.receive(Site.lines(lines), peer: nil) }
    private func segment(_ name: String, _ fields: [Int: String]) -> String {
        name + (1...(fields.keys.max() ?? 1)).map { "|" + (fields[$0] ?? "") }.joined()
    }
    private func pid(_ number: String) -> String { "PID|1||P-1^\(number)||A^B" }
    private static let rest = "^NORTH&2.999.1&ISO^MR^"

    @Test("CX.2, 6, 7 and 8 are told of an identifier and never matched; the newest statement stands in any order")
    func identifiers() async throws {
        let old = pid("3^M10" + Self.rest + "EAST^20200101^20201231")
        let new = pid("7^M10" + Self.rest + "WEST^20210101")
        for (first, second) in [(old, new), (new, old)] {
            let store = MemoryStore(time: TestClock().now())
            let inbox = Site.inbox(store, try Site.profile())
            for line in [first, second] {
                let time = line == old ? "20261121080000" : "20261121090000"
                _ = await inbox.receive(Site.lines([Site.msh("ADT^A08", "M" + time, time: time), line]), peer: nil)
            }
            #expect(store.patients.count == 1)
            let number = try #require(store.patients.first?.identifiers.first)
            #expect(number.details?.checkDigit == "7")
            #expect(number.details?.facility == "WEST")
            #expect(number.details?.period == ValidityPeriod(start: PartialDateTime("2021-01-01"), end: nil))
        }
    }

    @Test("XPN.12 to 14, XAD.13, 14 and 19: period, professional suffix and addressee; the older range form of both")
    func namesAndAddresses() async throws {
        let name = "Muster^Max^^Jr^Dr^MD^L^A^^^^20200101^20211231^FACR"
        let ranged = "Alt^Max^^^^^D^^^20100101&20191231"
        let address = "Am Weg 5^^Ort^ZH^8999^CHE^H^^^^^^20200101^20211231^^^^^c/o Kim"
        _ = await send([Site.msh("ADT^A04", "M1"), segment("PID", [3: "P-1", 5: name + "~" + ranged, 11: address])])
        let patient = try #require(store.patients.first)
        let years = ValidityPeriod(start: PartialDateTime("2020-01-01"), end: PartialDateTime("2021-12-31"))
        #expect(patient.names.first?.period == years)
        #expect(patient.names.first?.suffix == ["Jr", "MD", "FACR"])
        #expect(patient.names.last?.period?.start?.text == "2010-01-01")
        #expect(patient.addresses.first?.period == years)
        #expect(patient.addresses.first?.lines == ["Am Weg 5", "c/o Kim"])
    }

    @Test("A birth time is kept beside the date; a period or a time that cannot be read is told and leaves the rest")
    func birthTime() async throws {
        let receipt = await send([
            Site.msh("ADT^A04", "M1"),
            segment("PID", [3: "P-1^^^NORTH&2.999.1&ISO^MR^^soon", 5: "A^B", 7: "197503150412"]),
        ])
        #expect(receipt.code == "AA")
        #expect(receipt.conditions == ["102"])
        let patient = try #require(store.patients.first)
        #expect(patient.birthDate?.text == "1975-03-15")
        #expect(patient.attributes?.dateTime(Patient.Attribute.birthTime)?.text == "1975-03-15T04:12:00+01:00")
        #expect(patient.identifiers.first?.details == nil)
    }

    @Test("PL.6 is the kind of each place of a visit; a new place without one is of no kind")
    func places() async throws {
        let number = "V-1"
        _ = await send([
            Site.msh("ADT^A02", "M1"), Site.pid,
            segment("PV1", [2: "I", 3: "WARD^1^2^^^N", 6: "ER^^^^^D", 19: number]),
        ])
        let visit = try #require(store.visits.first)
        #expect(visit.attributes?.concepts(Visit.Attribute.locationType).first?.codings.first?.code == "N")
        #expect(visit.attributes?.concepts(Visit.Attribute.priorLocationType).first?.codings.first?.code == "D")
        _ = await send([
            Site.msh("ADT^A02", "M2", time: "20261121090000"), Site.pid,
            segment("PV1", [2: "I", 3: "WARD^7", 19: number + "^^^^^EAST^20261101"]),
        ])
        let moved = try #require(store.visits.first)
        #expect(moved.location == "WARD, 7")
        #expect(moved.attributes?.concepts(Visit.Attribute.locationType) == [])
        #expect(moved.identifier?.details?.facility == "EAST")
    }

    @Test("PD1-6, PD1-14, PID-39, IN1-10 and 11, XON.7")
    func others() async throws {
        typealias Name = Patient.Attribute
        _ = await send([
            Site.msh("ADT^A04", "M1"), Site.pid + segment("", [23: "CHOCTAW^Choctaw Nation^L"]),
            segment("PD1", [3: "Clinic^^^^^NORTH^XX^^^C-1", 6: "W^Wheelchair^HL70295", 14: "St. John"]),
            segment("IN1", [2: "PLAN", 10: "E-9", 11: "Worldwide Widgets"]),
        ])
        let patient = try #require(store.patients.first)
        let attributes = try #require(patient.attributes)
        #expect(attributes.concepts(Name.disability).first?.codings.first?.code == "W")
        #expect(attributes.text(Name.congregation) == "St. John")
        #expect(attributes.concepts(Name.tribes).first?.codings.first?.display == "Choctaw Nation")
        #expect(attributes.parties(Name.organizations).first?.identifier?.kind == .other)
        let holder = patient.statements?.first?.attributes.parties(ClinicalStatement.Name.policyHolders).first
        #expect(holder?.displayName == "Worldwide Widgets")
        #expect(holder?.identifier?.value == "E-9")
    }

    @Test(
        "OBX-14 of a report's text counts as carried where it says what the report says, and is listed where it does not"
    )
    func observedAt() async throws {
        let lines = [
            "OBX|1|TX|R^Report||one||||||F|||20261121143000", "OBX|2|TX|R^Report||two||||||F|||20260101000000",
        ]
        _ = await inbox.receive(Site.oru("M1", status: "F", obx: lines), peer: nil)
        let message = try #require(store.journal.first)
        let entries = try #require(message.coverage).entries.filter { $0.place.hasPrefix("OBX-14") }
        #expect(entries.map(\.disposition) == [.mapped, .unmapped])
    }
}
