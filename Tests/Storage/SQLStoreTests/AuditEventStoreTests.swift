import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// AuditEvents on both databases. FHIR R4 auditevent.html; decision 0032.
@Suite("AuditEvents: by number, patient and time on both databases")
struct AuditEventStoreTests {
    private static let system = ResourceStoreTests.access("system/AuditEvent.rs")

    /// The rows of p1, the newest first.
    private static let ofFirst: [Int64] = stride(from: Int64(28), through: 1, by: -3).map { $0 }

    private static func patient(_ id: String, by client: String = "app") -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: client), scopes: [Scope("patient/AuditEvent.rs")].compactMap { $0 },
            patient: id, requestID: "t")
    }

    private static func record(_ patient: String?, _ action: AuditRecord.Action = .read, entity: String? = nil)
        -> AuditRecord
    {
        AuditRecord(
            category: .rest, interaction: "read", action: action, outcome: .success,
            principal: Principal(kind: .client, id: "reader"), sourceAddress: "192.0.2.1", requestID: "r",
            tokenID: nil, entity: entity, patientID: patient, query: nil, detail: nil)
    }

    /// A store with 30 rows: of p1, p2 and nobody in turn, every fifth a change.
    private static func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await ResourceStoreTests.with(kind, now: SQLDatabaseConfiguration.systemTime) { store in
            for number in 1...30 {
                try await store.record(
                    record(
                        [nil, "p1", "p2"][number % 3], number % 5 == 0 ? .update : .read, entity: "Device/d\(number)"))
            }
            try await body(store)
        }
    }

    private static func numbers(
        _ store: RelationalStore, _ text: String, _ access: AccessContext = system, token: String? = nil
    ) async throws -> (numbers: [Int64], page: SearchPage) {
        let page = try await store.searchAuditEvents(
            try query(text), token: token, access: access)
        return (page.matches.map(\.sequence), page)
    }

    private static func query(_ text: String) throws -> SearchQuery {
        text.isEmpty ? SearchQuery("AuditEvent") : try ResourceStoreTests.query("AuditEvent", text)
    }

    @Test("A row comes back as it was written, and one whose bytes are no record is none", arguments: TestDatabases.all)
    func row(_ kind: SQLDialect) async throws {
        var full = Self.record("p1", entity: "Patient/p1")
        full.query = "a=\"ü\""
        full.detail = "line\nline"
        full.tokenID = "j"
        #expect(AuditRecordText.decode(AuditRecordText.encode(full)) == full)
        #expect(AuditRecordText.decode(Array("record 1".utf8)) == nil)
        #expect(AuditRecordText.decode(Array(#"{"category":"later"}"#.utf8)) == nil)
        try await Self.with(kind) { (store) async throws in
            let event = try await store.auditEvent(4, access: Self.system)
            #expect(event?.id == "trail-4")
            #expect(event?.version == 1)
            for number in [0, 31, -1, Int64.max] {
                #expect(try await store.auditEvent(number, access: Self.system) == nil)
            }
            try await store.auditWriter.append(Array("record 31".utf8))
            #expect(try await store.auditEvent(31, access: Self.system) == nil)
            #expect(try await Self.numbers(store, "").numbers.count == 30)
        }
    }

    @Test("By patient, action and time, the newest first, with the total", arguments: TestDatabases.all)
    func searches(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            let (ofFirst, all) = (Self.ofFirst, stride(from: Int64(30), through: 1, by: -1).map { $0 })
            #expect(try await Self.numbers(store, "").numbers == all)
            #expect(try await Self.numbers(store, "patient=p1").numbers == ofFirst)
            #expect(try await Self.numbers(store, "patient=p1,p2").numbers.count == 20)
            #expect(try await Self.numbers(store, "patient=p1&action=U").numbers == ofFirst.filter { $0 % 5 == 0 })
            #expect(try await Self.numbers(store, "entity=Device/d7").numbers == [7])
            for (text, total) in [
                ("", 30), ("patient=p1", 10), ("patient=p1,p2", 20), ("action=U", 6), ("patient=x", 0),
            ] {
                let counted = text.isEmpty ? "_total=accurate" : text + "&_total=accurate"
                #expect(try await Self.numbers(store, counted + "&_count=2").page.total == total, "\(text)")
                let alone = try await Self.numbers(store, counted + "&_count=0").page
                #expect(alone.total == total && alone.matches.isEmpty, "\(text)")
            }
            let times = try await Self.numbers(store, "").page.matches.reduce(into: [Int64: UTCInstant]()) {
                $0[$1.sequence] = $1.lastUpdated
            }
            for (prefix, keeps) in [
                ("ge", { (time: Int64, range: DateTimeRange) in time >= range.lower }),
                ("gt", { $0 >= $1.upper }), ("lt", { $0 < $1.lower }), ("le", { $0 < $1.upper }),
                ("", { $0 >= $1.lower && $0 < $1.upper }),
            ] as [(String, (Int64, DateTimeRange) -> Bool)] {
                let text = try #require(times[12]).instantText
                let range = try #require(FHIRDateTime(text)).range()
                let wanted = times.filter { keeps($0.value.microseconds, range) }.keys.sorted(by: >)
                #expect(try await Self.numbers(store, "date=\(prefix)\(text)").numbers == wanted, "\(prefix)")
                let own = wanted.filter { $0 % 3 == 1 }
                let both = try await Self.numbers(store, "date=\(prefix)\(text)&patient=p1&_total=accurate")
                #expect(both.numbers == own && both.page.total == own.count, "\(prefix)")
            }
        }
    }

    @Test(
        "Pages neither repeat nor skip while rows come; a link is its caller's and its search's alone",
        arguments: TestDatabases.all)
    func pages(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            var found: [Int64] = []
            var token: String?
            repeat {
                let (numbers, page) = try await Self.numbers(store, "patient=p1&_count=4", token: token)
                found += numbers
                token = page.nextToken
                try await store.record(Self.record("p1"))
            } while token != nil
            #expect(found == Self.ofFirst)
            let first = try await Self.numbers(store, "patient=p1&_count=4").page
            let link = try #require(first.nextToken)
            for (text, access) in [
                ("patient=p2&_count=4", Self.system),
                ("patient=p1&_count=4", ResourceStoreTests.access("system/AuditEvent.rs", id: "other")),
            ] {
                await #expect(throws: StoreError.self) {
                    try await store.searchAuditEvents(try Self.query(text), token: link, access: access)
                }
            }
        }
    }

    @Test(
        "A patient's token sees the patient's rows, no total of others, and no row of others by its number",
        arguments: TestDatabases.all)
    func ownRows(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            let own = try await Self.numbers(store, "_total=accurate&_count=3", Self.patient("p1"))
            #expect(own.numbers == [28, 25, 22])
            #expect(own.page.total == 10)
            #expect(try await Self.numbers(store, "patient=p2&_total=accurate", Self.patient("p1")).page.total == 0)
            for number in Int64(1)...30 {
                let seen = try await store.auditEvent(number, access: Self.patient("p1"))
                #expect((seen != nil) == (number % 3 == 1), "\(number)")
                #expect(seen.map { String(decoding: $0.bytes, as: UTF8.self).contains("192.0.2.1") } != true)
            }
            #expect(try await Self.numbers(store, "", Self.patient("nobody")).numbers == [])
            #expect(try await Self.numbers(store, "", ResourceStoreTests.access("system/Patient.rs")).numbers == [])
        }
    }

    @Test(
        "The rows of patients are made of an older trail, and go with the rows that are cut",
        arguments: TestDatabases.all)
    func upkeep(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store) async throws in
            func kept() async throws -> [Int64] {
                try await store.database.read {
                    try $0.all("SELECT number FROM audit_patients ORDER BY number") { try $0.int(0) }
                }
            }
            let all: [Int64] = stride(from: Int64(1), through: 30, by: 1).filter { $0 % 3 != 0 }
            #expect(try await kept() == all)
            try await store.database.write { try AuditPatientTable.rebuild($0.connection) }
            #expect(try await kept() == all)
            let removed = try await store.database.write { transaction in
                let link = try #require(try AuditChain.link(20, transaction.connection))
                try AuditChain.allowCut(at: link, checkpoint: "c", transaction.connection)
                return try AuditChain.removeCut(limit: 100, transaction.connection)
            }
            #expect(removed)
            #expect(try await kept() == all.filter { $0 > 20 })
            #expect(try await Self.numbers(store, "_total=accurate").page.total == 10)
            #expect(try await store.auditEvent(20, access: Self.system) == nil)
        }
    }

    @Test(
        "A search of few among many rows ends its page with a link before it has looked at all",
        arguments: TestDatabases.all)
    func bounded(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind, now: SQLDatabaseConfiguration.systemTime) { (store) async throws in
            try await store.record(Self.record("p1", .delete))
            let row = AuditRecordText.encode(Self.record(nil))
            let rows = [[UInt8]](repeating: row, count: RelationalStore.auditRowsPerPage + 100)
            try await store.database.write { try AuditChain.append(rows, $0) }
            let first = try await Self.numbers(store, "action=D")
            #expect(first.numbers.isEmpty && first.page.total == nil)
            #expect(first.page.notices.count == 1)
            let token = try #require(first.page.nextToken)
            let second = try await Self.numbers(store, "action=D", token: token)
            #expect(second.numbers == [1] && second.page.nextToken == nil)
            // By the patient it is found at once.
            #expect(try await Self.numbers(store, "action=D&patient=p1").page.nextToken == nil)
            #expect(try await Self.numbers(store, "action=D&patient=p1").numbers == [1])
        }
    }
}
