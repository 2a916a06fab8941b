import Synchronization
import Testing

@testable import SQLStore

@Suite("Group commit, its order and its failures")
struct WriterTests {
    struct Stop: Error, Equatable {}

    static let migrations =
        Migrations.all + [
            Migration(
                Migrations.all.count + 1, "test items",
                ["CREATE TABLE item (id {int} PRIMARY KEY, sequence {int}) {table}"])
        ]

    static func insert(_ id: Int, _ database: SQLDatabase) async throws -> CommitStamp {
        try await database.write { transaction in
            try transaction.connection.run(
                "INSERT INTO item (id, sequence) VALUES (?, ?)", [.int(Int64(id)), .int(transaction.stamp.sequence)])
            return transaction.stamp
        }
    }

    static func count(_ database: SQLDatabase) async throws -> Int64? {
        try await database.read { try $0.first("SELECT count(*) FROM item") { try $0.int(0) } }
    }

    @Test(
        "200 concurrent writers: each gets its own sequence number, times rise with them, all are there",
        arguments: TestDatabases.all)
    func stamps(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, migrations: Self.migrations) { (database) async throws in
            let stamps = try await withThrowingTaskGroup(of: CommitStamp.self) { group in
                for id in 0..<200 { group.addTask { try await Self.insert(id, database) } }
                var stamps: [CommitStamp] = []
                for try await stamp in group { stamps.append(stamp) }
                return stamps.sorted()
            }
            #expect(stamps.map(\.sequence) == Array(1...200))
            #expect(zip(stamps, stamps.dropFirst()).allSatisfy { $0.time < $1.time })
            #expect(database.lastCommit == stamps.last)
            #expect(try await Self.count(database) == 200)
        }
    }

    @Test("a failing unit of work is undone alone, wherever it is in its batch", arguments: TestDatabases.all)
    func failuresAreAlone(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, migrations: Self.migrations) { (database) async throws in
            let failures = await withTaskGroup(of: Bool.self) { group in
                for id in 0..<120 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.connection.run("INSERT INTO item (id) VALUES (?)", [.int(Int64(id))])
                                if id % 3 == 1 { throw Stop() }
                                if id % 3 == 2 {
                                    try transaction.connection.run(
                                        "INSERT INTO item (id) VALUES (?)", [.int(Int64(id))])
                                }
                            }
                            return false
                        } catch { return true }
                    }
                }
                var failures = 0
                for await failed in group where failed { failures += 1 }
                return failures
            }
            #expect(failures == 80)
            #expect(try await Self.count(database) == 40)
            #expect(database.lastCommit.sequence == 40)
        }
    }

    @Test("a unit of work that changes nothing takes no sequence number", arguments: TestDatabases.all)
    func unchanged(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, migrations: Self.migrations) { (database) async throws in
            // The first unit of a sealing store writes what form bodies have.
            let first = try await Self.insert(1, database).sequence
            try await database.write { _ in }
            #expect(database.lastCommit.sequence == first)
            #expect(try await Self.insert(2, database).sequence == first + 1)
        }
    }

    @Test("times rise strictly when the clock stands still or is set back", arguments: TestDatabases.all)
    func clockSetBack(_ kind: SQLDialect) async throws {
        let clock = Mutex<Int64>(1_000_000)
        let shared = Shared(clock)
        try await TestDatabases.with(kind, migrations: Self.migrations) {
            $0.now = { shared.value.withLock { $0 } }
        } _: { (database) async throws in
            let first = try await Self.insert(1, database)
            let second = try await Self.insert(2, database)
            shared.value.withLock { $0 = 5 }
            let third = try await Self.insert(3, database)
            #expect([first.time, second.time, third.time] == [1_000_000, 1_000_001, 1_000_002])
        }
    }

    final class Shared: Sendable {
        let value: Mutex<Int64>
        init(_ value: consuming sending Mutex<Int64>) { self.value = value }
    }

    @Test("the sequence goes on where it was after closing and opening", arguments: TestDatabases.all)
    func reopened(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let first = try await SQLDatabase(.unhurried(location), migrations: Self.migrations)
            _ = try await Self.insert(1, first)
            await first.close()
            await #expect(throws: SQLStoreError(.closed, "")) { try await Self.insert(2, first) }
            let second = try await SQLDatabase(.unhurried(location), migrations: Self.migrations)
            #expect(second.lastCommit.sequence == 1)
            #expect(try await Self.insert(2, second).sequence == 2)
            await second.close()
        }
    }

    @Test(
        "a commit that cannot be made durable fails its writes and every later one; nothing of it is kept",
        arguments: TestDatabases.all)
    func failStop(_ kind: SQLDialect) async throws {
        let broken = Atomic<Bool>(false)
        let flag = Flag(broken)
        try await TestDatabases.withLocation(kind) { location in
            var configuration = SQLDatabaseConfiguration.unhurried(location)
            configuration.fault = { point in
                if point == .commit, flag.value.load(ordering: .relaxed) { throw SQLStoreError(.failed, "fsync: EIO") }
            }
            let database = try await SQLDatabase(configuration, migrations: Self.migrations)
            _ = try await Self.insert(1, database)
            flag.value.store(true, ordering: .relaxed)
            await #expect(throws: SQLStoreError(.failed, "")) { try await Self.insert(2, database) }
            flag.value.store(false, ordering: .relaxed)
            await #expect(throws: SQLStoreError(.failed, "")) { try await Self.insert(3, database) }
            #expect(database.failure != nil)
            #expect(await database.isReady() == false)
            #expect(try await Self.count(database) == 1)
            await database.close()
            let again = try await SQLDatabase(.unhurried(location), migrations: Self.migrations)
            #expect(try await Self.insert(2, again).sequence == 2)
            await again.close()
        }
    }

    final class Flag: Sendable {
        let value: Atomic<Bool>
        init(_ value: consuming sending Atomic<Bool>) { self.value = value }
    }

    @Test("a full disk fails the commit under way and not the next one", arguments: TestDatabases.all)
    func fullDisk(_ kind: SQLDialect) async throws {
        let flag = Flag(Atomic<Bool>(true))
        try await TestDatabases.with(kind, migrations: Self.migrations) {
            $0.fault = { point in
                if point == .commit, flag.value.load(ordering: .relaxed) { throw SQLStoreError(.full, "ENOSPC") }
            }
        } _: { (database) async throws in
            await #expect(throws: SQLStoreError(.full, "")) { try await Self.insert(1, database) }
            flag.value.store(false, ordering: .relaxed)
            #expect(try await Self.insert(1, database).sequence == 1)
        }
    }

    @Test("a second server on the same database is refused, a command beside it is not", arguments: TestDatabases.all)
    func oneServer(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let server = try await SQLDatabase(.unhurried(location), migrations: Self.migrations)
            await #expect(throws: SQLStoreError(.locked, "")) {
                try await SQLDatabase(.unhurried(location), migrations: Self.migrations)
            }
            var beside = SQLDatabaseConfiguration.unhurried(location)
            beside.isServer = false
            let command = try await SQLDatabase(beside, migrations: Self.migrations)
            #expect(try await Self.insert(1, command).sequence == 1)
            #expect(try await Self.insert(2, server).sequence == 2)
            #expect(try await Self.insert(3, command).sequence == 3)
            await command.close()
            await server.close()
        }
    }

    /// Holds the writer with a unit of work, named `held` among the results, until the gate is opened; what is submitted
    /// meanwhile queues behind it.
    private static func hold(_ database: SQLDatabase) async -> (results: Results, gate: Gate) {
        let (results, gate) = (Results(), Gate())
        database.submit({ _ in gate.wait() }) { results.add($0.map { "held" }) }
        await gate.waitUntilEntered()
        return (results, gate)
    }

    @Test(
        "one write more than may wait is refused as overloaded; those that wait are done", arguments: TestDatabases.all)
    func overload(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, migrations: Self.migrations) {
            $0.waitingWritesMax = 2
        } _: { (database) async throws in
            let (results, gate) = await Self.hold(database)
            for id in 1...3 {
                database.submit { transaction in
                    try transaction.connection.run("INSERT INTO item (id) VALUES (?)", [.int(Int64(id))])
                } completion: {
                    results.add($0.map { _ in "written" })
                }
            }
            #expect(results.all == ["overloaded"])
            gate.open()
            while results.all.count < 4 { await Task.yield() }
            #expect(results.all.sorted() == ["held", "overloaded", "written", "written"])
            #expect(try await Self.count(database) == 2)
        }
    }

    @Test(
        "a disk error that ends the transaction of a batch stops the store, and nothing is tried again over it",
        arguments: TestDatabases.all)
    func diskErrorInBatch(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, migrations: Self.migrations) { (database) async throws in
            let (results, gate) = await Self.hold(database)
            let runs = Results()
            for id in 1...3 {
                database.submit { transaction in
                    runs.add(.success("\(id)"))
                    try transaction.connection.run("INSERT INTO item (id) VALUES (?)", [.int(Int64(id))])
                    // As SQLite does on its own after most I/O errors.
                    guard id == 2 else { return }
                    try transaction.connection.execute("ROLLBACK")
                    throw SQLStoreError(.failed, "the disk")
                } completion: {
                    results.add($0.map { "written" })
                }
            }
            gate.open()
            while results.all.count < 4 { await Task.yield() }
            #expect(results.all.sorted() == ["failed", "failed", "failed", "held"])
            #expect(runs.all == ["1", "2"])
            #expect(database.failure != nil)
            #expect(try await Self.count(database) == 0)
        }
    }

    @Test("a snapshot read sees no commit made after it began", arguments: TestDatabases.all)
    func snapshot(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind, migrations: Self.migrations) { (database) async throws in
            _ = try await Self.insert(1, database)
            let gate = Gate()
            let reading = Task {
                try await database.read(snapshot: true) { connection in
                    let before = try connection.first("SELECT count(*) FROM item") { try $0.int(0) }
                    gate.wait()
                    return [before, try connection.first("SELECT count(*) FROM item") { try $0.int(0) }]
                }
            }
            await gate.waitUntilEntered()
            _ = try await Self.insert(2, database)
            gate.open()
            #expect(try await reading.value == [1, 1])
            #expect(try await Self.count(database) == 2)
        }
    }
}
