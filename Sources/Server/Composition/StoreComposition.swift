import FHIRResources
import SQLStore
import Workflow

/// Opens the store that a configuration names.
enum StoreComposition {
    static func open(
        _ configuration: ServerConfiguration, folder: ServerFolder, isServer: Bool,
        projector: any DomainProjecting = FHIRProjector(), fhirBaseURL: String = ""
    ) async throws -> RelationalStore {
        let location: SQLDatabaseConfiguration.Location =
            switch configuration.store.database {
            case .sqlite: .sqlite(path: folder.databaseFile)
            case .postgres: .postgreSQL(connectionString: configuration.store.postgres ?? "")
            }
        var database = SQLDatabaseConfiguration(location)
        database.isServer = isServer
        return RelationalStore(
            database: try await SQLDatabase(database, migrations: Migrations.all), entropy: SystemEntropy(),
            projector: projector, baseURL: fhirBaseURL)
    }

    /// Runs a short command beside a server that may be running.
    static func with(_ folder: ServerFolder, _ body: (RelationalStore) async throws -> Void) async throws {
        let store = try await open(try ServerConfiguration.load(from: folder), folder: folder, isServer: false)
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}
