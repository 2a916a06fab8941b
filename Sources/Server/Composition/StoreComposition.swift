import Crypto
import FHIRAPI
import FHIRModel
import FHIRResources
import Foundation
import HL7Translation
import NIOCore
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
        database.readTimeout = Duration(configuration.limits.statement)
        return RelationalStore(
            database: try await SQLDatabase(database, migrations: Migrations.all), entropy: SystemEntropy(),
            projector: projector, baseURL: fhirBaseURL, zone: try siteZone(configuration, folder),
            pageTokenKey: isServer ? pageTokenKey(folder) : nil,
            searchLimits: configuration.limits.fhir.search)
    }

    /// The site's clock as the indexer knows it.
    private static func siteZone(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> LocalZone {
        guard let zone = try ServerComposition.siteProfile(configuration, folder).zone else { return .utc }
        return LocalZone { seconds in zone.offsetMinutes(atWallClock: Int(clamping: seconds)) }
    }

    /// Of the master key, so that links to further pages work across restarts and on a standby with the same keys. Nil
    /// where there is none, as on an unencrypted store whose key was put away.
    private static func pageTokenKey(_ folder: ServerFolder) -> [UInt8]? {
        guard let secret = try? ServerFolder.readSecret(folder.masterKeyFile) else { return nil }
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Data("hilum page tokens v1".utf8), outputByteCount: 32)
        return key.withUnsafeBytes { Array($0) }
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
