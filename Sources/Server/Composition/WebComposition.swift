import Access
import Admission
import BlobStore
import ContractAPI
import DICOMTranslation
import DICOMwebAPI
import FHIRAPI
import FHIRModel
import FHIRResources
import Foundation
import HTTPSupport
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import OpsAPI
import PixelCodecs
import SMARTAPI
import SQLStore
import ViewerAPI
import Workflow

/// The doors for applications: FHIR, DICOMweb, SMART and operations on one HTTP listener.
struct WebComposition {
    /// Verifies access tokens.
    let tokens: any TokenVerifying
    private let responder: APIResponder
    /// Where passwords are hashed; somebody ends them.
    let passwords: PasswordThreads?
    /// The audit trail of these doors; somebody ends its intervals.
    let ledger: RefusalLedger
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let limits: HTTPLimits
    private let admission: Admission
    private static let serverName = "hilum"

    init(
        publicURL: String, store: RelationalStore, blobs: BlobStore, pixels: any PixelCoding,
        ingest: InstanceIngest, authorities: AssigningAuthorities,
        localOffset: @escaping @Sendable (Int) -> Int?, commitments: CommitmentDesk,
        notifications: NotificationHub,
        archives: ArchiveComposition,
        exports: ExportService, imports: ImportService,
        folder: ServerFolder, entropy: any Entropy, clock: any Workflow.Clock, readiness: Readiness,
        configuration: ServerConfiguration, peopleKeys: PeopleKeys?, guards: DoorGuards, metrics: MetricRegistry,
        outboxDepths: OutboxDepths, isCustodyProven: @escaping @Sendable () -> Bool,
        storage: @escaping @Sendable () async throws -> StorageFigures,
        openDoors: @escaping OperationsDesk.Doors, feeds: AuditFeedStates, logger: Logger
    ) async throws {
        let limits = configuration.limits
        admission = guards.admission
        self.logger = logger
        self.limits = limits.http
        let smart = SMARTConfiguration(baseURL: publicURL)
        let micros: @Sendable () -> Int64 = { clock.now().microseconds }
        now = micros

        // Strangers: counted, throttled, and summed in the audit trail. What is read of a series in one sitting is one row.
        let sittings = SittingLedger(
            store, links: { store.patientLinks }, look: { store.database.look(completion: $0) })
        let audit = RefusalLedger(sittings, limits: limits.strangers)
        ledger = audit
        let refusals = StrangerMetrics(registry: metrics, logger: logger)
        let strangers = StrangerThrottle(limits: limits.strangers, now: micros) { refusals.note($0, $1) }

        // Tokens.
        let pem = String(decoding: try ServerFolder.readSecret(folder.tokenKeyFile), as: UTF8.self)
        let key: ServerKey
        do { key = try ServerKey(pem: pem) } catch {
            throw ConfigurationError("\(folder.tokenKeyFile): no P-256 key in PEM: \(error)")
        }
        let identityKey = try IdentityKeyFile.loadOrMake(folder)
        let verifier = TokenVerifier(
            keys: [key], issuer: smart.baseURL, audience: smart.fhirBaseURL, clients: store,
            authorizations: store, policy: configuration.access.policy, now: micros)
        tokens = verifier
        let issuer = TokenIssuer(
            key: key, identityKey: identityKey, issuer: smart.baseURL, audience: smart.fhirBaseURL, now: micros,
            randomBytes: { entropy.bytes($0) })
        // People.
        let outsiders = OutsideComposition(configuration, folder)
        let outside = try outsiders.signIn(store, fhirBaseURL: smart.fhirBaseURL, now: micros)
        let people = peopleKeys.map { keys in
            var people = People(
                sessions: PeopleComposition.sessions(store, keys: keys, clock: clock), clients: store, passkeys: store,
                consents: store, audit: audit, threads: PasswordThreads(), baseURL: publicURL,
                ports: configuration.doors.filter { $0.kind == .http && $0.tls != .off && $0.port > 0 }.map(\.port))
            people.emergencies = EmergencyDesk(practices: store, policy: configuration.access.policy, now: micros) {
                metrics.count("hilum_emergency_accesses", [])
                logger.warning("a patient was opened in an emergency: see /account/emergencies")
            }
            people.outside = outside
            people.registrations = configuration.registration.isDynamic ? store : nil
            return people
        }
        passwords = people?.threads
        if people == nil {
            logger.warning(
                "nobody can sign in: there is no master key",
                metadata: ["master-key": "\(configuration.store.masterKey.words)"])
        }

        // Applications are launched where people can sign in.
        let launch = people.map { people in
            AppLaunch(
                authorization: AuthorizationEndpoint(
                    configuration: smart, clients: store, sessions: people.sessions, authorizations: store,
                    subjects: store,
                    audit: audit, givesOnlineAccess: true,
                    consents: ViewerComposition.consents(configuration, store, publicURL: publicURL),
                    policy: configuration.access.policy, now: micros,
                    randomBytes: { entropy.bytes($0) }),
                exchange: GrantExchange(
                    authorizations: store, sessions: people.sessions, issuer: issuer, verifier: verifier, now: micros,
                    randomBytes: { entropy.bytes($0) }))
        }
        let tokenEndpoint = TokenEndpoint(
            authenticator: ClientAuthenticator(
                clients: store, ledger: store,
                keys: KeySetCache(outbound: OutboundComposition.outbound(configuration, folder), now: micros),
                tokenEndpoint: smart.tokenEndpoint, now: micros),
            issuer: issuer, audit: audit, exchange: launch?.exchange, strangers: strangers)
        let smartRoutes = SMARTRoutes(
            configuration: smart, endpoint: tokenEndpoint, launch: launch,
            registration: people == nil
                ? nil
                : try outsiders.registration(store, audit: audit, now: micros, randomBytes: { entropy.bytes($0) }),
            keys: [key],
            identityKey: identityKey, associated: configuration.associatedEndpoints.map(\.endpoint),
            scopes: ["system/*.rs", "system/*.cruds", "system/*.read", "system/*.write", "system/*.*"])

        // Resources and images.
        let gate = BulkResponseGate(limit: limits.http.bulkResponsesMax)
        let fhir = FHIRRoutes(
            service: FHIRService(
                store: store, audit: audit, archived: archives.registry, exports: exports, imports: imports,
                baseURL: smart.fhirBaseURL,
                oauth: OAuthEndpoints(
                    authorize: launch == nil ? nil : smart.authorizationEndpoint, token: smart.tokenEndpoint,
                    revoke: launch == nil ? nil : smart.revocationEndpoint,
                    introspect: launch == nil ? nil : smart.introspectionEndpoint), softwareVersion: HilumVersion.text,
                limits: limits.fhir,
                now: { clock.now() }),
            blobs: blobs,
            pages: people.map { FHIRPages(sessions: $0.sessions, policy: configuration.access.policy) })
        let dicomweb = DICOMwebRoutes(
            index: store, blobs: blobs, pixels: pixels, ingest: ingest, audit: audit,
            baseURL: publicURL + "/dicomweb", gate: gate, memory: guards.memory, archives: archives.search,
            workitems: WorkitemRoutes(
                store: store, entropy: entropy, baseURL: publicURL + "/dicomweb",
                notifications: .init(
                    hub: notifications, origins: Set(configuration.cors.origins + [Self.origin(of: publicURL)]))),
            modalities: ModalityRoutes(
                store: store, index: store, audit: audit, authorities: authorities, entropy: entropy,
                baseURL: publicURL + "/dicomweb"),
            commitments: CommitmentRoutes(desk: commitments, audit: audit), fetch: archives.fetch,
            rejections: store, localOffset: localOffset,
            newBoundary: { entropy.newID().value })

        // Operations.
        let requests = RequestMetrics(registry: metrics)
        let health = HealthChecks(
            [
                .init("database") { await store.database.isReady() },
                .init("blobs") { blobs.failure == nil },
                // Not a reason to be sent no requests: all but the sweep, and of a foreign folder the images, works.
                .init("blobs-folder", isRequired: false) { isCustodyProven() },
                .init("disk-space", isRequired: false) { blobs.space.refusal() == nil },
                .init("outbox", isRequired: false) { outboxDepths.areFine(at: clock.now()) },
                .init("listeners") { readiness.isReady },
            ] + OperationsComposition.checks(of: feeds), isDraining: { readiness.isDraining })
        let waiting: OpsRoutes.Waiting = { try await store.waitingSteps(limit: $0, access: $1) }
        let conflicts: OpsRoutes.Conflicts = { try await store.conflicts(limit: $0, access: $1) }
        let fetches: OpsRoutes.Fetches = { try await store.copies(in: $0, limit: $1, access: $2) }
        let kept: OpsRoutes.Commitments = { try await store.peerCommitments(limit: $0, access: $1) }
        let ops = OpsRoutes(
            health: health, metrics: metrics, audit: audit, waiting: waiting, conflicts: conflicts, fetches: fetches,
            commitments: kept, quarantine: store, hasPages: people != nil)

        let messages = MessageRoutes(log: store, audit: store, hasPages: people != nil)
        let outbox = OutboxRoutes(log: store, audit: store, hasPages: people != nil)

        let requestIDs = RequestIDSequence(entropy: entropy)
        var groups = [
            fhir.group, dicomweb.group, smartRoutes.group, ops.group, messages.group, outbox.group,
            ContractRoutes().group,
        ]
        if let people {
            var desk = OperationsDesk(
                sessions: people.sessions, origin: publicURL, audit: audit, health: health, outbox: store,
                messages: store, quarantine: store, trail: store, now: { clock.now() })
            (desk.waiting, desk.conflicts, desk.fetches, desk.commitments) = (waiting, conflicts, fetches, kept)
            (desk.doors, desk.storage, desk.feeds) = (openDoors, storage, { feeds.all })
            desk.exports = { try await store.exports(limit: $0, at: clock.now()) }
            desk.imports = { try await store.importJobs(limit: $0) }
            desk.peers = { try await store.peers() }
            desk.authorities = { Array(authorities.unknown(of: try await store.unknownAuthorities()).prefix($0)) }
            groups += [AccountRoutes(people: people).group, OperationsRoutes(desk: desk).group]
        }
        if launch != nil {
            groups.append(
                LaunchRoutes(
                    configuration: smart, clients: store, authorizations: store, subjects: store, patients: store,
                    audit: audit, now: micros, randomBytes: { entropy.bytes($0) }
                ).group)
            if let hooks = configuration.cdsHooks?.hooks {
                groups.append(
                    CDSHooksRoutes(
                        configuration: smart, hooks: hooks, endpoint: tokenEndpoint, authorizations: store,
                        subjects: store, patients: store, studies: store, now: micros,
                        randomBytes: { entropy.bytes($0) }
                    ).group)
            }
        }
        if launch != nil, configuration.viewer.isServed {
            // Where the store takes no writes now, the others are served all the same.
            do { try await ViewerComposition.register(in: store, publicURL: publicURL, now: micros) } catch {
                logger.warning(
                    "the viewer is not registered as an application; the next start tries again",
                    metadata: ["error": "\(error)"])
            }
            groups.append(
                ViewerRoutes(
                    fhirBaseURL: smart.fhirBaseURL, frameOrigins: configuration.viewer.frameOrigins
                ).group)
        }
        let table = try RouteTable(groups)
        responder = APIResponder(
            table: table,
            authenticator: BearerAuthenticator(
                tokens: try outsiders.tokens(
                    beside: verifier, store, fhirBaseURL: smart.fhirBaseURL, now: micros,
                    randomBytes: { entropy.bytes($0) }),
                audit: audit, realm: smart.fhirBaseURL, strangers: strangers),
            limits: limits.http, security: SecurityHeaders(isTLS: publicURL.hasPrefix("https:")),
            cors: CrossOriginPolicy(origins: configuration.cors.origins), memory: guards.memory,
            newRequestID: { requestIDs.next() },
            observe: { requests.observe(operationID: $0, status: $1, duration: $2) })
    }

