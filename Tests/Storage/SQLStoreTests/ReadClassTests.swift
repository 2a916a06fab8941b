import Access
import FHIRModel
import FHIRResources
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// S2, X24: reads in classes, with limits for a whole search.
@Suite("Readers in classes")
struct ReadClassTests {
    typealias Support = WorkflowSupport

    @Test(
        "S2: with every search place taken, doors and exports read on, and another client's search is next",
        arguments: TestDatabases.all)
    func classes(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            let gates = (0..<2).map { _ in Gate() }
            let order = Results()
            let held = gates.map { gate in
                Task { try await database.read(.search(client: "a")) { _ in gate.wait() } }
            }
            do {
                for gate in gates { await gate.waitUntilEntered() }
                #expect(try await database.read { try $0.first("SELECT 1") { try $0.int(0) } } == 1)
                #expect(try await database.read(.background) { try $0.first("SELECT 1") { try $0.int(0) } } == 1)
                #expect(await database.isReady())
                // The last search place is never the same client's.
                try await database.read(.search(client: "b")) { _ in order.add(.success("b")) }
                let next = Task { try await database.read(.search(client: "a")) { _ in order.add(.success("a")) } }
                for gate in gates { gate.open() }
                for task in held { try await task.value }
                try await next.value
            }
            #expect(order.all == ["b", "a"])
        }
    }

    @Test("S2: a search that waits and is not wanted any more leaves the queue")
    func cancelled() async throws {
        try await TestDatabases.with(.sqlite) { database in
            let gates = (0..<2).map { _ in Gate() }
            let held = gates.map { gate in
                Task { try await database.read(.search(client: "a")) { _ in gate.wait() } }
            }
            do {
                for gate in gates { await gate.waitUntilEntered() }
                let waiting = Task { try await database.read(.search(client: "a")) { _ in 1 } }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                for gate in gates { gate.open() }
                for task in held { try await task.value }
            }
        }
    }

    /// A statement that runs for about as long as the database needs to count to `count`.
    static func counting(_ dialect: SQLDialect, _ count: Int) -> String {
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < \(count)) SELECT count(*) FROM c"
    }

    @Test("S2: the limit of time is one search's, over however many short statements", arguments: TestDatabases.all)
    func time(_ kind: SQLDialect) async throws {
        let done = Mutex(0)
        // On a busy machine a search may have no turn within a short limit.
        for limit in [Duration.milliseconds(500), .seconds(5), .seconds(60)] {
            done.withLock { $0 = 0 }
            try await TestDatabases.with(kind, configure: { $0.readTimeout = limit }) { database in
                await #expect(throws: SQLStoreError(.costly, "")) {
                    try await database.read(.search(client: "a"), snapshot: true) { connection in
                        while true {
                            _ = try connection.first(Self.counting(connection.dialect, 1_000)) { try $0.int(0) }
                            done.withLock { $0 += 1 }
                        }
                    }
                }
                // The connection works afterwards.
                var after: Int64?
                for _ in 0..<100 where after == nil {
                    after = try? await database.read(.search(client: "a")) {
                        try $0.first("SELECT 1") { try $0.int(0) }
                    }
                }
                #expect(after == 1)
            }
            if done.withLock({ $0 }) > 1 { break }
        }
        // Each by itself was within the limit.
        #expect(done.withLock { $0 } > 1)
    }

    @Test("S2: one long statement of a search is stopped in the midst", arguments: TestDatabases.all)
    func longStatement(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, configure: { $0.readTimeout = .seconds(1) }) { database in
            await #expect(throws: SQLStoreError(.costly, "")) {
                try await database.read(.search(client: "a"), snapshot: true) { connection in
                    try connection.first(Self.counting(connection.dialect, 2_000_000_000)) { try $0.int(0) }
                }
            }
        }
    }

    @Test("S2: the limit of rows is one search's, over all its statements", arguments: TestDatabases.all)
    func rows(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, configure: { $0.searchRowsMax = 100 }) { database in
            let read = Mutex(0)
            await #expect(throws: SQLStoreError(.costly, "")) {
                try await database.read(.search(client: "a"), snapshot: true) { connection in
                    while true {
                        try connection.run(
                            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30) SELECT n FROM c",
                            []
                        ) { _ in read.withLock { $0 += 1 } }
                    }
                }
            }
            #expect(read.withLock { $0 } == 100)
        }
    }

    /// Reads rows as a search of a change does.
    private static func read(_ rows: Int, _ unit: SQLUnitOfWork) throws {
        try unit.withinBudget {
            _ = try unit.connection.run(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < \(rows)) SELECT n FROM c", []
            ) { _ in }
        }
    }

    private static func code(_ work: () async throws -> Void) async -> StoreError.Code? {
        do {
            try await work()
            return nil
        } catch { return (error as? StoreError)?.code }
    }

    @Test("S2: all searches of one change have one limit; the next change has its own", arguments: TestDatabases.all)
    func change(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            for _ in 0..<2 {
                let code = await Self.code {
                    try await store.writeUnit(Support.server) { unit in
                        try Self.read(120_000, unit)
                        try Self.read(80_000, unit)
                    }
                }
                #expect(code == nil)
            }
            let code = await Self.code {
                try await store.writeUnit(Support.server) { unit in
                    try Self.read(120_000, unit)
                    try Self.read(80_001, unit)
                }
            }
            #expect(code == .costly)
        }
    }

    @Test("S2: the time that a search of a change may take does not bind what follows it in the commit")
    func afterSearch() async throws {
        guard TestDatabases.all.contains(.postgreSQL) else { return }
        try await Support.with(.postgreSQL) { (store) async throws in
            try await store.writeUnit(Support.server) { unit in
                func limit() throws -> String? {
                    try unit.connection.first("SELECT current_setting('statement_timeout')") { try $0.text(0) }
                }
                let before = try limit()
                let within = try unit.withinBudget { try limit() }
                #expect(within != before)
                #expect(try limit() == before)
            }
        }
    }

    @Test("S2: a transaction whose conditional search is too costly is told so", arguments: TestDatabases.all)
    func transaction(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { store in
            try await ResourceStoreTests.put(store, ResourceStoreTests.patients[1])
            let query = try ResourceStoreTests.query("Patient", "gender=male")
            let document = try JSONDocument(parsing: ResourceStoreTests.patients[2])
            let change = ResourceChange("Patient", .create(document), .matching(query))
            let changes = ChangeSet([.init(index: 0, fullURL: nil, change: change)]) { _, _ in query }
            let code = await Self.code {
                try await (store as any ResourceStore).write(ResourceStoreTests.server) { unit in
                    if let unit = unit as? SQLUnitOfWork { try Self.read(200_000, unit) }
                    try changes.apply(in: unit) { _, _ in }
                }
            }
            #expect(code == .costly)
        }
    }

    @Test("S2: a disk that loses writes is seen within a transaction's entry, too", arguments: TestDatabases.all)
    func lostWrite(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { store in
            let code = await Self.code {
                try await store.writeUnit(ResourceStoreTests.server) { _ in
                    throw ChangeSet.Refusal(index: 3, cause: SQLStoreError(.failed, "the disk"))
                }
            }
            #expect(code == .failed)
            #expect(store.database.failure?.code == .failed)
        }
    }

    @Test("X24: a table locked by another session is a transient answer to reads, searches and writes, not a wait")
    func lockedTable() async throws {
        guard TestDatabases.all.contains(.postgreSQL) else { return }
        try await TestDatabases.withLocation(.postgreSQL) { location in
            var configuration = SQLDatabaseConfiguration.unhurried(location)
            // The tables are made with the limits of a server: the catalog is shared with every test beside this one.
            let maker = try await SQLDatabase(configuration, migrations: Migrations.all)
            try await ResourceStoreTests.put(
                RelationalStore(database: maker, entropy: SeededEntropy(), observers: []),
                ResourceStoreTests.patients[0])
            await maker.close()
            configuration.readLockTimeout = .seconds(1)
            configuration.writeLockTimeout = .seconds(1)
            let database = try await SQLDatabase(configuration, migrations: Migrations.all)
            let store = RelationalStore(database: database, entropy: SeededEntropy(), observers: [])
            let other = try TestDatabases.connect(location)
            try other.execute("BEGIN; LOCK TABLE resource_versions, clients IN ACCESS EXCLUSIVE MODE")
            let server = ResourceStoreTests.server
            #expect(await Self.code { _ = try await store.read("Patient", "p9", access: server) } == .unavailable)
            #expect(
                await Self.code {
                    _ = try await store.search(
                        try ResourceStoreTests.query("Patient", "family=m"), token: nil, access: server)
                } == .unavailable)
            #expect(await Self.code { _ = try await store.client(id: "x") } == .unavailable)
            #expect(
                await Self.code { try await ResourceStoreTests.put(store, ResourceStoreTests.patients[1]) }
                    == .unavailable)
            try other.execute("ROLLBACK")
            #expect(try await ResourceStoreTests.ids(store, "Patient", "family=m") == ["p1"])
            try await ResourceStoreTests.put(store, ResourceStoreTests.patients[1])
            #expect(try await ResourceStoreTests.ids(store, "Patient", "family=m") == ["p1", "p2"])
            await database.close()
        }
    }

    @Test("X25: of twenty exports that come at once as many are taken as may be", arguments: TestDatabases.all)
    func exportsAtOnce(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            for round in 0..<5 {
                let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<20 {
                        let job = ExportJob(
                            id: EntityID("j\(round)-\(number)"), ownerID: "app\(round)", scopes: [],
                            request: "/$export",
                            types: ["Patient"], since: nil, until: nil, snapshot: 1, transactionTime: Support.at(1),
                            createdAt: Support.at(1))
                        group.addTask { try await store.accept(job, activeMax: 5) }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(taken == 5)
            }
        }
    }
}
