import Access
import Foundation
import TestSupport
import Workflow

@testable import SQLStore

/// Tells stories to the tables of each database. Each story is told in one unit of work, which is undone at its end, so
/// that the next one finds nothing of it.
enum StoryDatabases {
    /// Both databases, or SQLite alone where no PostgreSQL server is given (which is printed).
    static let all: [SQLDialect] = {
        if postgreSQL != nil { return SQLDialect.allCases }
        print("NOTE: HILUM_TEST_POSTGRES is not set, so stories are told to SQLite only")
        return [.sqlite]
    }()

    private static let postgreSQL = ProcessInfo.processInfo.environment["HILUM_TEST_POSTGRES"].flatMap {
        $0.isEmpty || $0 == "off" ? nil : $0 + " connect_timeout=120"
    }

    /// How a story ended: thrown, so that nothing of it is kept.
    private struct Told: Error { let state: StoryState }

    /// Runs `body` with a teller of stories to an empty database.
    static func with(
        _ kind: SQLDialect, _ body: (_ tell: ([StoryEvent]) async throws -> StoryState) async throws -> Void
    ) async throws {
        let name = "hilum_stories_\(getpid())"
        let location: SQLDatabaseConfiguration.Location
        var end: () -> Void = {}
        switch kind {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            location = .sqlite(path: folder + "/hilum.sqlite")
            end = { try? FileManager.default.removeItem(atPath: folder) }
        case .postgreSQL:
            let server = postgreSQL ?? ""
            let admin = try PostgreSQLConnection(connectionString: server, role: .writer(holdsServerLock: false))
            try admin.execute("CREATE SCHEMA \(name)")
            location = .postgreSQL(connectionString: server + " options='-c search_path=\(name)'")
            end = { try? admin.execute("DROP SCHEMA \(name) CASCADE") }
        }
        defer { end() }
        var configuration = SQLDatabaseConfiguration.unhurried(location)
        if SealedRun.isOn {
            configuration.bodies = BodySealing(isOn: true) {
                BodyKeys(current: BodyKeys.Key(id: SealedRun.keyID, secret: SealedRun.secret))
            }
        }
        let database = try await SQLDatabase(configuration, migrations: Migrations.all)
        let store = RelationalStore(database: database, entropy: SeededEntropy(seed: 1), observers: [])
        do {
            try await body { events in
                do {
                    try await (store as any WorkflowStore).write(.server(requestID: "story")) { unit -> Void in
                        throw Told(state: try Telling(events, in: unit).state())
                    }
                } catch let told as Told {
                    return told.state
                }
                throw StoreError(.misuse, "the story was not told")
            }
            await store.close()
        } catch {
            await store.close()
            throw error
        }
    }
}
