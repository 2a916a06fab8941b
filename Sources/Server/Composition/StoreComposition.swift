import BlobStore
import FHIRAPI
import FHIRModel
import FHIRResources
import Foundation
import HL7Translation
import NIOCore
import SQLStore
import Synchronization
import Workflow

/// Opens the store that a configuration names.
enum StoreComposition {
    /// Whoever opens it: what a command changes is projected, announced and told to peers as if the server had changed it,
    /// and references to this server are found as its own.
    /// - Parameters:
    ///   - keys: of the store; without them links to further pages end with the process, and no header fields of
    ///     Subscriptions are taken or told.
    ///   - profile: of the site; nil to have it read.
    ///   - bodies: how bodies are sealed and opened; nil for what the configuration says.
    ///   - refreshesWorklist: whether steps are looked at again as the site's stations are now.
    ///   - keepsReserve: whether nothing more is written once the disk is as full as the server lets it become; nil for
    ///     the server alone: a command may be what makes room.
    ///   - auditUnopened: told the numbers of rows of the audit trail that a search has passed over, as they do not open.
    static func open(
        _ configuration: ServerConfiguration, folder: ServerFolder, isServer: Bool, keys: StoreKeys? = nil,
        profile: SiteProfile? = nil, bodies: BodySealing? = nil, refreshesWorklist: Bool? = nil,
        keepsReserve: Bool? = nil, commits: CommitWatch? = nil,
        auditUnopened: @escaping @Sendable ([Int64]) -> Void = { _ in }
    ) async throws -> RelationalStore {
        var database = SQLDatabaseConfiguration(location(configuration, folder))
        if let commits { database.committed = { commits.note($0) } }
        database.isServer = isServer
        database.bodies = bodies ?? Self.bodies(configuration, folder, keys)
        database.readTimeout = Duration(configuration.limits.search)
        database.searchesPerClientMax = configuration.limits.searchesPerClientMax
        database.waitingSearchesPerClientMax = configuration.limits.waitingSearchesPerClientMax
        let profile = try profile ?? ServerComposition.siteProfile(configuration, folder)
        let store = RelationalStore(
            database: try await SQLDatabase(database, migrations: Migrations.all), entropy: SystemEntropy(),
            observers: [
                projector(profile), PeerNoticeObserver(), HL7Announcement(profile),
                ArchiveQuestionObserver(
                    causes: configuration.prefetch.rules.causes.union([.order, .report]),
                    rules: configuration.prefetch.rules),
            ], baseURL: configuration.publicURL + "/fhir",
            zone: siteZone(profile),
            pageTokenKey: keys?.derived("hilum page tokens v1"),
            searchLimits: configuration.limits.fhir.search,
            rules: rules(profile), stations: WorklistStations(configuration.worklistStations),
            authorities: profile.authorities,
            subscriptions: configuration.subscriptions.rules(configuration.outbound.policy),
            secretKey: keys?.derived("hilum subscription headers v1"),
            refusal: refusal(configuration, folder, keepsReserve: keepsReserve ?? isServer),
            auditUnopened: auditUnopened)
        if refreshesWorklist ?? isServer { try await store.refreshWorklist() }
        return store
    }

    /// Keeps FHIR resources in step with the domain; their times are by the site's clock.
    static func projector(_ profile: SiteProfile) -> FHIRProjector {
        FHIRProjector { [zone = profile.zone] date, time in SiteOffset.text(zone, date: date, time: time) }
    }

    static func location(_ configuration: ServerConfiguration, _ folder: ServerFolder)
        -> SQLDatabaseConfiguration.Location
    {
        switch configuration.store.database {
        case .sqlite: .sqlite(path: folder.databaseFile)
        case .postgres: .postgreSQL(connectionString: configuration.store.postgres ?? "")
        }
    }

    /// Of a SQLite database, which grows on a disk of this machine. Of PostgreSQL's the database server tells.
    private static func refusal(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, keepsReserve: Bool
    ) -> @Sendable () -> StoreError? {
        guard keepsReserve, configuration.store.database == .sqlite else { return { nil } }
        let space = FreeSpace(at: folder.path, reserve: configuration.limits.reserveBytes)
        return { space.refusal() }
    }

