import Access
import FHIRModel
import FHIRResources
import Foundation
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// S14: what a site does not keep is removed in small steps, and only that.
@Suite struct RetentionTests {
    private static func message(_ number: Int) -> JournaledMessage {
        JournaledMessage(
            id: EntityID("m\(number)"), sender: "A|B", controlID: "C\(number)", type: "ADT^A04", digest: "d\(number)",
            raw: Array("MSH|\(number)".utf8), disposition: .applied, note: "n", acknowledgement: Array("MSA|AA".utf8),
            receivedAt: Support.at(Int64(number)), peer: nil)
    }

    private static func all(
        _ kind: RetentionStep.Kind, before time: UTCInstant, limit: Int, _ store: RelationalStore
    ) async throws -> (removed: Int, steps: Int) {
        var (removed, steps) = (0, 0)
        while true {
            let step = try await store.remove(kind, before: time, limit: limit)
            #expect(step.removed <= limit)
            removed += step.removed
            steps += 1
            if !step.hasMore { return (removed, steps) }
        }
    }

    @Test(
        "The text of old messages goes in steps, once; what a message sent again is answered from stays",
        arguments: TestDatabases.all)
    func messages(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await store.work { unit in for number in 1...25 { try unit.journal(Self.message(number)) } }
            let emptied = try await Self.all(.messageTexts, before: Support.at(21), limit: 8, store)
            #expect(emptied.removed == 20 && emptied.steps == 3)
            #expect(try await store.remove(.messageTexts, before: Support.at(21), limit: 8).removed == 0)
            try await store.look { unit in
                let old = try #require(try unit.journaledMessage(sender: "A|B", controlID: "C20").first)
                #expect(old.raw.isEmpty && old.digest == "d20" && old.acknowledgement == Array("MSA|AA".utf8))
                let kept = try #require(try unit.journaledMessage(sender: "A|B", controlID: "C21").first)
                #expect(kept.raw == Array("MSH|21".utf8))
            }
            let removed = try await Self.all(.messages, before: Support.at(11), limit: 4, store)
            #expect(removed.removed == 10)
            #expect(try await store.look { try $0.journaledMessage(sender: "A|B", controlID: "C10").isEmpty })
            #expect(try await store.look { try $0.journaledMessage(sender: "A|B", controlID: "C11").count } == 1)
        }
    }

    @Test("Messages of one commit are emptied together, wherever a step ends", arguments: TestDatabases.all)
    func sameTime(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await store.work { unit in
                for number in 1...9 {
                    var message = Self.message(number)
                    message.receivedAt = Support.at(Int64((number + 2) / 3))
                    try unit.journal(message)
                }
            }
            _ = try await Self.all(.messageTexts, before: Support.at(9), limit: 4, store)
            try await store.look { unit in
                for number in 1...9 {
                    let message = try unit.journaledMessage(sender: "A|B", controlID: "C\(number)").first
                    #expect(message?.raw.isEmpty == true)
                }
            }
        }
    }

    @Test(
        "Versions replaced before the time go with their index entries; current ones and deletions stay",
        arguments: TestDatabases.all)
    func versions(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for number in 1...6 {
                try await store.writeUnit(Support.server) { unit in
                    for id in ["a", "b"] {
                        let text = #"{"resourceType":"Basic","identifier":[{"value":"\#(id)\#(number)"}]}"#
                        try unit.putResource(
                            "Basic", id, JSONDocument(parsing: Array(text.utf8)),
                            method: number == 1 ? .create : .update)
                    }
                }
            }
            let deleted = try await store.writeUnit(Support.server) { try $0.deleteResource("Basic", "b") }
            let third = try #require(try await store.read("Basic", "a", version: 3, access: Support.server))
            func count(_ table: String) async throws -> Int64 {
                try await store.database.read { try $0.first("SELECT COUNT(*) FROM \(table)") { try $0.int(0) } ?? 0 }
            }
            let entries = try await count("idx_token")
            // Versions 1 and 2 were replaced before the third was a moment old.
            let time = third.lastUpdated.advanced(bySeconds: 0)
            let step = UTCInstant(microseconds: time.microseconds + 1)
            let removed = try await Self.all(.versions, before: step, limit: 3, store)
            #expect(removed.removed == 4)
            #expect(try await count("idx_token") < entries)
            let left = try await store.history("Basic", "a", before: nil, count: 10, access: Support.server)
            #expect(left.map(\.version) == [6, 5, 4, 3])
            let end = UTCInstant(microseconds: store.database.lastCommit.time + 1)
            _ = try await Self.all(.versions, before: end, limit: 3, store)
            let a = try await store.history("Basic", "a", before: nil, count: 10, access: Support.server)
            let b = try await store.history("Basic", "b", before: nil, count: 10, access: Support.server)
            let marker = try #require(deleted)
            #expect(a.map(\.version) == [6] && b == [marker])
            let found = try await store.search(
                try ResourceStoreTests.query("Basic", "identifier=a6"), token: nil, access: Support.server)
            #expect(found.matches.map(\.id) == ["a"])
        }
    }

    @Test(
        "Expired assertion ids and the rows of deleted exports go; finished exports are found",
        arguments: TestDatabases.all)
    func others(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for number in 1...5 {
                _ = try await store.useOnce(issuer: "i", jti: "\(number)", expires: .max - Int64(number))
            }
            #expect(
                try await store.remove(.assertions, before: UTCInstant(microseconds: .max - 3), limit: 9).removed == 2)
            var job = ExportJob(
                id: EntityID("j1"), ownerID: "o", scopes: [], request: "r", types: [], since: nil, until: nil,
                snapshot: 1, transactionTime: Support.at(1), state: .complete, createdAt: Support.at(1),
                finishedAt: Support.at(5))
            try await store.save(job)
            #expect(try await store.finishedJobs(before: Support.at(5), limit: 9).isEmpty)
            #expect(try await store.finishedJobs(before: Support.at(6), limit: 9).map(\.id) == [job.id])
            #expect(try await store.remove(.exports, before: Support.at(6), limit: 9).removed == 0)
            job.state = .deleted
            try await store.save(job)
            #expect(try await store.remove(.exports, before: Support.at(6), limit: 9).removed == 1)
            #expect(try await store.job(job.id) == nil)
        }
    }

    @Test(
        "Performed procedure steps go so long after their end; one in progress stays, however old",
        arguments: TestDatabases.all)
    func performedSteps(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await store.work { unit in
                let records = try #require(unit as? any PerformedStepUnit)
                for number in 1...9 {
                    try records.save(
                        PerformedProcedureStep(
                            sopInstanceUID: "1.\(number)",
                            status: [.completed, .inProgress, .discontinued][number % 3], scheduled: [],
                            performedBy: "CT1", dataSet: [1], updatedAt: Support.at(Int64(number))))
                }
            }
            let removed = try await Self.all(.performedSteps, before: Support.at(9), limit: 2, store)
            #expect(removed.removed == 5)
            let left = try await store.look { unit in
                let records = try #require(unit as? any PerformedStepUnit)
                return try (1...9).filter { try records.performedStep("1.\($0)") != nil }
            }
            #expect(left == [1, 4, 7, 9])
        }
    }

    @Test(
        "A step that leaves the worklist has no row in its index, and has one again when it comes back",
        arguments: TestDatabases.all)
    func steps(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            func rows() async throws -> Int64 {
                try await store.database.read { try $0.first("SELECT COUNT(*) FROM steps") { try $0.int(0) } ?? -1 }
            }
            let order = OrderUpdate(control: .new, patient: Support.patient("100")).with(filler: "F1", accession: "A1")
            func apply(_ control: OrderUpdate.Control) async throws {
                var update = order
                update.control = control
                let event = update
                _ = try await store.work { try OrderService().apply(event, in: $0) }
            }
            try await apply(.new)
            #expect(try await rows() == 1)
            try await apply(.cancel)
            #expect(try await rows() == 0)
        }
    }

    @Test("SQLite's log is cut although a reader was in the way, and the size of all is told")
    func log() async throws {
        try await Support.with(.sqlite) { store in
            let big = [UInt8](repeating: 7, count: 1 << 20)
            // A reader that never lets go of an old state.
            guard case .sqlite(let path) = store.database.location else { return }
            let reader = try SQLiteConnection(path: path, isReader: true)
            try reader.execute("BEGIN")
            _ = try reader.first("SELECT COUNT(*) FROM messages") { try $0.int(0) }
            for number in 0..<80 {
                var message = Self.message(number)
                message.raw = big
                let kept = message
                try await store.work { try $0.journal(kept) }
            }
            let before = try await store.database.growth()
            #expect(before.logBytes > 64 << 20)
            #expect(try await store.database.truncateLog() == false)
            try reader.execute("COMMIT")
            #expect(try await store.database.truncateLog())
            let after = try await store.database.growth()
            #expect(after.logBytes == 0 && after.bytes > 80 << 20)
            _ = try await Self.all(.messageTexts, before: Support.at(1_000), limit: 200, store)
            #expect(try await store.database.growth().freeBytes > 70 << 20)
        }
    }
}
