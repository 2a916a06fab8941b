import HL7Translation
import HL7v2
import Synchronization
import Testing
import Workflow

/// The right person and the right exam, from the wire: cases H1, H2, H6 to H9, H14, H15, H22, H23, S3, S11, S12.
/// HL7 v2.5.1 §2.5.3, §2.A.14, §2.A.28, §3.3.40, §4.4.1, §4.5.1, tables 0038 and 0119; IHE RAD TF-2 §4.4.
@Suite("The right person, the right exam") struct RightExamTests {
    let store = MemoryStore()
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ lines: [String]) async -> HL7Inbox.Receipt {
        await inbox.receive(Site.lines(lines), peer: nil)
    }
    private func orm(_ id: String, pid: String? = Site.pid, _ lines: String...) async -> HL7Inbox.Receipt {
        await send([Site.msh("ORM^O01", id)] + (pid.map { [$0] } ?? []) + lines)
    }
    /// An OBR with these fields.
    private func obr(_ fields: [Int: String]) -> String {
        let last = fields.keys.max() ?? 0
        return "OBR|" + (1...last).map { fields[$0] ?? "" }.joined(separator: "|")
    }
    private func adt(_ event: String, _ id: String, _ pid: String, time: String = "20261121083000", more: [String] = [])
        async -> HL7Inbox.Receipt
    {
        await inbox.receive(Site.adt(event, id, pid: pid, pv1: nil, time: time, more: more), peer: nil)
    }

    @Test("H1, H2: the same number of another authority is another patient and another order")
    func authorities() async {
        _ = await adt("A04", "M1", "PID|1||100^^^HOSP^MR||First")
        _ = await adt("A04", "M2", "PID|1||100^^^CLINICB^MR||Second")
        _ = await adt("A04", "M3", "PID|1||100^^^&2.999.77&ISO^MR||Third")
        _ = await adt("A04", "M4", "PID|1||100^^^^MR||Fourth")
        #expect(store.patients.map { $0.names.first?.family ?? "" }.sorted() == ["First", "Fourth", "Second", "Third"])
        _ = await orm("M5", "ORC|NW|1001^EHR", "OBR|1|1001^EHR||A^a^L")
        _ = await orm("M6", "ORC|NW|1001^EHR2", "OBR|1|1001^EHR2||B^b^L")
        #expect(store.orders.compactMap(\.code.codings.first?.code).sorted() == ["A", "B"])
    }

    @Test("H6: one ORC with CA and two OBR cancels both, by the numbers of each OBR or of the ORC")
    func oneORC() async {
        _ = await orm("M1", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L", "ORC|NW|P2|F2", "OBR|2|P2|F2|B^b^L")
        #expect(store.orders.count == 2)
        let receipt = await orm("M2", "ORC|CA|P1|F1", "OBR|1|P1|F1|A^a^L", "OBR|2|P2|F2|B^b^L")
        #expect(receipt.code == "AA")
        #expect(store.orders.map(\.status) == [.revoked, .revoked])
        #expect(store.orders.flatMap(\.steps).map(\.status) == [.canceled, .canceled])
    }

    @Test("H7: a cancel by ORC alone, without PID, is carried out; of an order that nobody knows it is AE 204")
    func withoutPatient() async {
        _ = await orm("M1", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        #expect(await orm("M2", pid: nil, "ORC|CA|P1|F1").code == "AA")
        #expect(store.orders.map(\.status) == [.revoked])
        let unknown = await orm("M3", pid: nil, "ORC|CA|P9|F9")
        #expect(unknown.code == "AE" && unknown.conditions == ["204"])
        #expect(store.orders.count == 1)
    }

    @Test("H8: two requested procedures of one order have each its study UID, procedure id and start")
    func severalProcedures() async {
        func procedure(_ number: Int, _ start: String) -> [String] {
            [
                "ORC|NW|P1|F1",
                obr([
                    2: "P1", 3: "F1", 4: "X\(number)^x^L", 18: "ACC1", 19: "RP\(number)", 20: "SPS\(number)",
                    27: "^^^\(start)",
                ]), "ZDS|1.2.3.\(number)^RIS^Application^DICOM",
            ]
        }
        _ = await send(
            [Site.msh("ORM^O01", "M1"), Site.pid] + procedure(1, "202612010800") + procedure(2, "202612020900"))
        let orders = store.orders.sorted { $0.requestedProcedureID ?? "" < $1.requestedProcedureID ?? "" }
        #expect(orders.map(\.requestedProcedureID) == ["RP1", "RP2"])
        #expect(orders.map(\.studyInstanceUID) == ["1.2.3.1", "1.2.3.2"])
        #expect(orders.map { $0.steps.map(\.stepID) } == [["SPS1"], ["SPS2"]])
        #expect(
            orders.flatMap { $0.steps.map { $0.scheduledStart?.text ?? "" } } == [
                "2026-12-01T08:00:00+01:00", "2026-12-02T09:00:00+01:00",
            ])
        // A cancel of one leaves the other; one of the placer order ends both.
        _ = await orm("M2", "ORC|CA|P1|F1", obr([2: "P1", 3: "F1", 4: "X1^x^L", 18: "ACC1", 19: "RP1", 20: "SPS1"]))
        #expect(store.orders.count { $0.status == .revoked } == 1)
        _ = await orm("M3", "ORC|CA|P1|F1")
        #expect(store.orders.count { $0.status == .revoked } == 2 && store.orders.count == 2)
    }

    @Test("H8: a placer order that the filler splits becomes an order for each filler number, each with what was asked")
    func split() async {
        _ = await orm("M1", "ORC|NW|P1", obr([2: "P1", 4: "A^a^L", 13: "chest pain"]))
        _ = await orm("M2", "ORC|SC|P1|F1||SC", obr([2: "P1", 3: "F1", 4: "B^b^L", 19: "RP1"]))
        _ = await orm("M3", "ORC|SC|P1|F2||SC", obr([2: "P1", 3: "F2", 4: "C^c^L", 19: "RP2"]))
        #expect(store.orders.compactMap(\.filler?.value).sorted() == ["F1", "F2"])
        #expect(store.orders.map(\.clinicalInformation) == ["chest pain", "chest pain"])
        #expect(store.orders.compactMap(\.code.codings.first?.code).sorted() == ["B", "C"])
    }

    @Test(
        "H9: hold by status takes the order off the worklist, release brings it back (tables 0038, 0119)",
        arguments: ["SC", "XX", "XO", "OK"])
    func holdByStatus(control: String) async {
        _ = await orm("M1", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        _ = await orm("M2", "ORC|\(control)|P1|F1||HD")
        #expect(store.orders.first?.status == .onHold)
        #expect(store.orders.first?.steps.map(\.status) == [.held])
        _ = await orm("M3", "ORC|RL|P1|F1")
        #expect(store.orders.first?.status == .active)
        #expect(store.orders.first?.steps.map(\.status) == [.scheduled])
    }

    @Test("H9: an order status outside of table 0038 is a warning; every code of table 0119 has a meaning")
    func unknownPair() async {
        _ = await orm("M1", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        let receipt = await orm("M2", "ORC|SC|P1|F1||ZZ")
        #expect(receipt.code == "AA" && !receipt.notes.isEmpty)
        #expect(store.orders.first?.steps.map(\.status) == [.scheduled])
        let table = [
            "AF", "CA", "CH", "CN", "CP", "CR", "DC", "DE", "DF", "DR", "FU", "HD", "HR", "LI", "MC", "NA", "NW", "OC",
            "OD", "OE", "OF", "OH", "OK", "OP", "OR", "PA", "PR", "PY", "RE", "RF", "RL", "RO", "RP", "RQ", "RR", "RU",
            "SC", "SN", "SR", "SS", "UA", "UC", "UD", "UF", "UH", "UM", "UN", "UR", "UX", "XO", "XR", "XX",
        ]
        for code in table {
            let receipt = await orm("T\(code)", "ORC|\(code)|T\(code)|G\(code)", "OBR|1|T\(code)|G\(code)|A^a^L")
            #expect(receipt.code == "AA", "\(code)")
        }
    }

    @Test("RP and RO: the replaced order is over, its replacement is open")
    func replaced() async {
        _ = await orm("M1", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        _ = await orm("M2", "ORC|RU|P1|F1||RP", "ORC|RO|P2|F2||SC", "OBR|1|P2|F2|B^b^L")
        let states = store.orders.map { "\($0.placer?.value ?? "") \($0.status)" }.sorted()
        #expect(states == ["P1 revoked", "P2 active"])
    }

    @Test("H15: empty changes nothing, the null value deletes: OBR-13, OBR-31, ORC-7.4 (§2.5.3)")
    func nullsOfOrders() async {
        let full = obr([
            2: "P1", 3: "F1", 4: "A^a^L", 13: "trauma", 27: "^^^20261201080000^^S", 31: "^headache",
        ])
        _ = await orm("M1", "ORC|NW|P1|F1||SC||^^^20261201080000", full)
        _ = await orm("M2", "ORC|XO|P1|F1||SC", "OBR|1|P1|F1|A^a^L")
        #expect(store.orders.first?.clinicalInformation == "trauma" && store.orders.first?.reasons.isEmpty == false)
        #expect(store.orders.first?.scheduledAt != nil && store.orders.first?.priority == .stat)
        _ = await orm(
            "M3", "ORC|XO|P1|F1||SC||^^^\"\"", obr([2: "P1", 3: "F1", 4: "A^a^L", 13: "\"\"", 31: "\"\""]))
        #expect(store.orders.first?.clinicalInformation == nil && store.orders.first?.reasons.isEmpty == true)
        #expect(store.orders.first?.scheduledAt == nil)
        #expect(store.orders.first?.steps.map(\.scheduledStart) == [nil])
        #expect(store.orders.first?.priority == .stat)
    }

    @Test(
        "H14: an empty home number leaves it when the work number changes, and the reverse; so with names and aliases")
    func telecoms() async {
        let id = "PID|1||7^^^NORTH&2.999.1&ISO^MR||"
        _ = await adt("A04", "M1", id + "Doe||||Alias||||111|222", time: "20261121080000")
        _ = await adt("A08", "M2", id + "Doe|||||||||333", time: "20261121081000")
        #expect(store.patients.first?.telecoms.map(\.value) == ["111", "333"])
        _ = await adt("A08", "M3", id + "||||||||444", time: "20261121082000")
        #expect(store.patients.first?.telecoms.map(\.value) == ["444", "333"])
        #expect(store.patients.first?.aliases.map(\.family) == ["Alias"])
        _ = await adt("A08", "M4", id + "||||||||\"\"", time: "20261121083000")
        #expect(store.patients.first?.telecoms.map(\.value) == ["333"])
    }

    @Test("H23: PID-30 N after a death by mistake clears its time too; PV1-45 in an A08 ends the visit")
    func death() async {
        let id = "PID|1||7^^^NORTH&2.999.1&ISO^MR||Doe"
        _ = await adt("A08", "M1", id + "||||||||||||||||||||||||20261120|Y", time: "20261121080000")
        #expect(store.patients.first?.isDeceased == true && store.patients.first?.deceasedAt != nil)
        _ = await adt("A08", "M2", id + "|||||||||||||||||||||||||N", time: "20261121081000")
        #expect(store.patients.first?.isDeceased == false && store.patients.first?.deceasedAt == nil)
        _ = await inbox.receive(Site.adt("A01", "M3", time: "20261121082000"), peer: nil)
        #expect(store.visits.first?.status == .inProgress)
        _ = await inbox.receive(
            Site.adt("A08", "M4", pv1: Site.pv1 + "|20261121090000", time: "20261121083000"), peer: nil)
        #expect(store.visits.first?.status == .finished && store.visits.first?.end != nil)
    }

    @Test("H22: an order that names its visit before the visit comes is linked when it comes")
    func visitAfterOrder() async throws {
        _ = await inbox.receive(Site.orm("M1"), peer: nil)
        // The order's own PV1 begins the visit, its state not known; the registration takes it up.
        #expect(store.orders.first?.visitID == store.visits.first?.id && store.visits.first?.status == .unknown)
        _ = await inbox.receive(Site.adt("A01", "M2"), peer: nil)
        #expect(store.orders.first?.visitID == store.visits.first?.id && store.visits.count == 1)
        #expect(store.visits.first?.status == .inProgress)
    }

    @Test("S3: a time far ahead of the receipt counts as the receipt, with a note, and holds nothing that comes later")
    func futureTimes() async {
        let ahead = await adt("A08", "M1", "PID|1||7^^^NORTH&2.999.1&ISO^MR||Ahead", time: "20620101000000")
        #expect(ahead.code == "AA" && ahead.notes.contains { $0.contains("future") })
        #expect(store.patients.first?.eventTime.map { $0 <= UTCInstant(microseconds: 1_796_500_000_000_000) } == true)
        let order = await orm("M2", "ORC|NW|P1|F1||||||20620101000000", "OBR|1|P1|F1|A^a^L")
        #expect(order.notes.contains { $0.contains("future") })
        store.advance(bySeconds: 60)
        let now = "202612052047"
        _ = await adt("A08", "M3", "PID|1||7^^^NORTH&2.999.1&ISO^MR||Now", time: now)
        #expect(store.patients.first { $0.identifiers.contains { $0.value == "7" } }?.names.first?.family == "Now")
        _ = await orm("M4", "ORC|CA|P1|F1||||||\(now)")
        #expect(store.orders.first?.status == .revoked)
    }

    @Test(
        "A message that named two records for two people is carried out when they are merged", arguments: [false, true])
    func waiting(isCancel: Bool) async {
        _ = await orm("M1", pid: "PID|1||200^^^NORTH&2.999.1&ISO^MR||Old", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        let status = isCancel ? "ORC|CA|P1|F1" : "ORC|SC|P1|F1||CM"
        let refused = await orm("M2", pid: "PID|1||100^^^NORTH&2.999.1&ISO^MR||New", status)
        #expect(refused.code == "AE" && refused.conditions == ["205"])
        #expect(store.orders.first?.status == .active)
        _ = await adt("A40", "M3", "PID|1||100^^^NORTH&2.999.1&ISO^MR||New", more: ["MRG|200^^^NORTH&2.999.1&ISO^MR"])
        #expect(store.orders.map(\.status) == [isCancel ? .revoked : .completed])
        #expect(store.journal.filter { $0.controlID == "M2" }.map(\.disposition) == [.applied])
    }

    @Test("What waited and was sent again meanwhile is not carried out a second time when the patients are merged")
    func waitingSentAgain() async throws {
        let (old, new) = ("PID|1||200^^^NORTH&2.999.1&ISO^MR||Old", "PID|1||100^^^NORTH&2.999.1&ISO^MR||New")
        _ = await orm("M1", pid: old, "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        #expect(await orm("M2", pid: new, "ORC|SC|P1|F1||CM").code == "AE")
        #expect(store.state.withLock { $0.awaiting.count } == 1)
        // The order goes, and with it what stood in the way.
        store.state.withLock { ($0.orders, $0.events) = ([:], [:]) }
        let again = await orm("M2", pid: new, "ORC|SC|P1|F1||CM")
        #expect(again.result == .applied)
        let audited = store.state.withLock { $0.audit.count }
        _ = await adt("A40", "M3", new, more: ["MRG|200^^^NORTH&2.999.1&ISO^MR"])
        #expect(store.state.withLock { $0.awaiting.isEmpty && $0.audit.count == audited + 1 })
        let kept = store.journal.filter { $0.controlID == "M2" }
        #expect(kept.map(\.disposition) == [.ignored, .applied])
        #expect(kept.allSatisfy { $0.acknowledgement == again.acknowledgement })
    }

    @Test("What the store fails at after a merge waits on, and is noted for the log; the merge is accepted")
    func waitingFails() async {
        _ = await orm("M1", pid: "PID|1||200^^^NORTH&2.999.1&ISO^MR||Old", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        _ = await orm("M2", pid: "PID|1||100^^^NORTH&2.999.1&ISO^MR||New", "ORC|CA|P1|F1")
        store.state.withLock {
            $0.writesBeforeFailure = $0.writes + 1
            $0.failure = StoreError(.full, "no space")
        }
        let merge = await adt(
            "A40", "M3", "PID|1||100^^^NORTH&2.999.1&ISO^MR||New", more: ["MRG|200^^^NORTH&2.999.1&ISO^MR"])
        #expect(merge.code == "AA" && merge.conditions.isEmpty)
        #expect(merge.notes.contains { $0.hasSuffix("store: full") })
        #expect(store.orders.map(\.status) == [.active])
        #expect(store.state.withLock { $0.awaiting.count } == 1)
    }

    @Test("S11: after forty successive merges the first number leads to the last record")
    func longChain() async {
        for number in 1..<40 {
            let receipt = await adt(
                "A40", "M\(number)", "PID|1||\(number + 1)^^^NORTH&2.999.1&ISO^MR||P",
                more: ["MRG|\(number)^^^NORTH&2.999.1&ISO^MR"])
            #expect(receipt.code == "AA")
        }
        _ = await orm("O1", pid: "PID|1||1^^^NORTH&2.999.1&ISO^MR||P", "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        let living = store.patients.filter(\.isActive)
        #expect(living.count == 1 && store.orders.first?.patientID == living.first?.id)
        #expect(store.patients.allSatisfy { $0.isActive || $0.mergedInto == living.first?.id })
        let back = await adt(
            "A40", "M99", "PID|1||1^^^NORTH&2.999.1&ISO^MR||P", more: ["MRG|40^^^NORTH&2.999.1&ISO^MR"])
        #expect(back.code == "AE" && back.conditions == ["205"])
    }
}
