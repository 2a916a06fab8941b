import HL7Translation
import HL7v2
import Synchronization
import TestSupport
import Testing
import Workflow

/// Accept and application acknowledgments as MSH-15 and MSH-16 ask for them. HL7 v2.5.1 §2.9.3, table 0155.
@Suite struct EnhancedModeTests {
    private let store = MemoryStore()
    private let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    /// An A04 with MSH-15 and MSH-16.
    private static func adt(
        _ accept: String, _ application: String, _ id: String = "M1", pid: String = Site.pid, processing: String = "P"
    ) -> [UInt8] {
        let msh = Site.msh("ADT^A04", id, processing: processing) + "|||\(accept)|\(application)"
        return Site.lines([msh, "EVN|A04|20261121083000", pid, Site.pv1])
    }

    private func codes(_ receipt: HL7Inbox.Receipt) throws -> [String] {
        try receipt.answers.map { try Parser().parse($0).at("MSA-1") ?? "" }
    }

    private static let noIdentifier = "PID|1||||Muster^Maxine"

    @Test(
        "Each condition of table 0155, for a message that is carried out and for one that is not",
        arguments: [
            ("AL", "AL", ["CA", "AA"], ["CA", "AE"]), ("AL", "NE", ["CA"], ["CA"]), ("NE", "AL", ["AA"], ["AE"]),
            ("NE", "NE", [], []), ("SU", "SU", ["CA", "AA"], ["CA"]), ("ER", "ER", [], ["AE"]),
            ("AL", "", ["CA"], ["CA"]),
            ("", "AL", ["AA"], ["AE"]), ("", "", ["AA"], ["AE"]),
        ])
    func conditions(accept: String, application: String, good: [String], bad: [String]) async throws {
        #expect(try codes(await inbox.receive(Self.adt(accept, application), peer: nil)) == good)
        let failed = await inbox.receive(
            Self.adt(accept, application, "M2", pid: Self.noIdentifier), peer: nil)
        #expect(try codes(failed) == bad)
        #expect(store.journal.map(\.disposition) == [.applied, .failed])
    }

    @Test("A message that is refused by its header is CR, one that is not stored CE; neither is answered further")
    func refused() async throws {
        let refused = await inbox.receive(Self.adt("AL", "AL", processing: "T"), peer: nil)
        #expect(try codes(refused) == ["CR"])
        #expect(try Parser().parse(refused.answers[0]).at("ERR-3") == "202")
        store.state.withLock { $0.failure = StoreError(.unavailable, "away") }
        #expect(try codes(await inbox.receive(Self.adt("AL", "AL", "M2"), peer: nil)) == ["CE"])
        #expect(try Parser().parse(inbox.refuseOversized(head: Self.adt("AL", "AL"), limit: 9)).at("MSA-1") == "CR")
        #expect(try Parser().parse(inbox.refuseForNow(head: Self.adt("AL", "AL"))).at("MSA-1") == "CE")
    }

    @Test("The answers name the message, are messages of their own, and want no answer")
    func answers() async throws {
        let receipt = await inbox.receive(Self.adt("AL", "AL"), peer: nil)
        let answers = try receipt.answers.map { try Parser().parse($0) }
        #expect(answers.map { $0.at("MSA-2") } == ["M1", "M1"])
        #expect(Set(answers.compactMap { $0.at("MSH-10") }).count == 2)
        #expect(answers.allSatisfy { $0.at("MSH-15") == "NE" && $0.at("MSH-16") == "NE" })
        let again = await inbox.receive(Self.adt("AL", "AL"), peer: nil)
        #expect(try codes(again) == ["CA", "AA"])
        #expect(again.answers[1] == receipt.answers[1])
        #expect(again.result == .duplicate)
    }

    @Test("An answer to a message of ours is not answered, but where it asks for an accept acknowledgment")
    func answersToOurs() async throws {
        func answer(_ code: String, _ accept: String) -> [UInt8] {
            Site.lines([Site.msh("ACK^A31^ACK", "A1") + "|||\(accept)|", "MSA|\(code)|OURS"])
        }
        #expect(try codes(await inbox.receive(answer("AA", ""), peer: nil)) == [])
        #expect(try codes(await inbox.receive(answer("AE", "NE"), peer: nil)) == [])
        #expect(try codes(await inbox.receive(answer("AA", "AL"), peer: nil)) == ["CA"])
        #expect(try codes(await inbox.receive(answer("CA", "AL"), peer: nil)) == [])
        #expect(store.journal.isEmpty)
        _ = await inbox.receive(Site.orm("M1", orc: "ORC|NW|PL-1^EHR", obr: "OBR|1|PL-1^EHR||CT^CT^L"), peer: nil)
        let told = Site.lines([Site.msh("ORR^O02", "A2"), "MSA|AA|OURS", "ORC|OK|PL-1^EHR|FI-9^RIS"])
        let receipt = await inbox.receive(told, peer: nil)
        #expect(receipt.answers.isEmpty)
        #expect(receipt.notes == ["an answer to a message of ours: AA"])
        #expect(store.orders.map(\.filler?.value) == ["FI-9"])
    }
}
