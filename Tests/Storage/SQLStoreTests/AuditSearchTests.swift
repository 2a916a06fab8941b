import Access
import FHIRResources
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// The audit trail as it is searched: from the newest back, by what a row says and when it was written.
@Suite struct AuditSearchTests {
    private static func record(_ principal: String, patient: String? = nil, entity: String? = nil) -> AuditRecord {
        AuditRecord(
            category: .rest, interaction: "read", action: .read, outcome: .minorFailure,
            access: AccessContext(
                principal: Principal(kind: .client, id: principal), scopes: [], requestID: "r-1",
                sourceAddress: "192.0.2.1", tokenID: "t"),
            entity: entity, patientID: patient, query: "name=\"é\\", detail: "a\u{1}b")
    }

    private static func success(_ principal: String) -> AuditRecord {
        var record = record(principal)
        record.outcome = .success
        return record
    }

    private static let auditor = AccessContext(
        principal: Principal(kind: .person, id: "olga"), scopes: ["system/AuditEvent.s"].compactMap { Scope($0) },
        requestID: "r")

    @Test("A row is read back as it was kept, and what is no record is passed over")
    func decoding() {
        let record = Self.record("c|\"1\"", patient: "p", entity: "Patient/p")
        #expect(AuditRecordText.decode(AuditRecordText.encode(record)) == record)
        for text in ["", "{}", "[1]", #"{"category":"lost"}"#, "record 7"] {
            #expect(AuditRecordText.decode(Array(text.utf8)) == nil)
        }
    }

    @Test("Words are found within bytes, also at their ends")
    func words() {
        func contains(_ text: String, _ word: String) -> Bool {
            AuditSearch.contains(Array(text.utf8), Array(word.utf8))
        }
        #expect(contains("abc", "abc") && contains("abc", "c") && contains("aab", "ab") && contains("abc", ""))
        #expect(!contains("abc", "abcd") && !contains("abc", "ac") && !contains("", "a"))
    }

    @Test(
        "Rows are found by patient, caller and time, newest first, and searched on from the last",
        arguments: TestDatabases.all)
    func search(_ kind: SQLDialect) async throws {
        let clock = HandClock(seconds: 1_000)
        try await TestDatabases.with(kind, configure: { $0.now = { clock.microseconds } }) { database in
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
                now: { clock.microseconds })
            // Ten rows, a second apart: those of even number are about p1, each third by "b".
            for number in 1...10 {
                let patient = number.isMultiple(of: 2) ? "p1" : "p12"
                try await store.record(Self.record(number.isMultiple(of: 3) ? "b" : "a", patient: patient))
                clock.advance(1)
            }
            let times = try await database.read { connection in
                try connection.all("SELECT time FROM audit ORDER BY number", []) { try $0.int(0) }
            }
            try #require(times.count == 10)
            func found(_ change: (inout AuditQuery) -> Void) async throws -> [Int64] {
                var query = AuditQuery(limit: 100)
                change(&query)
                return try await store.auditRows(query, access: Self.auditor).rows.map(\.number)
            }
            #expect(try await found { _ in } == (1...10).reversed().map { Int64($0) })
            #expect(try await found { $0.patientID = "p1" } == [10, 8, 6, 4, 2])
            #expect(try await found { $0.principal = "b" } == [9, 6, 3])
            #expect(try await found { ($0.principal, $0.patientID) = ("b", "p1") } == [6])
            #expect(try await found { $0.interaction = "write" } == [])
            #expect(try await found { ($0.since, $0.until) = (times[3], times[6]) } == [6, 5, 4])
            #expect(try await found { $0.until = times[0] } == [])
            #expect(try await found { $0.until = times[9] + 1 }.count == 10)
            #expect(try await found { $0.before = 3 } == [2, 1])

            var query = AuditQuery(limit: 2)
            query.patientID = "p1"
            let first = try await store.auditRows(query, access: Self.auditor)
            #expect(first.rows.map(\.number) == [10, 8] && first.next == 8)
            query.before = first.next
            #expect(try await store.auditRows(query, access: Self.auditor).rows.map(\.number) == [6, 4])

            // One search looks at so many rows and says where it stopped.
            query = AuditQuery(limit: 100)
            query.principal = "b"
            let (bounded, wanted) = (4, query)
            let cut = try await database.read { try AuditSearch(connection: $0, rowsMax: bounded).run(wanted) }
            #expect(cut.rows.map(\.number) == [9] && cut.next == 7)

            // Refusals are no contact.
            #expect(try await store.lastContacts(access: Self.auditor) == [:])
            try await store.record(Self.success("a"))
            clock.advance(1)
            try await store.record(Self.record("a"))
            let contacts = try await store.lastContacts(access: Self.auditor)
            #expect(contacts == [Principal(kind: .client, id: "a"): times[9] + 1_000_000])

            let reader = AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: ["system/Patient.rs"].compactMap { Scope($0) },
                requestID: "r")
            #expect(try await store.auditRows(wanted, access: reader) == AuditFindings(rows: [], next: nil))
            #expect(try await store.lastContacts(access: reader) == [:])
        }
    }
}
