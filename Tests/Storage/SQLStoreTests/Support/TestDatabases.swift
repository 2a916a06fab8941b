import Foundation
import Synchronization
import TestSupport

@testable import SQLStore

/// Gives a storage test a fresh, empty database of each kind:
///
///     @Test(arguments: TestDatabases.all)
///     func fact(_ kind: SQLDialect) async throws {
///         try await TestDatabases.with(kind) { database in … }
///     }
enum TestDatabases {
    /// Both databases, or SQLite alone where no PostgreSQL server can be had (which is printed).
    static let all: [SQLDialect] = PostgreSQLTestServer.connectionString == nil ? [.sqlite] : SQLDialect.allCases

    private static let count = Mutex(0)

    /// Runs `body` with a fresh database location, and removes the database afterwards.
    static func withLocation<Value>(
        _ kind: SQLDialect, _ body: (SQLDatabaseConfiguration.Location) async throws -> Value
    ) async throws -> Value {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let name = "hilum_test_\(getpid())_\(number)"
        switch kind {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return try await body(.sqlite(path: folder + "/hilum.sqlite"))
        case .postgreSQL:
            let server = PostgreSQLTestServer.connectionString ?? ""
            let admin = try PostgreSQLConnection(connectionString: server, role: .writer(holdsServerLock: false))
            try admin.execute("CREATE SCHEMA \(name)")
            defer { try? admin.execute("DROP SCHEMA \(name) CASCADE") }
            return try await body(.postgreSQL(connectionString: server + " options='-c search_path=\(name)'"))
        }
    }

    /// Runs `body` with an open database that has the schema `migrations`.
    @discardableResult
    static func with<Value>(
        _ kind: SQLDialect, migrations: [Migration] = Migrations.all,
        configure: (inout SQLDatabaseConfiguration) -> Void = { _ in }, _ body: (SQLDatabase) async throws -> Value
    ) async throws -> Value {
        try await withLocation(kind) { location in
            var configuration = SQLDatabaseConfiguration.unhurried(location)
            if SealedRun.isOn { configuration.bodies = sealing() }
            configure(&configuration)
            let database = try await SQLDatabase(configuration, migrations: migrations)
            do {
                let value = try await body(database)
                await database.close()
                return value
            } catch {
                await database.close()
                throw error
            }
        }
    }

    /// Bodies under keys of their own, that of new ones first.
    static func sealing(isOn: Bool = true, _ secrets: [UInt8] = [SealedRun.secret[0]]) -> BodySealing {
        BodySealing(isOn: isOn) { keys(secrets) }
    }

    static func keys(_ secrets: [UInt8]) -> BodyKeys? {
        let keys = secrets.map {
            BodyKeys.Key(id: [UInt8](repeating: $0, count: 8), secret: [UInt8](repeating: $0, count: 32))
        }
        return keys.first.map { BodyKeys(current: $0, others: Array(keys.dropFirst())) }
    }

    /// A bare writing connection.
    static func connect(_ location: SQLDatabaseConfiguration.Location) throws -> any SQLConnection {
        switch location {
        case .sqlite(let path): try SQLiteConnection(path: path, isReader: false)
        case .postgreSQL(let string):
            try PostgreSQLConnection(connectionString: string, role: .writer(holdsServerLock: false))
        }
    }
}
