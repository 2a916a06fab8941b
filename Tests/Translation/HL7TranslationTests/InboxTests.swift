import Access
import HL7Translation
import HL7v2
import Synchronization
import TestSupport
import Testing
import Workflow

/// HL7 v2.5.1 §2.9.2: one message in, one acknowledgment out, nothing acknowledged that is not kept.
@Suite struct InboxTests {
    let store = MemoryStore(time: TestClock().now())
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    @Test(
        "Bytes that are no message are kept and answered AR, with what could be saved of the header",
        arguments: [
            ("", "100"), ("garbage", "100"), ("MSH|^^^^|A|B|C|D|2026||ADT^A04|X1|P|2.5\r", "102"),
            ("MSH|^~\\&|A|B|C|D|2026||ADT^A04|X1|P|2.5\rPID|\u{0}\r", "102"),
        ])
    func unreadable(text: String, condition: String) async {
        let receipt = await inbox.receive(Array(text.utf8), peer: "192.0.2.1")
        #expect(receipt.code == "AR")
        #expect(receipt.conditions == [condition])
        #expect(store.journal.count == 1)
        #expect(store.journal.first?.disposition == .failed)
        #expect(store.journal.first?.raw == Array(text.utf8))
        if text.hasPrefix("MSH") { #expect(receipt.controlID == "X1") }
    }

    @Test(
        "§2.9.2.2: empty MSH-9 and MSH-10, foreign MSH-11 and MSH-12, unknown types and events are AR with their code",
        arguments: [
            ("", "M1", "P", "2.5", "101"), ("ADT^A04", "", "P", "2.5", "101"), ("ADT^A04", "M1", "T", "2.5", "202"),
            ("ADT^A04", "M1", "", "2.5", "202"),
            ("ADT^A04", "M1", "P", "3.0", "203"), ("ADT^A04", "M1", "P", "", "203"),
            ("VXU^V04", "M1", "P", "2.5", "200"), ("ADT^A99", "M1", "P", "2.5", "201"),
            ("ORM^O99", "M1", "P", "2.5", "201"), ("ACK^A04", "M1", "P", "2.5", "200"),
        ])
    func rejected(type: String, id: String, processing: String, version: String, condition: String) async {
        let receipt = await inbox.receive(
            Site.lines([Site.msh(type, id, processing: processing, version: version), Site.pid]), peer: nil)
        #expect(receipt.code == "AR")
        if VersionText(version).hasErrorSegments { #expect(receipt.conditions.contains(condition)) }
        #expect(store.patients.isEmpty)
        #expect(store.journal.map(\.disposition) == [.failed])
    }

    @Test("A message is journalled raw, in the same unit as its effect")
    func journalled() async {
        let bytes = Site.adt("A04", "M1")
        let receipt = await inbox.receive(bytes, peer: "192.0.2.1")
        #expect(receipt.code == "AA")
        #expect(receipt.result == .applied)
        #expect(store.state.withLock { $0.writes } == 1)
        let kept = store.journal.first
        #expect(kept?.raw == bytes)
        #expect(kept?.acknowledgement == receipt.acknowledgement)
        #expect(kept?.sender == "REG|NORTH")
        #expect(kept?.controlID == "M1")
        #expect(kept?.type == "ADT^A04")
        #expect(kept?.disposition == .applied)
        #expect(store.content.audits.map(\.interaction) == ["ADT^A04"])
        // Its row and the journal say of whom it is.
        #expect(store.patients.count == 1)
        #expect(store.content.audits.map(\.patientIDs) == [store.patients.map(\.id.value)])
        #expect(kept?.patientIDs == store.patients.map(\.id))
    }

    @Test("The same message again gets the same bytes and changes nothing")
    func duplicate() async {
        let first = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        let again = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        #expect(again.result == .duplicate)
        #expect(again.acknowledgement == first.acknowledgement)
        #expect(store.journal.count == 1)
        #expect(store.patients.count == 1)
        #expect(store.visits.count == 1)
    }

    @Test("What was answered stays answered, also when the site's settings changed since")
    func duplicateAfterChange() async throws {
        let first = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        let stricter = Site.inbox(store, try SiteProfile(yaml: "accepted_versions: [2.3.1]"))
        #expect(await stricter.receive(Site.adt("A04", "M1"), peer: nil).acknowledgement == first.acknowledgement)
        #expect(await stricter.receive(Site.adt("A04", "M2"), peer: nil).code == "AR")
    }

    @Test("The same control id with other content is carried out, with a warning")
    func reusedControlID() async {
        _ = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        let pid = "PID|1||P-9^^^NORTH&2.999.1&ISO^MR||Andere^Anna"
        let other = await inbox.receive(Site.adt("A04", "M1", pid: pid, pv1: nil), peer: nil)
        #expect(other.code == "AA")
        #expect(other.conditions == ["0"])
        #expect(store.patients.count == 2)
        #expect(store.journal.count == 2)
    }

    @Test("A refused message changes nothing, is kept once, and gets another chance when sent again")
    func failedAgain() async throws {
        let merge = Site.adt("A40", "M1", pv1: nil, more: ["MRG|P-4711^^^NORTH&2.999.1&ISO^MR"])
        for _ in 0..<3 {
            let receipt = await inbox.receive(merge, peer: nil)
            #expect(receipt.code == "AE")
            #expect(receipt.conditions == ["205"])
        }
        #expect(store.journal.count == 1)
        #expect(store.patients.isEmpty)
        let noID = Site.adt("A04", "M2", pid: "PID|1||||Muster^Maxine", pv1: nil)
        #expect(await inbox.receive(noID, peer: nil).place == "PID^1^3^1")
    }

    @Test("Only what two records of a patient stand against waits for their merge; numbers of two orders do not")
    func waitsForMerge() async {
        func send(_ id: String, _ pid: String, _ lines: String...) async -> HL7Inbox.Receipt {
            await inbox.receive(Site.lines([Site.msh("ORM^O01", id), pid] + lines), peer: nil)
        }
        func waiting() -> Int { store.content.awaitingMerge.count }
        let (one, two) = ("PID|1||1^^^NORTH&2.999.1&ISO^MR", "PID|1||2^^^NORTH&2.999.1&ISO^MR")
        _ = await send("M1", one, "ORC|NW|P1|F1", "OBR|1|P1|F1|A^a^L")
        _ = await send("M2", one, "ORC|NW|P2|F2", "OBR|1|P2|F2|B^b^L")
        let conflict = await send("M3", one, "ORC|SC|P1|F2||CM")
        #expect(conflict.code == "AE")
        #expect(conflict.conditions == ["205"])
        #expect(waiting() == 0)
        #expect(await send("M4", two, "ORC|SC|P1|F1||CM").code == "AE")
        #expect(waiting() == 1)
        let both = "PID|1||1^^^NORTH&2.999.1&ISO^MR~2^^^RIS^MR"
        _ = await inbox.receive(Site.adt("A04", "M5", pid: "PID|1||2^^^RIS^MR", pv1: nil), peer: nil)
        #expect(await inbox.receive(Site.adt("A08", "M6", pid: both, pv1: nil), peer: nil).code == "AE")
        #expect(waiting() == 2)
    }

    @Test(
        "A store that fails is never answered AA; the profile says AE or AR", arguments: [("AE", "AE"), ("AR", "AR")])
    func storeFailure(setting: String, code: String) async throws {
        let inbox = Site.inbox(store, try SiteProfile(yaml: "transient_as: \(setting)"))
        store.state.withLock { $0.failure = StoreError(.full, "no space") }
        let receipt = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        #expect(receipt.result == .notStored)
        #expect(receipt.code == code)
        #expect(receipt.conditions == ["207"])
        store.state.withLock { $0.failure = nil }
        #expect(await inbox.receive(Site.adt("A04", "M1"), peer: nil).code == "AA")
    }

    @Test("A frame past the limit is answered AR to its control id")
    func oversized() {
        let answer = inbox.refuseOversized(head: Array(Site.adt("A04", "BIG").prefix(100)), limit: 100)
        let message = try? Parser().parse(answer)
        #expect(message?["MSA"]?[1].text == "AR")
        #expect(message?["MSA"]?[2].text == "BIG")
    }

    @Test("Random damage to real-shaped messages is always answered, and only AA has an effect")
    func fuzz() async {
        var random = SystemRandomNumberGenerator()
        let seed = random.next()
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let corpus = [
            Site.adt("A04", "M1"), Site.orm("M2"),
            Site.oru(
                "M3", status: "F",
                obx: ["OBX|1|TX|IMP&IMP||x||||||F", "OBX|2|ED|PDF||^application^pdf^Base64^QUJD||||||F"]),
        ]
        for _ in 0..<500 {
            var bytes = corpus[next(corpus.count)]
            for _ in 0...next(4) {
                let at = next(bytes.count)
                switch next(3) {
                case 0: bytes[at] = UInt8(next(256))
                case 1: bytes.remove(at: at)
                default: bytes.insert(UInt8(next(256)), at: at)
                }
            }
            let before = store.content
            let receipt = await inbox.receive(bytes, peer: nil)
            #expect(["AA", "AE", "AR"].contains(receipt.code), "seed \(seed)")
            let after = store.content
            if receipt.code != "AA" {
                #expect(after.patients == before.patients, "seed \(seed)")
                #expect(after.visits == before.visits, "seed \(seed)")
                #expect(after.orders == before.orders, "seed \(seed)")
                #expect(after.reports == before.reports, "seed \(seed)")
            }
            #expect(throws: Never.self, "seed \(seed)") { try MLLPEncoder.frame(receipt.acknowledgement) }
        }
    }
}

/// Whether acknowledgments of a version have ERR-3.
private struct VersionText {
    let hasErrorSegments: Bool
    init(_ text: String) { hasErrorSegments = text.isEmpty || text >= "2.5" }
}
