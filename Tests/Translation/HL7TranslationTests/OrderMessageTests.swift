import HL7Translation
import HL7v2
import TestSupport
import Testing
import Workflow

/// HL7 v2.5.1 §4.4.1, §4.5, IHE RAD-2 to RAD-4 and RAD-13.
@Suite struct OrderMessageTests {
    let store = MemoryStore(time: TestClock().now())
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ bytes: [UInt8]) async -> HL7Inbox.Receipt { await inbox.receive(bytes, peer: nil) }

    @Test(
        "Broken orders are AE at their place and change nothing",
        arguments: [
            (nil, nil, "100", "ORC^1"), ("ORC||PL-1", Site.obr, "101", "ORC^1^1^1"),
            ("ORC|QQ|PL-1", Site.obr, "103", "ORC^1^1^1"),
            ("ORC|NW", "OBR|1|||X", "101", "OBR^1"),
            ("ORC|NW|PL-9", "OBR|1|PL-9||X||||||||||||||12345678901234567", "102", "OBR^1"),
        ] as [(String?, String?, String, String)])
    func broken(orc: String?, obr: String?, condition: String, place: String) async {
        let lines = [Site.msh("ORM^O01", "M1"), Site.pid] + [orc, obr].compactMap { $0 }
        let receipt = await send(Site.lines(lines))
        #expect(receipt.code == "AE")
        #expect(receipt.conditions == [condition])
        #expect(receipt.place == place)
        #expect(store.orders.isEmpty)
    }

    @Test("NW makes the order with its numbers, code, times, people and one scheduled step")
    func new() async throws {
        _ = await send(Site.adt("A04", "M0"))
        #expect(
            await send(Site.orm("M1", more: ["NTE|1||first~second", "ZDS|1.2.999.1^HIL^Application^DICOM"])).code
                == "AA")
        let order = try #require(store.orders.first)
        #expect(order.placer == Identifier(system: "urn:hilum:unknown-issuer:EHR", value: "PL-1", kind: .placer))
        #expect(order.filler == Identifier(system: "https://north.example/ris", value: "FI-1", kind: .filler))
        #expect(
            order.accession == Identifier(system: "https://north.example/accession", value: "ACC-1", kind: .accession))
        #expect(order.requestedProcedureID == "RP-1")
        #expect(order.studyInstanceUID == "1.2.999.1")
        #expect(order.status == .active)
        #expect(order.priority == .stat)
        #expect(
            order.code.codings == [
                CodedConcept.Coding(system: "https://north.example/codes", code: "CTHEAD", display: "CT head")
            ])
        #expect(order.modality == "CT")
        #expect(order.reasons.first?.text == "headache")
        #expect(order.clinicalInformation == "trauma")
        #expect(order.requester?.name?.family == "Zuweiser")
        #expect(order.requester?.identifier?.value == "7002")
        #expect(order.orderedAt?.text == "2026-11-21T09:00:00+01:00")
        #expect(order.scheduledAt?.text == "2026-11-21T14:00:00+01:00")
        #expect(order.notes == ["first\nsecond"])
        #expect(order.visitID == store.visits.first?.id)
        let step = try #require(order.steps.first)
        #expect(order.steps.count == 1)
        #expect(step.stepID == "SPS-1")
        #expect(step.modality == "CT")
        #expect(step.status == .scheduled)
        #expect(step.scheduledStart?.text == "2026-11-21T14:00:00+01:00")
        #expect(step.description == "CT head")
    }

    @Test("An order for a patient that is not registered yet registers what PID says")
    func unknownPatient() async {
        #expect(await send(Site.orm("M1")).code == "AA")
        #expect(store.patients.first?.names.first?.family == "Muster")
        #expect(store.patients.first?.eventTime == nil)
    }

    @Test(
        "CA, DC, HD, RL and SC move the order and the worklist; ORC alone keeps what OBR said",
        arguments: [
            ("CA", "CA", ImagingOrder.Status.revoked, ScheduledProcedureStep.Status.canceled),
            ("CA", "", .revoked, .canceled), ("OC", "", .revoked, .canceled),
            ("DC", "CA", .revoked, .discontinued), ("HD", "HD", .onHold, .held), ("SC", "IP", .active, .inProgress),
            ("SC", "CM", .completed, .completed),
            ("XO", "SC", .active, .scheduled), ("SC", "", .active, .scheduled), ("XO", "CM", .completed, .completed),
        ])
    func control(control: String, status: String, order: ImagingOrder.Status, step: ScheduledProcedureStep.Status)
        async throws
    {
        _ = await send(Site.orm("M1"))
        let receipt = await send(
            Site.orm("M2", orc: "ORC|\(control)|PL-1^EHR|FI-1^RIS||\(status)||||20261121100000|||||||^gone", obr: nil))
        #expect(receipt.code == "AA")
        let stored = try #require(store.orders.first)
        #expect(store.orders.count == 1)
        #expect(stored.status == order)
        #expect(stored.steps.map(\.status) == [step])
        #expect(stored.code.codings.first?.code == "CTHEAD")
        #expect(stored.statusReason?.text == "gone")
    }

    @Test("A cancel that comes before its order makes a revoked one that the late NW does not open")
    func cancelFirst() async throws {
        #expect(
            await send(Site.orm("M1", orc: "ORC|CA|PL-1^EHR|FI-1^RIS||CA||||20261121100000", obr: nil)).code == "AA")
        let late = await send(Site.orm("M2"))
        #expect(late.code == "AA")
        #expect(late.result == .ignored || store.orders.first?.status == .revoked)
        #expect(store.orders.map(\.status) == [.revoked])
    }

    @Test("The number of another patient's order is AE 205")
    func conflict() async {
        _ = await send(Site.orm("M1"))
        let other = Site.lines([
            Site.msh("ORM^O01", "M2"), "PID|1||P-2^^^NORTH&2.999.1&ISO^MR||Andere", "ORC|XO|PL-1^EHR|FI-1^RIS",
            Site.obr,
        ])
        #expect(await send(other).conditions == ["205"])
        #expect(store.patients.count == 1)
    }

    @Test("Two groups in one message are two orders; a refusal of one undoes both")
    func groups() async {
        let second = ["ORC|NW|PL-2^EHR|FI-2^RIS", "OBR|2|PL-2^EHR|FI-2^RIS|X||||||||||||||ACC-2"]
        #expect(await send(Site.orm("M1", more: second)).code == "AA")
        #expect(store.orders.count == 2)
        let broken = ["ORC|NW|PL-4", "OBR|2|PL-4||X||||||||||||||THIS-IS-FAR-TOO-LONG"]
        let orc = "ORC|NW|PL-3"
        #expect(
            await send(Site.orm("M2", orc: orc, obr: "OBR|1|PL-3||X||||||||||||||ACC-3", more: broken)).code == "AE")
        #expect(store.orders.count == 2)
    }

    @Test("OMI^O23: one step for each IPC, with its own id, protocol, station and UID")
    func imagingSegments() async throws {
        let lines = [
            Site.msh("OMI^O23", "M1"), Site.pid, "ORC|NW|PL-1^EHR|FI-1^RIS", "TQ1|1||||||20261122093000||A^ASAP",
            "OBR|1|PL-1^EHR|FI-1^RIS|CTHEAD^CT head^LOCAL",
            "IPC|ACC-7^RIS|RP-7|1.2.999.7|SPS-7|CT|P1^Head plain^LOCAL|CTROOM^^|R1|CT01",
            "IPC|ACC-7^RIS|RP-7|1.2.999.7|SPS-8|CT|P2^Head contrast^LOCAL",
        ]
        #expect(await send(Site.lines(lines)).code == "AA")
        let order = try #require(store.orders.first)
        #expect(order.accession == Identifier(system: "https://north.example/ris", value: "ACC-7", kind: .accession))
        #expect(order.requestedProcedureID == "RP-7")
        #expect(order.studyInstanceUID == "1.2.999.7")
        #expect(order.priority == .asap)
        #expect(order.steps.map(\.stepID) == ["SPS-7", "SPS-8"])
        #expect(order.steps.map(\.description) == ["Head plain", "Head contrast"])
        #expect(order.steps.first?.stationAETitle == "CT01")
        #expect(order.steps.first?.stationName == "CTROOM")
        #expect(order.steps.first?.protocolCode?.code == "P1")
        #expect(order.steps.first?.scheduledStart?.text == "2026-11-22T09:30:00+01:00")
    }

    @Test(
        "HL7 v2.5.1 §4.4: TQ1 is the order's before its OBR and behind it, in ORM and OMG, and no stray",
        arguments: ["ORM^O01", "OMG^O19"], [true, false])
    func timingBesideRequest(_ type: String, _ isBefore: Bool) async throws {
        let timing = "TQ1|1||||||20261122093000||A^ASAP"
        let request = "OBR|1|PL-1^EHR|FI-1^RIS|CTHEAD^CT head^LOCAL"
        let lines = [Site.msh(type, "M1"), Site.pid, "ORC|NW|PL-1^EHR|FI-1^RIS"]
        let receipt = await send(Site.lines(lines + (isBefore ? [timing, request] : [request, timing])))
        #expect(receipt.code == "AA")
        #expect(receipt.notes.filter { $0.contains("TQ1") } == [])
        #expect(store.orders.first?.steps.first?.scheduledStart?.text == "2026-11-22T09:30:00+01:00")
    }

    @Test("The study UID comes from IPC-3, then ZDS-1, then OBX 113014; a second one never replaces the stored one")
    func studyUID() async throws {
        _ = await send(
            Site.orm(
                "M1", more: ["OBX|1|ST|113014^DICOM Study^DCM||1.2.999.3||||||F", "ZDS|1.2.999.2^A^Application^DICOM"]))
        #expect(store.orders.first?.studyInstanceUID == "1.2.999.2")
        let receipt = await send(
            Site.orm("M2", orc: "ORC|XO|PL-1^EHR|FI-1^RIS||SC||||20261121110000", more: ["ZDS|1.2.999.4"]))
        #expect(receipt.code == "AA")
        #expect(receipt.notes.contains { $0.contains("study instance UID") })
        #expect(store.orders.first?.studyInstanceUID == "1.2.999.2")
    }

    @Test("Different numbers in ORC and OBR: ORC counts, with a warning")
    func numbersDiffer() async {
        let receipt = await send(Site.orm("M1", orc: "ORC|NW|PL-X^EHR|FI-1^RIS"))
        #expect(receipt.conditions == ["0"])
        #expect(store.orders.first?.placer?.value == "PL-X")
    }

    @Test("The site's fields come before the built-in places")
    func overrides() async throws {
        var profile = try Site.profile()
        profile.fields = [
            .accession: [try FieldPath("OBR-2.1")], .stationAETitle: [try FieldPath("ORC-18.1")],
            .stepID: [try FieldPath("OBR-19")],
        ]
        let inbox = Site.inbox(store, profile)
        _ = await inbox.receive(Site.orm("M1", orc: "ORC|NW|PL-1^EHR|FI-1^RIS|||||||||||||||CT02"), peer: nil)
        #expect(store.orders.first?.accession?.value == "PL-1")
        #expect(store.orders.first?.steps.first?.stationAETitle == "CT02")
        #expect(store.orders.first?.steps.first?.stepID == "RP-1")
    }

    @Test("Order responses are kept without effect")
    func responses() async {
        let receipt = await send(Site.orm("M1", orc: "ORC|UA|PL-1^EHR|FI-1^RIS"))
        #expect(receipt.code == "AA")
        #expect(receipt.result == .ignored)
        #expect(store.orders.isEmpty)
    }
}
