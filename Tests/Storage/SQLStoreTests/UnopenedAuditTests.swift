import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// A row of the trail whose record does not open costs itself alone, and is told of. Decision 0043.
@Suite("Rows of the audit trail that do not open")
struct UnopenedAuditTests {
    private static let reader = AccessContext(
        principal: Principal(kind: .person, id: "olga"), scopes: ["system/AuditEvent.rs"].compactMap { Scope($0) },
        requestID: "r")

    private static func record(_ number: Int) -> AuditRecord {
        AuditRecord(
            category: .rest, interaction: "read", action: .read, outcome: .success,
            principal: Principal(kind: .client, id: "c\(number)"), sourceAddress: nil, requestID: "r",
            tokenID: nil, entity: "Patient/p1", patientID: "p1", query: nil, detail: nil)
    }

    /// A store with five rows of p1, the third of which was changed; and the numbers of those that it tells of.
    private static func with(
        _ kind: SQLDialect, _ body: (RelationalStore, Results) async throws -> Void
    ) async throws {
        try await TestDatabases.with(kind, configure: { $0.bodies = TestDatabases.sealing() }) { database in
            let told = Results()
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
                auditUnopened: { numbers in
                    told.add(.success(numbers.map { String($0) }.joined(separator: " ")))
                })
            for number in 1...5 { try await store.record(record(number)) }
            try await database.write { transaction in
                let raw =
                    try transaction.connection.first("SELECT record FROM audit WHERE number = 3") { try $0.bytes(0) }
                    ?? []
                let changed = raw.dropLast() + [(raw.last ?? 0) ^ 1]
                try transaction.connection.run(
                    "UPDATE audit SET record = ? WHERE number = 3", [.bytes(Array(changed))])
            }
            try await body(store, told)
        }
    }

    @Test(
        "An operator's search finds the others, with the number of the one that is left out",
        arguments: TestDatabases.all)
    func searched(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, told) async throws -> Void in
            let found = try await store.auditRows(AuditQuery(limit: 9), access: Self.reader)
            #expect(found.rows.map(\.number) == [5, 4, 2, 1])
            #expect(found.unopened == [3])
            #expect(told.all == ["3"])
            #expect(try await store.lastContacts(access: Self.reader).count == 4)
            #expect(told.all == ["3", "3"])
            var query = AuditQuery(limit: 9)
            query.before = 3
            #expect(try await store.auditRows(query, access: Self.reader).unopened.isEmpty)
        }
    }

    @Test("A search for AuditEvents finds the others and says that some are left out", arguments: TestDatabases.all)
    func events(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, told) async throws -> Void in
            for text in ["", "patient=p1"] {
                let query = text.isEmpty ? SearchQuery("AuditEvent") : try ResourceStoreTests.query("AuditEvent", text)
                let page = try await store.searchAuditEvents(query, token: nil, access: Self.reader)
                #expect(page.matches.map(\.sequence) == [5, 4, 2, 1])
                #expect(page.notices.count == 1 && page.notices[0].contains("do not open"))
            }
            #expect(told.all == ["3", "3"])
            #expect(try await store.auditEvent(4, access: Self.reader)?.id == "trail-4")
            do {
                _ = try await store.auditEvent(3, access: Self.reader)
                Issue.record("what was changed has been read")
            } catch { #expect((error as? StoreError)?.code == .corrupt) }
        }
    }

    @Test("It is cut with the others, and nothing is left of whom it was", arguments: TestDatabases.all)
    func cut(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws -> Void in
            try await store.database.write { transaction in
                let connection = transaction.connection
                let place = try #require(try AuditChain.cutPlace(upTo: 4, before: .max, connection))
                try AuditChain.allowCut(at: place, checkpoint: "test", connection)
                while try AuditChain.removeCut(limit: 2, connection) {}
            }
            let numbers = try await store.database.read { connection in
                try connection.all("SELECT number FROM audit_patients") { try $0.int(0) }
            }
            #expect(numbers == [5])
        }
    }

    @Test("The chain is broken at it by its number; what needs no record goes on", arguments: TestDatabases.all)
    func chain(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws -> Void in
            try await store.database.read { connection in
                let rows = try AuditChain.rows(after: 0, limit: 9, connection)
                #expect(rows.map(\.number) == [1, 2, 3, 4, 5])
                #expect(rows.map { $0.unopened != nil } == [false, false, true, false, false])
                #expect(rows[2].record == [] && rows[2].content == nil)
                let error = #expect(throws: SQLStoreError(.corrupt, "")) { try AuditChain.verify(connection) }
                #expect(error?.message.contains("at row 3") == true)
                #expect(try AuditFeedTable(connection).waiting(behind: 2)?.count == 3)
                #expect(try AuditChain.cutPlace(upTo: 3, before: .max, connection)?.number == 3)
            }
        }
    }
}
