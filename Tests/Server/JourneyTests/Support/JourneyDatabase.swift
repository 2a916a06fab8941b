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
}
