import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// What is asked of destinations has an end, and a unit of work a size.
extension PeerCommitmentTests {
    @Test(
        "What nobody could be asked for in its time is parked and not forgotten; what is not to be asked for is let go",
        arguments: TestDatabases.all)
    func old(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.send(store, ["1.2.1"])
            let uid = try await Self.asked(store, clock)
            try await Self.send(store, ["1.3.1"], to: "elsewhere", study: "1.3")
            clock.advance(PeerCommitments.keepSeconds + 10)
            // As of a destination that is asked from now on.
            try await Self.send(store, ["1.4.1"], study: "1.4")
            clock.advance(PeerCommitments.keepSeconds + 10)
            while try await Self.pass(store, clock) {}
            let notes = try await Self.notes(store)
            let refused = notes.filter { $0.content != .ask }
            guard case .refused(let reason, let parked)? = refused.first?.content else {
                Issue.record("nothing is parked")
                return
            }
            #expect(refused.count == 1 && refused.first?.transactionUID == uid)
            #expect(reason == "PACS could not be asked to commit to 1 instances")
            #expect(parked.map(\.sopInstanceUID) == ["1.2.1"])
            #expect(try await Self.transaction(store, uid) == nil)
            #expect(try await store.look { try $0.peerCommitments.sentInstances(of: uid) } == [])
            // What waited for long to be asked for is asked for all the same.
            let last = try #require(notes.last { $0.content == .ask })
            #expect(
                try await store.look { try $0.peerCommitments.sentInstances(of: last.transactionUID) }
                    .map(\.forwarded.sopInstanceUID) == ["1.4.1"])
            let now = UTCInstant(microseconds: clock.microseconds)
            let due = UnaskedStudy.Due(quietSince: now, waitingSince: now, count: 1)
            #expect(
                try await store.look {
                    try $0.peerCommitments.unaskedStudies(at: ["elsewhere", "pacs"], due: due, limit: 9)
                } == [])
        }
    }

    @Test(
        "Of a destination that is not asked any more a report counts; what has none in its time ends without an entry",
        arguments: TestDatabases.all)
    func switchedOff(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            func pass() async throws -> Bool {
                try await Self.service.pass(store, [:], now: UTCInstant(microseconds: clock.microseconds))
            }
            try await Self.send(store, ["1.2.1"])
            let first = try await Self.asked(store, clock)
            try await Self.send(store, ["1.3.1"], study: "1.3")
            let second = try await Self.asked(store, clock)
            for uid in [first, second] {
                try await store.work { try Self.service.asked(uid, reportSeconds: 3_600, in: $0) }
            }
            #expect(try await !pass())
            #expect(try await Self.take(store, first, committed: ["1.2.1"]) == .taken)
            clock.advance(3_601)
            #expect(try await !pass())
            #expect(try await Self.transaction(store, first)?.state == .committed)
            #expect(try await Self.transaction(store, second)?.state == .unanswered)
            #expect(try await store.look { try $0.peerCommitments.sentInstances(of: second) } == [])
            #expect(try await Self.notes(store).map(\.content) == [.ask, .ask])
        }
    }

    @Test("A unit of work asks for some thousands of instances, and the next goes on", arguments: TestDatabases.all)
    func manyAtOnce(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            let most = PeerCommitments.referencesMax
            for (study, count) in [("1.2", most), ("1.3", most), ("1.4", 1)] {
                try await store.work { unit in
                    for number in 1...count {
                        let uid = "\(study).\(number)"
                        let forwarded = ForwardedInstance(
                            destination: "pacs", studyInstanceUID: study, seriesInstanceUID: study + ".1",
                            sopInstanceUID: uid)
                        try unit.peerCommitments.save(SentInstance(forwarded, as: Self.reference(uid), at: unit.time))
                    }
                }
            }
            clock.advance(PeerCommitments.quietSeconds + 1)
            #expect(try await Self.pass(store, clock))
            #expect(try await Self.notes(store).count == 2)
            #expect(try await !Self.pass(store, clock))
            #expect(try await Self.notes(store).count == 3)
        }
    }
}
