import Access
import Admission
import Basics
import BlobStore
import DICOMData
import DICOMNetwork
import DICOMTranslation
import DICOMwebAPI
import DIMSEAdapter
import FHIRAPI
import FHIRResources
import Foundation
import HL7Translation
import HL7v2
import HTTPSupport
import Hummingbird
import HummingbirdCore
import Logging
import MLLPAdapter
import NIOCore
import NIOPosix
import OpsAPI
import OutboundAdapter
import PixelAdapter
import SMARTAPI
import SQLStore
import ServiceLifecycle
import UnixSignals
import Workflow

/// Builds a server from its parts, top to bottom, and runs it until it is told to stop.
enum ServerComposition {
    /// Reads the site profile; its messages and those of its senders have the limits of the configuration. Throws
    /// ``ConfigurationError`` with its place.
    static func siteProfile(_ configuration: ServerConfiguration, _ folder: ServerFolder) throws -> SiteProfile {
        let path = folder.resolve(configuration.siteProfile)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path) cannot be read")
        }
        var profile: SiteProfile
        do { profile = try SiteProfile(yaml: String(decoding: data, as: UTF8.self)) } catch {
            throw ConfigurationError("\(path): \(error)")
        }
        profile.parser.limits = configuration.limits.hl7
        for name in profile.peers.keys { profile.peers[name]?.parser.limits = configuration.limits.hl7 }
        return profile
    }

    static func run(_ configured: ServerConfiguration, folder: ServerFolder, logger: Logger) async throws {
        // Addresses first: what clients see is part of tokens, links and the Endpoint resource.
        var configuration = configured
        var ports = try HeldPorts(choosing: &configuration)
        let publicURL = configuration.publicURL
        let readiness = Readiness(Readiness.Endpoints(configuration), file: folder.endpointsFile)

        // The site.
        let profile = try siteProfile(configuration, folder)
        let clock = SystemClock()
        let entropy = SystemEntropy()

        // The store.
        let commits = CommitWatch()
        let keys = try StoreComposition.keys(configuration, folder)
        let metrics = MetricRegistry()
        let auditMetrics = AuditMetrics(registry: metrics)
        let store = try await StoreComposition.open(
            configuration, folder: folder, isServer: true, keys: keys, profile: profile, commits: commits,
            auditUnopened: auditMetrics.unopened(tellingTo: logger))
        // Behind the store's lock: a second server of this folder is told of the first, not of a port.
        try ports.takeConfigured(configuration)
        let blobs = try await BlobStore(
            try StoreComposition.blobs(configuration, folder, keys: keys, keeper: store))
        let custodian = StoreComposition.custodian(blobs, store, configuration)
        commits.follow { custodian.note($0) }
        let custody = try await custodian.begin()
        if let finding = custody.finding {
            logger.error(
                "blobs folder: \(finding)",
                metadata: [
                    "custody": "\(custody.word)", "mend": "hilum doctor \(folder.path); hilum adopt \(folder.path)",
                ])
        }
        let custodyMetrics = CustodyMetrics(metrics) { blobs.space.freeBytes }
        custodyMetrics.tell(custody, nil)
        try await store.record(
            AuditRecord(
                category: .application, interaction: "start", action: .execute, outcome: .success,
                access: .server(requestID: "start"),
                detail: HilumVersion.text + ConfigurationDigest.text(configuration, folder)))
        try await change(store, "start", logger) { unit in
            guard let unit = unit as? any ResourceUnitOfWork else { return }
            try StoreComposition.projector(profile).projectEndpoint(address: publicURL + "/dicomweb", in: unit)
        }

        // What all doors share, and the certificates of each.
        let guards = DoorGuards(configuration.limits, metrics: metrics, logger: logger)
        let certificates = try configuration.doors.map { door in
            door.tls == .off ? nil : try DoorCertificates(door, folder) { clock.now().microseconds / 1_000_000 }
        }
        ClearText.tell(of: configuration.doors, metrics, logger)
        for text in configuration.limits.lowered { logger.warning("\(text): correct it in hilum.yaml") }

        // The doors for hospital systems.
        let workers = WorkThreads()
        let pixels = PixelWorkers(logger: logger)
        let transcoding = PixelTranscoding(pixels, memory: guards.memory)
        let ingest = InstanceIngest(
            store: store, blobs: blobs, authorities: profile.authorities, limits: configuration.limits.ingest,
            memory: guards.memory, workers: workers, routing: configuration.routing.table
        ) { access in
            // What a peer may do is looked up when it matters, which is hardly ever.
            guard access.principal.kind == .applicationEntity else { return .keepFirst }
            let peer = try? await store.peer(kind: .applicationEntity, name: access.principal.id)
            return peer?.conflictPolicy ?? .keepFirst
        }
        let profiles = PeerProfiles(profile, folder, logger: logger)
        // Also for what was kept before this start and is carried out later.
        for peer in try await store.peers() where peer.kind == .messageSender {
            do { try profiles.use(peer) } catch {
                logger.error(
                    "a sender's profile cannot be read; its messages are refused until it can",
                    metadata: ["peer": "\(peer.name)", "error": "\(error)"])
            }
        }
        let inbox = HL7Inbox(store: store, clock: clock, entropy: entropy, digest: Digests.hex) {
            profiles.profile(of: "\($0)|\($1)")
        }
        let (commitments, workitems) = (ReportAssociations(), ReportAssociations())
        let callingTLS = try CallingTLS(configuration, folder)
        let identities = try PeerIdentities(configuration, folder, clock: clock, entropy: entropy)
        let outgoing = try OutgoingDIMSE(configuration, tls: callingTLS, identities: identities, logger: logger)
        let archives = ArchiveComposition(
            configuration, store: store, blobs: blobs, outgoing: outgoing, ingest: ingest,
            authorities: profile.authorities,
            clock: clock, metrics: metrics, logger: logger)

        let routing = try RoutingComposition(
            configuration, folder, zone: profile.zone, memory: guards.memory, workers: workers)

        // The doors for applications.
        let images = ExportedImages(
            index: store, blobs: blobs, terms: routing.terms, memory: guards.memory, workers: workers
        ) { clock.now() }
        let failed: JobFailures = { reference, kind in
            logger.error("a job failed", metadata: ["request": .string(reference), "error": .string(kind)])
        }
        let exports = ExportService(
            jobs: store, store: store, blobs: blobs, entropy: entropy, objects: images,
            imagingURL: publicURL + "/dicomweb", baseURL: publicURL + "/fhir",
            keepHours: configuration.retention.exportHours, failed: failed,
            isPermitted: { try await store.stillAllows($0, [.search, .read], of: $1) }
        ) { clock.now() }
        let sender = HTTPSSender(OutboundComposition.outbound(configuration, folder))
        let downloads = try OutboundComposition.downloads(
            configuration, folder, sender: sender, clock: clock, entropy: entropy)
        let imports = ImportService(
            jobs: store, store: store, downloads: downloads, entropy: entropy, limits: configuration.limits.fhir,
            keepHours: configuration.retention.exportHours,
            isPermitted: { try await store.stillAllows($0, [.create, .update], of: [$1]) }, failed: failed
        ) { clock.now() }
        let outboxDepths = OutboxDepths()
        let feeds = AuditFeedStates(registry: metrics, names: configuration.audit.feeds.map(\.name))
        let notificationMetrics = NotificationMetrics(registry: metrics)
        let notifications = NotificationHub { notificationMetrics.observe($0) }
        notificationMetrics.observe(.open(0))
        // Of HTTP; DIMSE's are in the outbox.
        let commitmentDesk = CommitmentDesk(
            store: store,
            check: CommitmentCheck(store: store, readBack: OutgoingDIMSE.readBack(blobs)) { uid in
                logger.error(
                    "an instance is not committed: its bytes are not what was written", metadata: ["instance": "\(uid)"]
                )
            }, now: { clock.now().microseconds })
        let web = try await WebComposition(
            publicURL: publicURL, store: store, blobs: blobs, pixels: pixels, ingest: ingest,
            authorities: profile.authorities,
            localOffset: { [zone = profile.zone] in zone?.offsetMinutes(atWallClock: $0) },
            commitments: commitmentDesk, notifications: notifications,
            archives: archives,
            exports: exports, imports: imports, folder: folder, entropy: entropy, clock: clock, readiness: readiness,
            configuration: configuration, peopleKeys: keys.map { PeopleComposition.keys($0) },
            guards: guards, metrics: metrics, outboxDepths: outboxDepths,
            isCustodyProven: { custodian.custody == .own },
            storage: OperationsComposition.storage(store, blobs, custodian, custodyMetrics),
            openDoors: OperationsComposition.doors(configuration.doors, certificates), feeds: feeds, logger: logger)
        let doors = try zip(configuration.doors, certificates).enumerated().map {
            index, pair -> ServiceGroupConfiguration.ServiceConfiguration in
            let (door, tls) = (pair.0, pair.1?.tls)
            let isUp: @Sendable () -> Void = { readiness.isUp(index) }
            switch door.kind {
            case .http: return .init(service: web.application(door, tls: tls, isUp: isUp))
            case .dimse:
                return .init(
                    service: try DoorComposition.dimse(
                        door, limits: configuration.limits, guards: guards, store: store, blobs: blobs,
                        commitments: commitments, workitems: workitems, outgoing: outgoing, transcoding: transcoding,
                        archives: archives,
                        tokens: web.tokens,
                        ingest: ingest,
                        authorities: profile.authorities, entropy: entropy, tls: tls, logger: logger, isUp: isUp))
            case .mllp:
                return .init(
                    service: try DoorComposition.mllp(
                        door, limits: configuration.limits, guards: guards, store: store, inbox: inbox,
                        profiles: profiles, tls: tls,
                        logger: logger, isUp: isUp))
            }
        }

        let checkpointer = AuditCheckpointer(
            database: store.database, checkpoints: AuditCheckpoints(folder), key: try AuditKey.loadOrMake(folder),
            interval: .seconds(configuration.audit.checkpointMinutes * 60), now: { clock.now().microseconds },
            metrics: auditMetrics, logger: logger)

        let feeders = try AuditFeedComposition(configuration, folder).feeders(
            store.database, states: feeds, clock: clock, entropy: entropy, logger: logger)

        let outboxMetrics = OutboxMetrics(registry: metrics)
        let hooks = SubscriptionCourier(
            subscriptions: store, resources: store, clients: store, sender: sender,
            rules: configuration.subscriptions.rules(configuration.outbound.policy)
        ) { clock.now() }

        let forwarder = RoutingComposition.sender(configuration, folder)
        let forwarding = routing.couriers(
            configuration, store: store, blobs: blobs, caller: outgoing.caller, transcoding: transcoding,
            sender: forwarder, clock: clock, entropy: entropy)
        let outbound = try HL7Outbound(profile, tls: callingTLS, store: store, logger: logger)
        let couriers: [String: any Courier] = [
            SubscriptionNotice.kind: hooks,
            StorageCommitmentSCP.kind: outgoing.commitmentCourier(
                store: store, blobs: blobs, commitments: commitments),
            PeerNotice.performedStepKind: PerformedStepCourier(store: store, peers: store, caller: outgoing.caller),
            PeerNotice.availabilityKind: AvailabilityCourier(store: store, peers: store, caller: outgoing.caller),
            ArchiveQuestion.kind: archives.courier,
            WorkitemReport.outboxKind: WorkitemCourier(
                hub: notifications, peers: store, clock: clock,
                reports: outgoing.workitemCourier(peers: store, asking: workitems)),
        ]

        // Who is subscribed to workitems hears that nothing of them was lost. PS3.4 §CC.2.4.3.
        try await change(store, "workitems", logger) { try WorkitemService().announceRestart(in: $0) }

        // Run until told to stop: the doors close before the store does. The last is stopped first, for a door waits for its
        // connections.
        let drain = ServiceGroupConfiguration.ServiceConfiguration(
            service: DrainSignal(readiness: readiness, notifications: notifications))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: ExportWorker(exports: exports)),
                    .init(service: ImportWorker(imports: imports)),
                    .init(service: CommitmentWorker(desk: commitmentDesk)),
                    .init(
                        service: BlobSweep(
                            custodian: custodian, interval: Duration(configuration.limits.sweepInterval),
                            metrics: custodyMetrics, logger: logger)),
                    .init(service: checkpointer),
                    .init(
                        service: GrowthWork(
                            store: store, exports: exports, rule: configuration.retention,
                            clock: clock,
                            metrics: GrowthMetrics(registry: metrics), logger: logger)),
                    .init(
                        service: DeliveryService(
                            queue: store,
                            couriers: couriers.merging(outbound.couriers) { $1 }.merging(forwarding) { $1 },
                            limits: configuration.limits.delivery,
                            signal: store.deliverySignal, clock: clock, entropy: entropy, metrics: outboxMetrics,
                            logger: logger)),
                    .init(
                        service: SubscriptionMatcher(
                            store: store, metrics: SubscriptionMetrics(registry: metrics), logger: logger)),
                    .init(
                        service: PeerCommitmentWork(
                            store: store, destinations: routing.committing, clock: clock, metrics: metrics,
                            logger: logger)),
                    .init(service: outgoing.associations),
                    .init(service: archives.work),
                    .init(service: OutboxWatch(log: store, clock: clock, metrics: outboxMetrics, depths: outboxDepths)),
                    .init(
                        service: StudyPublisher(
                            store: store, rule: configuration.publishing, clock: clock,
                            metrics: PublicationMetrics(registry: metrics), logger: logger)),
                    .init(
                        service: RefusalSums(
                            ledger: web.ledger, interval: .seconds(configuration.limits.strangers.intervalSeconds),
                            logger: logger)),
                    .init(service: MemoryReturn(memory: guards.memory)),
                    .init(service: IndexUpkeep(store: store, logger: logger)),
                    .init(
                        service: AuthorityWatch(store: store, authorities: profile.authorities, metrics: metrics)),
                    .init(
                        service: CertificateWatch(
                            certificates.compactMap(\.self), calling: callingTLS, metrics: metrics, audit: store,
                            logger: logger)),
                ]
                    + feeders.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } + doors + [drain],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        // What ends it before it was told to is in the trail, and nothing else is left undone.
        var failure: (any Error)?
        do {
            // The listeners bind beside the sockets that hold their ports.
            let held = ports
            defer { withExtendedLifetime(held) {} }
            try await group.run()
        } catch { failure = error }
        await workers.close()
        await pixels.close()
        await web.passwords?.close()
        await forwarder.close()
        await outbound.close()
        await downloads.close()
        await sender.close()
        await RefusalSums.sumUp(web.ledger, logger)
        try? await store.record(
            AuditRecord(
                category: .application, interaction: "stop", action: .execute,
                outcome: failure == nil ? .success : .seriousFailure, access: .server(requestID: "stop")))
        do { try await custodian.end() } catch {
            logger.warning("the blobs folder's place could not be noted", metadata: ["error": "\(error)"])
        }
        await checkpointer.write()
        await close(store, blobs)
        custodian.close()
        if let failure { throw failure }
        logger.notice("stopped")
    }

    /// Makes a change that a start brings. A disk that is full keeps nobody from reading: then it is left to the next start.
    static func change(
        _ store: RelationalStore, _ what: String, _ logger: Logger,
        _ body: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async throws {
        do {
            try await (store as any WorkflowStore).write(.server(requestID: what), body)
        } catch let error as StoreError where error.code == .full {
            logger.warning("a change is left to the next start", metadata: ["change": "\(what)", "error": "\(error)"])
        }
    }

    private static func close(_ store: RelationalStore, _ blobs: BlobStore) async {
        await store.close()
        await blobs.close()
    }
}