    /// The keys of the store, for all that one start or one command needs them for: a device may be asked for them. Nil
    /// where nothing is encrypted and the master key was put away. Blocks. Throws as ``StoreKeys/load(_:_:)``.
    static func keys(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> StoreKeys? {
        do { return try StoreKeys.load(configuration, folder) } catch let error as StoreError
            where error.code == .notFound && configuration.store.encryption == .none
            && !configuration.store.encryptBodies
        { return nil }
    }

    /// Bodies as the configuration has them, by the keys of the store.
    /// - Parameter keys: as they are open already; they are opened, or looked at again, when others are needed.
    static func bodies(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, _ keys: StoreKeys?
    ) -> BodySealing {
        let given = Mutex(keys)
        return BodySealing(isOn: configuration.store.encryptBodies) {
            let first = given.withLock { given in
                defer { given = nil }
                return given
            }
            return try bodyKeys(first ?? StoreKeys.load(configuration, folder))
        }
    }

    /// Nil for a store without a key.
    static func bodyKeys(_ keys: StoreKeys) -> BodyKeys? {
        let all = keys.ring.bodyKeys.map { BodyKeys.Key(id: $0.id, secret: $0.secret) }
        return all.first.map { BodyKeys(current: $0, others: Array(all.dropFirst())) }
    }

    /// How the blobs of a server folder lie. Throws `StoreError(.misuse)` without keys where one encrypts.
    /// - Parameters:
    ///   - keys: as ``keys(_:_:)`` gives them; a store that does not encrypt opens by them what was encrypted before.
    ///   - keeper: the database, which keeps the keys of erasable blobs.
    static func blobs(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, keys: StoreKeys?, keeper: RelationalStore,
        isReadOnly: Bool = false
    ) throws -> BlobStoreConfiguration {
        let encryption: BlobStoreConfiguration.Encryption
        switch configuration.store.encryption {
        case .aes256GCM:
            guard let keys else { throw StoreError(.misuse, "objects are encrypted, and no key of theirs is open") }
            encryption = .aes256GCM(keys.ring)
        case .none: encryption = .none(keys?.ring)
        }
        var blobs = BlobStoreConfiguration(folder: folder.resolve(configuration.store.blobs), encryption: encryption)
        blobs.acceptsPlain = configuration.store.plainBlobs == .accept
        blobs.reserveBytes = configuration.limits.reserveBytes
        blobs.isReadOnly = isReadOnly
        blobs.keeper = keeper
        return blobs
    }

    static func custodian(
        _ blobs: BlobStore, _ store: RelationalStore, _ configuration: ServerConfiguration
    ) -> BlobCustodian {
        var settings = BlobCustodian.Settings()
        settings.setAsideDays = Int64(configuration.store.setAsideDays)
        return BlobCustodian(blobs, store, settings: settings)
    }

    /// The site's rules, with its clock.
    private static func rules(_ profile: SiteProfile) -> SiteRules {
        var rules = profile.rules
        rules.clock = profile.zone.map { zone in SiteClock(zone: zone.name) { zone.offsetMinutes(atUTC: $0) } }
        return rules
    }

    /// The site's clock as the indexer knows it.
    private static func siteZone(_ profile: SiteProfile) -> LocalZone {
        guard let zone = profile.zone else { return .utc }
        return LocalZone { seconds in zone.offsetMinutes(atWallClock: Int(clamping: seconds)) }
    }

    /// Runs a short command beside a server that may be running.
    static func with(_ folder: ServerFolder, _ body: (RelationalStore) async throws -> Void) async throws {
        try await using(try ServerConfiguration.load(from: folder), folder, body)
    }

    /// The same with a configuration that was read.
    /// - Parameter keys: of the store, for a command that may change Subscriptions.
    static func using<Value>(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, keys: StoreKeys? = nil,
        keepsReserve: Bool = false, _ body: (RelationalStore) async throws -> Value
    ) async throws -> Value {
        let store = try await open(
            configuration, folder: folder, isServer: false, keys: keys, keepsReserve: keepsReserve)
        do {
            let value = try await body(store)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }
}
