import Testing

@testable import SQLStore

@Suite("PostgreSQL goes away and comes back", .enabled(if: TestDatabases.all.contains(.postgreSQL)))
struct ReconnectTests {
    /// Ends every other session of this test's schema, as a restarted server does.
    static func endSessions(_ location: SQLDatabaseConfiguration.Location) throws {
        guard case .postgreSQL(let string) = location else { return }
        let name = string.split(separator: "=").last.map { $0.dropLast() } ?? ""
        let admin = try TestDatabases.connect(location)
        try admin.run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() \
            AND objid = (hashtext(?)::bigint & 4294967295)::oid
            """, [.text(String(name))])
    }

    @Test("a write after the connection was lost while idle succeeds on a new one, under the server lock again")
    func idleLoss() async throws {
        try await TestDatabases.withLocation(.postgreSQL) { location in
            let database = try await SQLDatabase(.unhurried(location), migrations: WriterTests.migrations)
            _ = try await WriterTests.insert(1, database)
            try Self.endSessions(location)
            #expect(try await WriterTests.insert(2, database).sequence == 2)
            await #expect(throws: SQLStoreError(.locked, "")) {
                try await SQLDatabase(.unhurried(location), migrations: WriterTests.migrations)
            }
            await database.close()
        }
    }

    @Test("a connection lost inside a unit of work fails that unit as unavailable, and keeps nothing of it")
    func lossInside() async throws {
        try await TestDatabases.withLocation(.postgreSQL) { location in
            let database = try await SQLDatabase(.unhurried(location), migrations: WriterTests.migrations)
            await #expect(throws: SQLStoreError(.unavailable, "")) {
                try await database.write { transaction in
                    try transaction.connection.run("INSERT INTO item (id) VALUES (1)")
                    try Self.endSessions(location)
                    try transaction.connection.run("INSERT INTO item (id) VALUES (2)")
                }
            }
            #expect(database.failure == nil)
            #expect(try await WriterTests.insert(3, database).sequence == 1)
            #expect(try await WriterTests.count(database) == 1)
            await database.close()
        }
    }

    @Test("a read on a connection lost while idle is repeated on a new one")
    func readAgain() async throws {
        try await TestDatabases.withLocation(.postgreSQL) { location in
            var configuration = SQLDatabaseConfiguration.unhurried(location)
            configuration.doorReaders = 1
            let database = try await SQLDatabase(configuration, migrations: WriterTests.migrations)
            let process = try await database.read { try $0.first("SELECT pg_backend_pid()") { try $0.int(0) } }
            let admin = try TestDatabases.connect(location)
            try admin.run("SELECT pg_terminate_backend(?::int)", [.int(process ?? 0)])
            #expect(try await WriterTests.count(database) == 0)
            await database.close()
        }
    }

    @Test("no server at all is unavailable at once, not a wait")
    func nobodyThere() async throws {
        await #expect(throws: SQLStoreError(.unavailable, "")) {
            try await SQLDatabase(
                .unhurried(.postgreSQL(connectionString: "host=/nonexistent user=x dbname=x")),
                migrations: Migrations.all)
        }
    }

    @Test("defaults go in front of keyword strings and behind URIs, where the URI is silent")
    func defaults() {
        #expect(PostgreSQLConnection.withDefaults("a=1 b=2", "host=x") == "a=1 b=2 host=x")
        #expect(PostgreSQLConnection.withDefaults("a=1 b=2", "postgres://h/d") == "postgres://h/d?a=1&b=2")
        #expect(PostgreSQLConnection.withDefaults("a=1 b=2", "postgresql://h/d?a=9") == "postgresql://h/d?a=9&b=2")
    }
}