/// Turns the readiness probe to "not ready" as the first thing of a shutdown, and ends what would not end by itself.
struct DrainSignal: Service {
    let readiness: Readiness
    let notifications: NotificationHub
    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
        notifications.stop()
    }
}

extension DrainSignal: CustomStringConvertible { var description: String { "drain signal" } }

/// Digests that the adapters ask for.
enum Digests {
    /// SHA-256 in lower-case hex.
    @Sendable static func hex(_ bytes: [UInt8]) -> String { TLSContexts.fingerprint(bytes) }
}

/// The offset of a site-local time as FHIR writes it.
enum SiteOffset {
    /// `date` as DA digits, `time` as TM digits; nil without a zone or for digits that are no time.
    static func text(_ zone: SiteZone?, date: String, time: String) -> String? {
        guard let zone, date.utf8.count == 8, time.utf8.count >= 4, let year = Int(date.prefix(4)),
            let month = Int(date.dropFirst(4).prefix(2)), let day = Int(date.suffix(2)), let hour = Int(time.prefix(2)),
            let minute = Int(time.dropFirst(2).prefix(2))
        else { return nil }
        let days = CivilDate.days(year: year, month: month, day: day)
        let minutes = zone.offsetMinutes(atWallClock: days * 86_400 + hour * 3600 + minute * 60)
        if minutes == 0 { return "Z" }
        let absolute = abs(minutes)
        func pad(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return (minutes < 0 ? "-" : "+") + pad(absolute / 60) + ":" + pad(absolute % 60)
    }
}
