import Testing

@testable import SQLStore

@Suite("Migrations leave a whole schema, the old one or the new")
struct MigratorTests {
    struct Killed: Error {}

    static let first = Migration(1, "first", ["CREATE TABLE one (id {int} PRIMARY KEY, name {text}) {table}"])
    static let second = Migration(
        2, "second",
        [
            "CREATE TABLE two (id {int} PRIMARY KEY) {table}", "INSERT INTO one (id, name) VALUES (1, 'moved')",
            "ALTER TABLE one ADD COLUMN more {text}", "CREATE INDEX one_name ON one (name)",
        ])

    static func tables(_ connection: any SQLConnection) throws -> [String] {
        switch connection.dialect {
        case .sqlite:
            try connection.all(
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ) { try $0.text(0) }
        case .postgreSQL:
            try connection.all(
                "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname NOT LIKE '%_pkey' ORDER BY 1"
            ) { try $0.text(0) }
        }
    }

    @Test(
        "stopped at each statement, the old schema and its data stay and the next start completes",
        arguments: TestDatabases.all)
    func stoppedAnywhere(_ kind: SQLDialect) async throws {
        var points: [SQLFaultPoint] = Self.second.statements(kind).indices.map {
            .migrationStatement(number: 2, statement: $0)
        }
        points.append(.migrationCommit(number: 2))
        for point in points {
            try await TestDatabases.withLocation(kind) { location in
                do {
                    let connection = try TestDatabases.connect(location)
                    try Migrator([Self.first]).migrate(connection, now: 1)
                    #expect(throws: Killed.self) {
                        try Migrator([Self.first, Self.second]) { if $0 == point { throw Killed() } }
                            .migrate(connection, now: 2)
                    }
                    #expect(try Self.tables(connection) == ["one", "schema_version"], "\(point)")
                    #expect(try connection.first("SELECT count(*) FROM one") { try $0.int(0) } == 0)
                }
                let connection = try TestDatabases.connect(location)
                try Migrator([Self.first, Self.second]).migrate(connection, now: 3)
                #expect(try Self.tables(connection) == ["one", "one_name", "schema_version", "two"])
                #expect(try connection.first("SELECT name FROM one") { try $0.text(0) } == "moved")
            }
        }
    }

    @Test("running again changes nothing", arguments: TestDatabases.all)
    func again(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let connection = try TestDatabases.connect(location)
            try Migrator([Self.first, Self.second]).migrate(connection, now: 1)
            try Migrator([Self.first, Self.second]).migrate(connection, now: 2)
            #expect(try connection.all("SELECT time FROM schema_version ORDER BY number") { try $0.int(0) } == [1, 1])
        }
    }

    @Test("a schema newer than the program is refused with both numbers in the message", arguments: TestDatabases.all)
    func newer(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let connection = try TestDatabases.connect(location)
            try Migrator([Self.first, Self.second]).migrate(connection, now: 1)
            do {
                try Migrator([Self.first]).migrate(connection, now: 2)
                Issue.record("accepted")
            } catch let error as SQLStoreError {
                #expect(error.code == .schema)
                #expect(error.message.contains("step 2 (second), this program knows 1"))
            }
        }
    }

    @Test("a step edited after it was applied is refused", arguments: TestDatabases.all)
    func edited(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let connection = try TestDatabases.connect(location)
            try Migrator([Self.first]).migrate(connection, now: 1)
            let edited = Migration(1, "first", ["CREATE TABLE one (id {int} PRIMARY KEY) {table}"])
            #expect(throws: SQLStoreError(.schema, "")) { try Migrator([edited]).migrate(connection, now: 2) }
        }
    }
}
