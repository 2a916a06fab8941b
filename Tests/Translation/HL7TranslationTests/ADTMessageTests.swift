import HL7Translation
import Testing
import Workflow

/// HL7 v2.5.1 §3.3, IHE RAD-1 and RAD-12.
@Suite struct ADTMessageTests {
    let store = MemoryStore()
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func identifier(_ value: String) -> Identifier { Identifier(system: "urn:oid:2.999.1", value: value) }

    @Test(
        "A message without PID or without an identifier is AE 100 or 101 at its place",
        arguments: [
            ([], "100", "PID^1"), (["PID|1||||Muster"], "101", "PID^1^3^1"),
            (["PID|1||\"\"||Muster"], "101", "PID^1^3^1"),
            (["PID|1||^^^NORTH||Muster"], "101", "PID^1^3^1"), (["PID|1||1^^^AHV^SS||Muster"], "101", "PID^1^3^1"),
        ] as [([String], String, String)])
    func unidentified(segments: [String], condition: String, place: String) async {
        let receipt = await inbox.receive(Site.lines([Site.msh("ADT^A04", "M1")] + segments), peer: nil)
        #expect(receipt.code == "AE")
        #expect(receipt.conditions == [condition])
        #expect(receipt.place == place)
    }

    @Test("A04 registers the patient with all PID says, and the visit")
    func register() async throws {
        #expect(await inbox.receive(Site.adt("A04", "M1"), peer: nil).code == "AA")
        let patient = try #require(store.patients.first)
        #expect(patient.identifiers == [Identifier(system: "urn:oid:2.999.1", value: "P-4711", kind: .medicalRecord)])
        #expect(
            patient.names == [
                HumanName(family: "Muster", given: ["Maxine", "Q"], prefix: ["Dr"], suffix: ["Jr"], use: .official)
            ])
        #expect(patient.birthDate?.text == "1975-03-15")
        #expect(patient.sex == .female)
        #expect(
            patient.addresses == [
                PostalAddress(
                    lines: ["Am Weg 5"], city: "Beispielwil", state: "ZH", postalCode: "8999", country: "CHE",
                    use: .home)
            ])
        #expect(
            patient.telecoms == [
                ContactPoint(system: .phone, value: "+41 44 555 12 34", use: .home),
                ContactPoint(system: .phone, value: "+41 44 555 99 99", use: .work),
            ])
        #expect(patient.language?.codings.first?.code == "de")
        #expect(
            patient.maritalStatus?.codings.first
                == CodedConcept.Coding(system: "http://terminology.hl7.org/CodeSystem/v2-0002", code: "M"))
        let visit = try #require(store.visits.first)
        #expect(visit.patientID == patient.id)
        #expect(visit.identifier?.value == "V-100")
        #expect(visit.status == .arrived)
        #expect(visit.classCode?.code == "AMB")
        #expect(visit.location == "RAD, A1, 1, NORTH")
        #expect(visit.attending?.name?.family == "Arzt")
        #expect(visit.start?.text == "2026-11-21T08:29:00+01:00")
        // 08:30 in Zurich is 07:30 UTC.
        #expect(patient.eventTime?.microseconds == 1_795_246_200_000_000)
    }

    @Test("§2.5.3: A08 with empty fields keeps, with \"\" removes, with values replaces")
    func update() async throws {
        _ = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        let pid = "PID|1||P-4711^^^NORTH&2.999.1&ISO^MR||Neu^Maxine||\"\"||||\"\"||||"
        #expect(
            await inbox.receive(Site.adt("A08", "M2", pid: pid, pv1: nil, time: "20261121093000"), peer: nil).code
                == "AA")
        let patient = try #require(store.patients.first)
        #expect(patient.names.map(\.family) == ["Neu"])
        #expect(patient.birthDate == nil)
        #expect(patient.addresses.isEmpty)
        #expect(patient.sex == .female)
        #expect(patient.telecoms.count == 2)
    }

    @Test("A snapshot feed removes what it sends empty")
    func snapshot() async throws {
        var profile = try Site.profile()
        profile.isSnapshot = true
        let inbox = Site.inbox(store, profile)
        _ = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        _ = await inbox.receive(
            Site.adt("A08", "M2", pid: "PID|1||P-4711^^^NORTH&2.999.1&ISO^MR||Neu", pv1: nil, time: "20261121093000"),
            peer: nil)
        #expect(store.patients.first?.sex == nil)
        #expect(store.patients.first?.telecoms.isEmpty == true)
    }

    @Test("An older A08 changes nothing and is accepted")
    func stale() async throws {
        _ = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        let receipt = await inbox.receive(
            Site.adt("A08", "M2", pid: "PID|1||P-4711^^^NORTH&2.999.1&ISO^MR||Alt", pv1: nil, time: "20261120093000"),
            peer: nil)
        #expect(receipt.code == "AA")
        #expect(receipt.result == .ignored)
        #expect(store.patients.first?.names.first?.family == "Muster")
    }

    @Test("A01, A03, A11, A13: the visit's state and end follow the event")
    func visitStates() async throws {
        _ = await inbox.receive(Site.adt("A01", "M1"), peer: nil)
        #expect(store.visits.first?.status == .inProgress)
        _ = await inbox.receive(
            Site.adt("A03", "M2", pv1: Site.pv1 + "|20261121170000", time: "20261121170000"), peer: nil)
        #expect(store.visits.first?.status == .finished)
        #expect(store.visits.first?.end?.text == "2026-11-21T17:00:00+01:00")
        _ = await inbox.receive(Site.adt("A13", "M3", time: "20261121171000"), peer: nil)
        #expect(store.visits.first?.status == .inProgress)
        #expect(store.visits.first?.end == nil)
        _ = await inbox.receive(Site.adt("A11", "M4", time: "20261121172000"), peer: nil)
        #expect(store.visits.first?.status == .cancelled)
        #expect(store.visits.count == 1)
    }

    @Test(
        "A28, A31 and class N, and an update without a number make no visit",
        arguments: [("A28", "PV1|1|O"), ("A31", "PV1|1|O"), ("A04", "PV1|1|N"), ("A08", "PV1|1|O")])
    func noVisit(event: String, pv1: String) async {
        #expect(await inbox.receive(Site.adt(event, "M1", pv1: pv1), peer: nil).code == "AA")
        #expect(store.visits.isEmpty)
        #expect(store.patients.count == 1)
    }

    @Test("A40: the prior patient is retired into the surviving one; again is accepted; inverse and self are AE 205")
    func merge() async throws {
        let prior = "PID|1||P-1^^^NORTH&2.999.1&ISO^MR||Muster^M"
        _ = await inbox.receive(Site.adt("A04", "M1", pid: prior, pv1: nil), peer: nil)
        _ = await inbox.receive(Site.adt("A04", "M2", pv1: nil), peer: nil)
        let merge = ["MRG|P-1^^^NORTH&2.999.1&ISO^MR"]
        #expect(await inbox.receive(Site.adt("A40", "M3", pv1: nil, more: merge), peer: nil).result == .applied)
        let survivor = try #require(store.patients.first { $0.isActive })
        let retired = try #require(store.patients.first { !$0.isActive })
        #expect(retired.mergedInto == survivor.id)
        #expect(survivor.identifiers.contains { $0.matches(identifier("P-1")) && !$0.isCurrent })
        #expect(await inbox.receive(Site.adt("A40", "M4", pv1: nil, more: merge), peer: nil).code == "AA")
        let inverse = Site.adt("A40", "M5", pid: prior, pv1: nil, more: ["MRG|P-4711^^^NORTH&2.999.1&ISO^MR"])
        #expect(await inbox.receive(inverse, peer: nil).conditions == ["205"])
        // A later update for the retired number wakes nobody.
        _ = await inbox.receive(
            Site.adt("A08", "M6", pid: prior + "||19990101", pv1: nil, time: "20261122080000"), peer: nil)
        #expect(store.patients.first { !$0.isActive }?.birthDate == nil)
    }

    @Test(
        "A40 without MRG, or MRG without an identifier, is AE at MRG",
        arguments: [([], "100", "MRG^1"), (["MRG|"], "101", "MRG^1^1^1")] as [([String], String, String)])
    func brokenMerge(more: [String], condition: String, place: String) async {
        let receipt = await inbox.receive(Site.adt("A40", "M1", pv1: nil, more: more), peer: nil)
        #expect(receipt.conditions == [condition])
        #expect(receipt.place == place)
    }

    @Test("Several pairs in one A40: all or none")
    func severalPairs() async {
        let more = [
            "MRG|P-1^^^NORTH&2.999.1&ISO^MR", "PID|2||P-3^^^NORTH&2.999.1&ISO^MR||X", "MRG|P-3^^^NORTH&2.999.1&ISO^MR",
        ]
        #expect(await inbox.receive(Site.adt("A40", "M1", pv1: nil, more: more), peer: nil).code == "AE")
        #expect(store.patients.isEmpty)
    }

    @Test("H1: authorities that the site does not know are each their own, and told to the operator")
    func unknownAuthorities() async {
        let pid = "PID|1||1^^^NORTH^MR~2^^^ELSE^MR~3^^^OTHER^MR~4^^^ELSE&2.999.7&ISO^PI||Muster"
        _ = await inbox.receive(Site.adt("A04", "M1", pid: pid, pv1: nil), peer: nil)
        #expect(
            store.patients.first?.identifiers.map { "\($0.system) \($0.value)" } == [
                "urn:oid:2.999.1 1", "urn:hilum:unknown-issuer:ELSE 2", "urn:hilum:unknown-issuer:OTHER 3",
                "urn:oid:2.999.7 4",
            ])
        #expect(
            store.unknownAuthorities.map(\.system).sorted() == [
                "urn:hilum:unknown-issuer:ELSE", "urn:hilum:unknown-issuer:OTHER", "urn:oid:2.999.7",
            ])
    }
}
