import Foundation
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

    /// What the process that is killed is told.
    private struct KillPlan: Codable, Sendable {
        var sqlitePath: String?
        var connectionString: String?
        let number: Int
        /// Nil: before the commit.
        let statement: Int?

        init(_ location: SQLDatabaseConfiguration.Location, number: Int, statement: Int?) {
            switch location {
            case .sqlite(let path): sqlitePath = path
            case .postgreSQL(let string): connectionString = string
            }
            self.number = number
            self.statement = statement
        }

        var location: SQLDatabaseConfiguration.Location {
            sqlitePath.map { .sqlite(path: $0) } ?? .postgreSQL(connectionString: connectionString ?? "")
        }
        var point: SQLFaultPoint {
            statement.map { .migrationStatement(number: number, statement: $0) } ?? .migrationCommit(number: number)
        }
    }

    /// The schema after each number of the program's own steps, from none on.
    private static func wholeSchemas(_ kind: SQLDialect) async throws -> [[String]] {
        var schemas: [[String]] = []
        for count in 0...Migrations.all.count {
            try await TestDatabases.withLocation(kind) { location in
                let connection = try TestDatabases.connect(location)
                try Migrator(Array(Migrations.all.prefix(count))).migrate(connection, now: 1)
                schemas.append(try Self.tables(connection))
            }
        }
        return schemas
    }

    @Test(
        "killed inside a step of the program's own schema, by a signal, the step before stays and the next start completes",
        arguments: TestDatabases.all)
    func killed(_ kind: SQLDialect) async throws {
        let schemas = try await Self.wholeSchemas(kind)
        for migration in Migrations.all {
            let number = migration.number
            let statements = migration.text(kind).count
            // Before the first statement, half-way, before the last one, and before the commit; of steps that have long
            // been out in one of these places each.
            let places = Set([0, statements / 2, max(0, statements - 1), statements]).sorted()
            let isOld = number + 8 < Migrations.all.count
            for statement in isOld ? [places[number % places.count]] : places {
                try await TestDatabases.withLocation(kind) { location in
                    let plan = KillPlan(
                        location, number: number, statement: statement < statements ? statement : nil)
                    await #expect(processExitsWith: .signal(SIGKILL)) { [plan = plan as KillPlan] in
                        let connection = try TestDatabases.connect(plan.location)
                        try Migrator(Migrations.all) { if $0 == plan.point { kill(getpid(), SIGKILL) } }
                            .migrate(connection, now: 1)
                    }
                    let connection = try TestDatabases.connect(location)
                    #expect(
                        try Self.tables(connection) == schemas[number - 1], "step \(number), statement \(statement)")
                    try Migrator(Migrations.all).migrate(connection, now: 2)
                    #expect(try Self.tables(connection) == schemas.last)
                }
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