    /// The origin of a URL as browsers send it: scheme, host in lower case, and a port that is not the scheme's own.
    static func origin(of url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return url }
        var host = parts[2].lowercased()
        if let own = ["https:": ":443", "http:": ":80"][String(parts[0])], host.hasSuffix(own) {
            host.removeLast(own.count)
        }
        return "\(parts[0])//\(host)"
    }

    /// The listener of a door as a service.
    func application(
        _ door: DoorConfiguration, tls: DoorTLS?, isUp: @escaping @Sendable () -> Void
    ) -> some ApplicationProtocol {
        var responder = responder
        responder.proxies = door.proxies
        // Only who comes by TLS, or by a proxy that does, is told to keep to it.
        if tls == nil, door.proxies.networks.isEmpty { responder.security = SecurityHeaders(isTLS: false) }
        let memory = HTTPListener.Memory(responder, serverName: Self.serverName, now: now)
        let limits = limits
        return Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                HTTPListener(responder: responder, memory: memory, tls: tls, limits: limits)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(door.host, port: door.port), serverName: Self.serverName),
            onServerRunning: { [admission] channel in
                // Before the first connection is told of: no peer knows the port yet.
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(
                        AdmissionHandler(admission, door: .http, isTLS: tls != nil, networks: door.networks),
                        position: .first)
                }.get()
                isUp()
            }, eventLoopGroupProvider: .singleton, logger: logger)
    }
}
