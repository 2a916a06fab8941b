import Access
import BlobStore
import ContractAPI
import DICOMTranslation
import DICOMwebAPI
import FHIRAPI
import FHIRResources
import Foundation
import HTTPSupport
import OpsAPI
import PixelCodecs
import SMARTAPI
import SQLStore
import TestSupport
import ViewerAPI
import Workflow

/// The route groups as the server composes them, over an empty store in a folder of their own.
enum ServedRoutes {
    private struct NoOutbound: Outbound {
        func check(_ url: String) async throws(OutboundRefusal) {}
        func get(_ url: String) async throws -> OutboundResponse { throw OutboundRefusal.addressNotAllowed }
    }

    private struct NoDownloads: OutboundDownloads {
        func download(
            _ url: String, headers: [OutboundHeader], _ take: (DownloadHead, any DownloadContent) async throws -> Void
        ) async throws { throw OutboundRefusal.addressNotAllowed }
    }

    /// Nobody is ever signed in.
    private struct Nobody: PersonSessions {
        func person(cookies: String?) async throws -> SignedInPerson? { nil }
        func signInPath(returningTo path: String) -> String { "/sign-in" }
        func csrfToken(of person: SignedInPerson) -> String { "" }
        func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool { false }
    }

    /// Builds the groups, hands them to `body`, and removes the folder.
    static func with<Value>(_ body: ([RouteGroup]) async throws -> Value) async throws -> Value {
        try await with { groups, _ in try await body(groups) }
    }

    /// The databases there are: SQLite, and PostgreSQL where `HILUM_TEST_POSTGRES` names a server.
    static let databases: [SQLDialect] = postgreSQL == nil ? [.sqlite] : SQLDialect.allCases

    private static let postgreSQL = ProcessInfo.processInfo.environment["HILUM_TEST_POSTGRES"].flatMap {
        $0.isEmpty || $0 == "off" ? nil : $0 + " connect_timeout=120"
    }

    /// Gives a new, empty database, and removes it afterwards.
    private static func withLocation<Value>(
        _ kind: SQLDialect, _ folder: String, _ body: (SQLDatabaseConfiguration.Location) async throws -> Value
    ) async throws -> Value {
        guard kind == .postgreSQL, let server = postgreSQL else {
            return try await body(.sqlite(path: folder + "/hilum.sqlite"))
        }
        let name = "contract_" + UUID().uuidString.prefix(8).lowercased()
        let admin = try PostgreSQLConnection(connectionString: server, role: .writer(holdsServerLock: false))
        try admin.execute("CREATE SCHEMA \(name)")
        defer { try? admin.execute("DROP SCHEMA \(name) CASCADE") }
        return try await body(.postgreSQL(connectionString: server + " options='-c search_path=\(name)'"))
    }

    /// The same with the store behind them.
    static func with<Value>(
        _ kind: SQLDialect = .sqlite, authorities: AssigningAuthorities? = nil,
        configure: (inout SQLDatabaseConfiguration) -> Void = { _ in },
        _ body: ([RouteGroup], RelationalStore) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hilum-contract-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await withLocation(kind, folder) { location in
            var configuration = SQLDatabaseConfiguration.unhurried(location)
            configure(&configuration)
            return try await with(configuration, folder, authorities, body)
        }
    }

