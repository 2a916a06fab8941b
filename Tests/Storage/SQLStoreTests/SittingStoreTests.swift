import Access
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// What the store tells those who have no row of their own, on both databases. Decision 0065.
@Suite("What another process wrote, and whose a series is, is known without a row of the audit trail")
struct SittingStoreTests {
    private static func look(_ store: RelationalStore) async -> Bool {
        await withCheckedContinuation { continuation in
            store.database.look { continuation.resume(returning: $0) }
        }
    }

    private static func note(_ store: RelationalStore) async throws {
        try await store.record(
            AuditRecord(
                category: .rest, interaction: "read", action: .read, outcome: .success,
                access: .server(requestID: "r")))
    }

    @Test(
        "A look tells that another process has written, until the writer has seen it; own writes are known",
        arguments: TestDatabases.all)
    func beside(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            func open() async throws -> RelationalStore {
                var configuration = SQLDatabaseConfiguration.unhurried(location)
                configuration.isServer = false
                if SealedRun.isOn { configuration.bodies = TestDatabases.sealing() }
                return RelationalStore(
                    database: try await SQLDatabase(configuration, migrations: Migrations.all),
                    entropy: SeededEntropy(), observers: [], baseURL: ResourceStoreTests.base)
            }
            let store = try await open()
            let other = try await open()
            try await Self.note(store)
            #expect(await Self.look(store))
            let before = store.patientLinks
            #expect(try await store.changes(ofSeries: "1") != nil)
            try await Self.note(other)
            #expect(try await store.changes(ofSeries: "1") == nil)
            #expect(!(await Self.look(store)))
            // The next commit, or what the look itself has asked for, sees it.
            try await Self.note(store)
            #expect(await Self.look(store))
            #expect(store.patientLinks > before)
            await store.database.close()
            #expect(!(await Self.look(store)))
            await other.database.close()
        }
    }

    @Test("A unit of work that fails here is nobody else's", arguments: TestDatabases.all)
    func failure(_ kind: SQLDialect) async throws {
        struct Refused: Error {}
        try await QuarantineTests.with(kind) { store, _ in
            try await Self.note(store)
            let before = store.patientLinks
            for _ in 0..<3 {
                await #expect(throws: Refused.self) { try await store.work { _ -> Void in throw Refused() } }
                try await Self.note(store)
            }
            #expect(store.patientLinks == before)
            #expect(await Self.look(store))
        }
    }

    @Test(
        "A series that is linked to another patient is told, and what else changes is not",
        arguments: TestDatabases.all)
    func links(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, ids in
            let two = try #require(ids["200"]).value
            try await QuarantineTests.send(store, QuarantineTests.image("1.1", accession: "A1"))
            let before = store.patientLinks
            try await QuarantineTests.send(store, QuarantineTests.image("1.2", accession: "A1"))
            try await Self.note(store)
            #expect(store.patientLinks == before)
            try await store.work { unit in
                for var series in try unit.series(in: "1.2.3") {
                    series.reconciliation = .unscheduled(patientID: EntityID(two))
                    try unit.save(series)
                }
            }
            #expect(store.patientLinks == before + 1)
        }
    }

    @Test(
        "A series that was removed may come back as another patient's, and that is told",
        arguments: TestDatabases.all)
    func removed(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, _ in
            try await QuarantineTests.send(
                store, QuarantineTests.image("1.1", accession: "A1"),
                QuarantineTests.image("2.1", series: "1.2.3.2", patient: "200"))
            let before = store.patientLinks
            try await QuarantineTests.decide(store, .reject, series: "1.2.3.2")
            #expect(store.patientLinks > before)
        }
    }

    @Test(
        "Whatever comes into a series or goes from it is told to who has listed it, and nothing else is",
        arguments: TestDatabases.all)
    func listed(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, _ in
            var last = try await store.changes(ofSeries: "1.2.3.2")
            func differs() async throws -> Bool {
                let now = try await store.changes(ofSeries: "1.2.3.2")
                defer { last = now }
                return now != last
            }
            for sop in ["2.1", "2.2"] {
                try await QuarantineTests.send(store, QuarantineTests.image(sop, series: "1.2.3.2", patient: "200"))
                #expect(try await differs())
            }
            try await Self.note(store)
            #expect(try await !differs())
            try await QuarantineTests.decide(store, .reject, series: "1.2.3.2")
            #expect(try await differs())
            try await QuarantineTests.decide(store, .undo)
            #expect(try await differs())
        }
    }
}
