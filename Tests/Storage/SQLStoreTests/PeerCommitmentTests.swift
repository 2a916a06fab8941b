import Access
import FHIRResources
import TestSupport
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// Destinations are asked to keep what they were sent, on both databases. PS3.4 §J.3.
@Suite("Commitments of peers on both databases")
struct PeerCommitmentTests {
    static let ct = "1.2.840.10008.5.1.4.1.1.2"
    static let peers = ["pacs": "PACS"]
    static let service = PeerCommitments()

    static func with(
        _ kind: SQLDialect, _ body: (RelationalStore, HandClock) async throws -> Void
    ) async throws {
        let clock = HandClock(seconds: 1_000)
        try await TestDatabases.with(kind, configure: { $0.now = { clock.microseconds } }) { database in
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
                now: { clock.microseconds })
            try await body(store, clock)
        }
    }

    static func reference(_ uid: String) -> SentInstance.Reference {
        .init(sopClassUID: ct, sopInstanceUID: uid)
    }

    /// Stores instances, and keeps that they were sent.
    static func send(
        _ store: RelationalStore, _ uids: [String], to destination: String = "pacs", study: String = "1.2",
        tries: Int = 0
    ) async throws {
        try await store.work { unit in
            for uid in uids {
                if try unit.instance(uid) == nil {
                    let received = Support.received(uid, study: study, series: study + ".1")
                    _ = try StudyService().register(received, in: unit)
                }
                let forwarded = ForwardedInstance(
                    destination: destination, studyInstanceUID: study, seriesInstanceUID: study + ".1",
                    sopInstanceUID: uid, tries: tries)
                try unit.peerCommitments.save(SentInstance(forwarded, as: Self.reference(uid), at: unit.time))
            }
        }
    }

    /// What is in the outbox, oldest first.
    static func outbox(_ store: RelationalStore) async throws -> [OutboxEntry] {
        try await store.outboxEntries(OutboxQuery(limit: 1_000), access: Support.server).reversed()
    }

    static func notes(_ store: RelationalStore) async throws -> [PeerCommitmentNote] {
        try await outbox(store).compactMap { PeerCommitmentNote($0) }
    }

    static func forwards(_ store: RelationalStore) async throws -> [ForwardedInstance] {
        try await outbox(store).compactMap { ForwardedInstance($0) }
    }

    static func transaction(_ store: RelationalStore, _ uid: String) async throws -> CommitmentTransaction? {
        try await store.look { try $0.peerCommitments.commitmentTransaction(uid) }
    }

    static func take(
        _ store: RelationalStore, _ uid: String, committed: [String] = [], failed: [String: Int?] = [:],
        from peer: String = "PACS"
    ) async throws -> PeerCommitments.Taking {
        let report = PeerCommitments.Report(
            transactionUID: uid, committed: Set(committed.map(reference)),
            failed: Dictionary(uniqueKeysWithValues: failed.map { (reference($0.key), $0.value) }))
        return try await store.work { try service.take(report, from: peer, in: $0) }
    }

    /// By the clock: commits are of a microsecond later each.
    static func pass(_ store: RelationalStore, _ clock: HandClock) async throws -> Bool {
        try await service.pass(store, peers, now: UTCInstant(microseconds: clock.microseconds))
    }

    /// Has what was sent asked for; the UID of the newest transaction.
    static func asked(_ store: RelationalStore, _ clock: HandClock) async throws -> String {
        clock.advance(PeerCommitments.quietSeconds + 1)
        _ = try await pass(store, clock)
        return try #require(try await notes(store).last { $0.content == .ask }).transactionUID
    }

    @Test(
        "What was sent is asked for once its study is quiet, and once; a study that goes on, after a while",
        arguments: TestDatabases.all)
    func quiet(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            #expect(try await !Self.pass(store, clock))
            try await Self.send(store, ["1.2.1", "1.2.2"])
            try await Self.send(store, ["1.3.1"], to: "elsewhere", study: "1.3")
            clock.advance(PeerCommitments.quietSeconds - 1)
            _ = try await Self.pass(store, clock)
            #expect(try await Self.notes(store) == [])
            clock.advance(2)
            _ = try await Self.pass(store, clock)
            let note = try #require(try await Self.notes(store).first)
            let transaction = try #require(try await Self.transaction(store, note.transactionUID))
            #expect(transaction.peer == "PACS" && transaction.state == .asked && transaction.count == 2)
            #expect(transaction.dueAt == nil)
            let named = try await store.look { try $0.peerCommitments.sentInstances(of: note.transactionUID) }
            #expect(named.map(\.reference) == [Self.reference("1.2.1"), Self.reference("1.2.2")])
            // They are listed for whoever sees all images.
            #expect(try await store.peerCommitments(limit: 9, access: Support.server) == [transaction])
            for scope in ["system/Patient.rs", "patient/ImagingStudy.rs", "system/ImagingStudy.rs?status=available"] {
                let access = ResourceStoreTests.access(scope)
                #expect(try await store.peerCommitments(limit: 9, access: access) == [], "\(scope)")
            }
            // Another pass, as of a server that was killed before it asked, asks for nothing twice.
            _ = try await Self.pass(store, clock)
            #expect(try await Self.notes(store).count == 1)
            // One after another without a pause, and nobody waits for ever.
            var sent = 0
            while try await Self.notes(store).count == 1, sent < 100 {
                sent += 1
                try await Self.send(store, ["1.2.9.\(sent)"])
                clock.advance(PeerCommitments.quietSeconds - 1)
                _ = try await Self.pass(store, clock)
            }
            #expect(try await Self.notes(store).count == 2)
            #expect(sent > 10 && sent < 50)
        }
    }

    @Test("A transaction names so many instances at most; what is beyond is in the next", arguments: TestDatabases.all)
    func large(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            let most = PeerCommitments.referencesMax
            try await store.work { unit in
                for number in 1...most + 1 {
                    let uid = "1.2.\(number)"
                    let forwarded = ForwardedInstance(
                        destination: "pacs", studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: uid)
                    try unit.peerCommitments.save(SentInstance(forwarded, as: Self.reference(uid), at: unit.time))
                }
            }
            // So many are not kept waiting.
            _ = try await Self.pass(store, clock)
            #expect(try await Self.notes(store).count == 1)
            clock.advance(PeerCommitments.quietSeconds + 1)
            _ = try await Self.pass(store, clock)
            var counts: [Int] = []
            for note in try await Self.notes(store) {
                counts.append(try #require(try await Self.transaction(store, note.transactionUID)).count)
            }
            #expect(counts == [most, 1])
        }
    }

    @Test(
        "A report of all commits; a second one, one of another peer and one of nothing that was asked change nothing",
        arguments: TestDatabases.all)
    func committed(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.send(store, ["1.2.1", "1.2.2"])
            let uid = try await Self.asked(store, clock)
            #expect(try await Self.take(store, "9.9", committed: ["1.2.1"]) == .unknown)
            #expect(
                try await Self.take(store, uid, failed: ["1.2.1": 0x0112, "1.2.2": 0x0112], from: "MALLORY")
                    == .unknown)
            #expect(try await Self.transaction(store, uid)?.state == .asked)
            // More than was asked for is nothing to us.
            #expect(
                try await Self.take(store, uid, committed: ["1.2.1", "1.2.2", "7.7"], failed: ["8.8": 0x0110])
                    == .taken)
            let ended = try #require(try await Self.transaction(store, uid))
            #expect(ended.state == .committed && ended.failed == 0 && ended.reportedAt != nil && ended.dueAt == nil)
            #expect(try await Self.take(store, uid, failed: ["1.2.1": 0x0112]) == .known)
            #expect(try await Self.transaction(store, uid) == ended)
            // An answer to the request that comes behind the report changes nothing either.
            try await store.work { try Self.service.asked(uid, reportSeconds: 60, in: $0) }
            #expect(try await Self.transaction(store, uid) == ended)
            // Nor does another title that the destination got meanwhile.
            try await store.work { try Self.service.readdress(uid, to: "NEWPACS", in: $0) }
            #expect(try await Self.transaction(store, uid) == ended)
            #expect(try await Self.forwards(store) == [])
            #expect(try await store.look { try $0.peerCommitments.sentInstances(of: uid) } == [])
            #expect(try await store.look { try $0.peerCommitments.openCommitments() } == [])
        }
    }

    @Test(
        "What is not committed to is sent once more, then parked with its reason; what is deleted here is no loss",
        arguments: TestDatabases.all)
    func failed(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            let uids = (1...6).map { "1.2.\($0)" }
            try await Self.send(store, uids)
            let uid = try await Self.asked(store, clock)
            try await store.work { unit in
                let gone = try #require(try unit.instance("1.2.5"))
                try unit.removeInstance(gone)
            }
            // The sixth is not named at all: silence is no promise.
            #expect(
                try await Self.take(
                    store, uid, committed: ["1.2.1", "1.2.2"],
                    failed: ["1.2.2": 0x0112, "1.2.3": 0x0122, "1.2.4": 0x0131, "1.2.5": 0x0112]) == .taken)
            let ended = try #require(try await Self.transaction(store, uid))
            #expect(ended.state == .failed && ended.failed == 4)
            #expect(try await Self.forwards(store).map(\.sopInstanceUID) == ["1.2.2", "1.2.6"])
            #expect(try await Self.forwards(store).map(\.tries) == [1, 1])
            // A class that is not committed to is not sent again.
            guard case .refused(let reason, let parked)? = try await Self.notes(store).last?.content else {
                Issue.record("nothing is parked")
                return
            }
            #expect(reason == "PACS does not commit to 1 of 6 instances, 0122 (SOP class not supported): 1")
            #expect(parked.map(\.sopInstanceUID) == ["1.2.3"])
            // A transaction that was in use is asked for by another, with what was sent anew.
            try await Self.send(store, ["1.2.2", "1.2.6"], tries: 1)
            let second = try await Self.asked(store, clock)
            #expect(second != uid)
            let named = try await store.look { try $0.peerCommitments.sentInstances(of: second) }
            #expect(named.map(\.forwarded.sopInstanceUID) == ["1.2.2", "1.2.4", "1.2.6"])
            #expect(
                try await Self.take(
                    store, second, committed: ["1.2.6"], failed: ["1.2.2": 0x0112, "1.2.4": 0x0131]) == .taken)
            #expect(try await Self.forwards(store).count == 2)
            guard case .refused(let last, let rest)? = try await Self.notes(store).last?.content else {
                Issue.record("nothing is parked")
                return
            }
            #expect(
                last == "PACS does not commit to 2 of 3 instances, 0112 (no such object instance): 1, "
                    + "0131 (duplicate transaction UID): 1")
            #expect(rest.map(\.sopInstanceUID) == ["1.2.2", "1.2.4"])
            #expect(rest.map(\.tries) == [0, 0])
        }
    }

    @Test(
        "Without a report it is asked for again, each time after longer, then parked; a late report does no harm",
        arguments: TestDatabases.all)
    func overdue(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.send(store, ["1.2.1"])
            let uid = try await Self.asked(store, clock)
            // Not overdue before anybody was asked.
            clock.advance(86_400)
            _ = try await Self.pass(store, clock)
            #expect(try await Self.notes(store).count == 1)
            for asks in 1...PeerCommitments.asksMax {
                try await store.work { try Self.service.asked(uid, reportSeconds: 21_600, in: $0) }
                let waits = min(Int64(21_600) << Int64(asks - 1), 86_400)
                let kept = try #require(try await Self.transaction(store, uid))
                #expect(kept.asks == asks)
                #expect(kept.state == (asks == 1 ? .asked : .overdue))
                clock.advance(waits - 1)
                _ = try await Self.pass(store, clock)
                #expect(try await Self.notes(store).count == asks)
                clock.advance(2)
                _ = try await Self.pass(store, clock)
                #expect(try await Self.notes(store).count == asks + 1)
                let open = try await store.look { try $0.peerCommitments.openCommitments() }
                #expect(open.map(\.state) == (asks < PeerCommitments.asksMax ? [.overdue] : []))
            }
            let notes = try await Self.notes(store)
            #expect(notes.dropLast().allSatisfy { $0.content == .ask && $0.transactionUID == uid })
            guard case .refused(let reason, let parked)? = notes.last?.content else {
                Issue.record("nothing is parked")
                return
            }
            #expect(reason == "PACS was asked 4 times to commit to 1 instances and never reported")
            #expect(parked.map(\.sopInstanceUID) == ["1.2.1"])
            #expect(try await Self.transaction(store, uid)?.state == .unanswered)
            #expect(try await Self.take(store, uid, committed: ["1.2.1"]) == .known)
            // What is old is let go of.
            clock.advance(PeerCommitments.keepSeconds + 10)
            _ = try await Self.pass(store, clock)
            #expect(try await Self.transaction(store, uid) == nil)
        }
    }

    @Test("An instance that was sent again belongs to the transaction that follows alone", arguments: TestDatabases.all)
    func sentAgain(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.send(store, ["1.2.1", "1.2.2"])
            let first = try await Self.asked(store, clock)
            try await Self.send(store, ["1.2.2"])
            let second = try await Self.asked(store, clock)
            #expect(try await Self.take(store, first, committed: ["1.2.1"]) == .taken)
            #expect(try await Self.transaction(store, first)?.state == .committed)
            let newest = try await store.look { try $0.peerCommitments.commitmentTransactions(limit: 5) }
            #expect(newest.map(\.uid) == [second, first])
            #expect(try await store.look { try $0.peerCommitments.commitmentTransactions(limit: 1) }.count == 1)
            #expect(
                try await store.look { try $0.peerCommitments.sentInstances(of: second) }
                    .map(\.forwarded.sopInstanceUID) == ["1.2.2"])
        }
    }

    @Test("What is in the outbox is read as it was put in, and nothing else is")
    func notes() {
        let instances = [("1.2.1", "1.1"), ("1.2.1", "1.2"), ("1.2.2", "1.3")].map {
            ForwardedInstance(
                destination: "pacs", studyInstanceUID: "1.2", seriesInstanceUID: $0.0, sopInstanceUID: $0.1)
        }
        func entry(_ kind: String, _ payload: [UInt8]) -> OutboxEntry {
            OutboxEntry(
                number: 1, eventID: EntityID("e"), destination: kind, orderingKey: "", kind: kind, payload: payload,
                state: .waiting, attempts: 0, createdAt: Support.at(1), waitingSince: Support.at(1),
                nextAttemptAt: Support.at(1))
        }
        for content in [PeerCommitmentNote.Content.ask, .refused(reason: "no", instances: instances)] {
            let note = PeerCommitmentNote(destination: "pacs", transactionUID: "1.9", content: content)
            #expect(PeerCommitmentNote(entry(note.draft.kind, note.draft.payload)) == note)
            #expect(PeerCommitmentNote(entry("commit/other", note.draft.payload)) == nil)
        }
        for text in ["", "pacs\n1.9", "pacs\n1.9\nask\n", "pacs\n1.9\nrefused\nno\n1.1", "pacs\n1.9\nrefused\nno\n=1"] {
            #expect(PeerCommitmentNote(entry("commit/pacs", Array(text.utf8))) == nil)
        }
    }
}