    private static func with<Value>(
        _ configuration: SQLDatabaseConfiguration, _ folder: String, _ authorities: AssigningAuthorities?,
        _ body: ([RouteGroup], RelationalStore) async throws -> Value
    ) async throws -> Value {
        let entropy = SeededEntropy()
        var configuration = configuration
        if SealedRun.isOn {
            configuration.bodies = BodySealing(isOn: true) {
                BodyKeys(current: BodyKeys.Key(id: SealedRun.keyID, secret: SealedRun.secret))
            }
        }
        let store = RelationalStore(
            database: try await SQLDatabase(configuration, migrations: Migrations.all),
            entropy: entropy, observers: [FHIRProjector()], authorities: authorities)
        let blobs = try await BlobStore(BlobStoreConfiguration(folder: folder + "/blobs", encryption: .none()))
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(groups(store, blobs, entropy), store))
        } catch {
            result = .failure(error)
        }
        await store.close()
        await blobs.close()
        return try result.get()
    }

    private static func groups(_ store: RelationalStore, _ blobs: BlobStore, _ entropy: any Entropy) async throws
        -> [RouteGroup]
    {
        let base = "https://localhost:8443"
        let now = UTCInstant(microseconds: 1_700_000_000_000_000)
        let fhir = FHIRRoutes(
            service: FHIRService(
                store: store, audit: store,
                exports: ExportService(jobs: store, store: store, blobs: blobs, entropy: entropy, now: { now }),
                imports: ImportService(
                    jobs: store, store: store, downloads: NoDownloads(), entropy: entropy, now: { now }),
                baseURL: base + "/fhir", oauth: OAuthEndpoints(token: base + "/oauth/token"), softwareVersion: "0",
                now: { now }),
            blobs: blobs, pages: FHIRPages(sessions: Nobody()))
        let dicomweb = DICOMwebRoutes(
            index: store, blobs: blobs, pixels: DirectPixelCoding(),
            ingest: InstanceIngest(
                store: store, blobs: blobs,
                authorities: AssigningAuthorities(
                    authorities: [], defaultPatientSystem: "urn:example:patient",
                    defaultAccessionSystem: "urn:example:accession")),
            audit: store, baseURL: base + "/dicomweb", gate: BulkResponseGate(limit: 1),
            workitems: WorkitemRoutes(
                store: store, entropy: entropy, baseURL: base + "/dicomweb",
                notifications: .init(hub: NotificationHub(), origins: [base])),
            modalities: ModalityRoutes(
                store: store, index: store, audit: store,
                authorities: AssigningAuthorities(
                    authorities: [], defaultPatientSystem: "urn:example:patient",
                    defaultAccessionSystem: "urn:example:accession"), entropy: entropy, baseURL: base + "/dicomweb"),
            commitments: CommitmentRoutes(
                desk: CommitmentDesk(
                    store: store, check: CommitmentCheck(store: store, readBack: { _ in .intact }, lost: { _ in }),
                    now: { now.microseconds }), audit: store, patience: .zero),
            rejections: store, newBoundary: { "boundary" })
        let smart = SMARTConfiguration(baseURL: base)
        let key = try ServerKey.generated()
        let issuer = TokenIssuer(
            key: key, issuer: smart.baseURL, audience: smart.fhirBaseURL, now: { now.microseconds },
            randomBytes: { entropy.bytes($0) })
        let launch = AppLaunch(
            authorization: AuthorizationEndpoint(
                configuration: smart, clients: store, sessions: Nobody(), authorizations: store, subjects: store,
                audit: store, givesOnlineAccess: false, now: { now.microseconds }, randomBytes: { entropy.bytes($0) }),
            exchange: GrantExchange(
                authorizations: store, sessions: nil, issuer: issuer,
                verifier: TokenVerifier(
                    keys: [key], issuer: smart.baseURL, audience: smart.fhirBaseURL, clients: store,
                    authorizations: store, now: { now.microseconds }),
                now: { now.microseconds }, randomBytes: { entropy.bytes($0) }))
        let endpoint = TokenEndpoint(
            authenticator: ClientAuthenticator(
                clients: store, ledger: store, keys: KeySetCache(outbound: NoOutbound(), now: { now.microseconds }),
                tokenEndpoint: smart.tokenEndpoint, now: { now.microseconds }),
            issuer: issuer, audit: store, exchange: launch.exchange)
        var hashing = PasswordThreads.Limits()
        hashing.waitMax = .seconds(600)
        let people = People(
            sessions: PeopleSessions(
                accounts: store, sessions: store, keys: PeopleKeys(key: [UInt8](repeating: 1, count: 32)),
                now: { now.microseconds }, randomBytes: { entropy.bytes($0) }),
            clients: store, audit: store, threads: PasswordThreads(hashing), baseURL: base)
        let health = HealthChecks([], isDraining: { false })
        return [
            fhir.group, dicomweb.group, AccountRoutes(people: people).group,
            SMARTRoutes(
                configuration: smart, endpoint: endpoint, launch: launch,
                registration: RegistrationEndpoint(
                    rules: .init(), registrations: store, audit: store, outbound: NoOutbound(),
                    now: { now.microseconds }, randomBytes: { entropy.bytes($0) }), keys: [key], scopes: ["system/*.rs"]
            ).group,
            LaunchRoutes(
                configuration: smart, clients: store, authorizations: store, subjects: store, patients: store,
                audit: store, now: { now.microseconds }, randomBytes: { entropy.bytes($0) }
            ).group,
            CDSHooksRoutes(
                configuration: smart, hooks: CDSHooksConfiguration(clients: [:], applicationID: "viewer"),
                endpoint: endpoint, authorizations: store, subjects: store, patients: store, studies: store,
                now: { now.microseconds }, randomBytes: { entropy.bytes($0) }
            ).group,
            OpsRoutes(health: health, metrics: MetricRegistry(), audit: store, quarantine: store).group,
            MessageRoutes(log: store, audit: store).group, OutboxRoutes(log: store, audit: store).group,
            ViewerRoutes(fhirBaseURL: base + "/fhir").group, ContractRoutes().group,
            OperationsRoutes(
                desk: OperationsDesk(
                    sessions: people.sessions, origin: base, audit: store, health: health, outbox: store,
                    messages: store, quarantine: store, trail: store, now: { now })
            ).group,
        ]
    }
}
