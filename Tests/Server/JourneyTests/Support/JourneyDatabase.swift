import Foundation

/// Where the journeys keep their data: SQLite, or with `HILUM_JOURNEY_DATABASE=postgres` a database of its own for each
/// server on the PostgreSQL server that `HILUM_TEST_POSTGRES` names.
enum JourneyDatabase {
    /// The connection string of a new, empty database; nil for SQLite. Throws ``JourneyFailure``.
    static func make() async throws -> String? {
        let environment = ProcessInfo.processInfo.environment
        switch environment["HILUM_JOURNEY_DATABASE"] ?? "sqlite" {
        case "sqlite": return nil
        case "postgres":
            guard let server = environment["HILUM_TEST_POSTGRES"], !server.isEmpty else {
                throw JourneyFailure("HILUM_JOURNEY_DATABASE=postgres needs a server in HILUM_TEST_POSTGRES")
            }
            let name = "journey_" + UUID().uuidString.prefix(8).lowercased()
            let ending = try await HilumProgram.run(
                "/usr/bin/env",
                ["psql", "--no-psqlrc", "--quiet", "--dbname", server, "--command", "CREATE DATABASE \(name)"])
            guard ending.code == 0 else { throw JourneyFailure("psql ended with \(ending.code): \(ending.text)") }
            // Of a keyword that is there twice, libpq takes the last.
            return "\(server) dbname=\(name)"
        case let other: throw JourneyFailure("HILUM_JOURNEY_DATABASE is sqlite or postgres, not \(other)")
        }
    }

    /// The connection string of a copy of a database to which nobody is connected.
    static func copy(of connection: String) async throws -> String {
        guard let start = connection.range(of: "dbname=", options: .backwards) else {
            throw JourneyFailure("\(connection) names no database")
        }
        let source = connection[start.upperBound...].prefix { $0 != " " }
        let name = "journey_" + UUID().uuidString.prefix(8).lowercased()
        let server = ProcessInfo.processInfo.environment["HILUM_TEST_POSTGRES"] ?? ""
        let ending = try await HilumProgram.run(
            "/usr/bin/env",
            [
                "psql", "--no-psqlrc", "--quiet", "--dbname", server, "--command",
                "CREATE DATABASE \(name) TEMPLATE \(source)",
            ])
        guard ending.code == 0 else { throw JourneyFailure("psql ended with \(ending.code): \(ending.text)") }
        return "\(server) dbname=\(name)"
    }

    static var isPostgreSQL: Bool { ProcessInfo.processInfo.environment["HILUM_JOURNEY_DATABASE"] == "postgres" }

    /// The connection string in a folder's configuration; nil for SQLite.
    static func connectionString(of folder: ServerFolder) throws -> String? {
        let text = try String(contentsOfFile: folder.path + "/hilum.yaml", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("  postgres: \"") }
        return line.map { String($0.dropFirst(13).dropLast()) }
    }

    /// Runs SQL on the database of a folder whose server has stopped: what somebody does behind its back.
    static func execute(_ sql: String, in folder: ServerFolder) async throws {
        let ending: HilumProgram.Ending
        if let database = try connectionString(of: folder) {
            ending = try await psql(sql, database)
        } else {
            let script = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
            ending = try await HilumProgram.run(
                "/usr/bin/env", ["python3", "-c", script, folder.path + "/hilum.sqlite", sql])
        }
        guard ending.code == 0 else { throw JourneyFailure("\(sql) ended with \(ending.code): \(ending.text)") }
    }

    /// Takes a database away from a running server, or gives it back. PostgreSQL alone.
    static func setAvailable(_ isAvailable: Bool, _ folder: ServerFolder) async throws {
        guard let database = try connectionString(of: folder),
            let name = database.split(separator: " ").last?.dropFirst("dbname=".count),
            let server = ProcessInfo.processInfo.environment["HILUM_TEST_POSTGRES"]
        else { throw JourneyFailure("only a PostgreSQL database can be taken away") }
        var statements = ["ALTER DATABASE \(name) WITH ALLOW_CONNECTIONS \(isAvailable)"]
        if !isAvailable {
            statements.append("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
        }
        for statement in statements {
            let ending = try await psql(statement, server)
            guard ending.code == 0 else { throw JourneyFailure("psql ended with \(ending.code): \(ending.text)") }
        }
    }

    private static func psql(_ sql: String, _ database: String) async throws -> HilumProgram.Ending {
        try await HilumProgram.run(
            "/usr/bin/env", ["psql", "--no-psqlrc", "--quiet", "--dbname", database, "--command", sql])
    }
}
