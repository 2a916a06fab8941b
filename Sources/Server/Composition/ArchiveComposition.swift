import Admission
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import Logging
import OpsAPI
import SQLStore
import ServiceLifecycle
import Workflow

/// The archives behind this server, as both doors of images search them and retrieve from them.
struct ArchiveComposition {
    let search: ArchiveSearch
    let fetch: ArchiveFetch
    /// What they have of the patients who are known here.
    let registry: ArchiveRegistry
    /// Asks them what is to be asked of them.
    let courier: ArchiveQuestionCourier
    /// What they send to the DIMSE doors because this server asks for it.
    let arrivals = ArchiveArrivals()
    /// Fetches, and lets copies go.
    let work: ArchiveWork

    init(
        _ configuration: ServerConfiguration, store: RelationalStore, blobs: any BlobStoring, outgoing: OutgoingDIMSE,
        ingest: InstanceIngest,
        authorities: AssigningAuthorities, clock: any Workflow.Clock, metrics: MetricRegistry, logger: Logger
    ) {
        let counts = ArchiveMetrics(registry: metrics)
        let found = FoundStudies(clock: clock)
        search = ArchiveSearch(
            peers: store,
            directory: ArchiveSCU(
                calling: outgoing.calling, callingAETitle: outgoing.callingAETitle, associations: outgoing.associations,
                authorities: authorities),
            store: store, audit: store, clock: clock, limits: configuration.limits.archives,
            found: { found.note($0) }
        ) { archive, outcome in
            counts.queried(archive, outcome: outcome.word)
            guard let reason = outcome.reason else { return }
            logger.warning(
                "an archive did not answer a query; what is here was answered without it",
                metadata: ["archive": "\(archive)", "outcome": "\(outcome.word)", "reason": "\(reason)"])
        }
        fetch = ArchiveFetch(
            search: search,
            retrieval: ArchiveRetriever(
                calling: outgoing.calling, callingAETitle: outgoing.callingAETitle, associations: outgoing.associations,
                ingest: ingest, arrivals: arrivals),
            store: store, copies: store, peers: store, clock: clock, rule: configuration.limits.fetches
        ) { study, archive, note in
            guard case .ended(let end, let instances) = note else { return }
            switch end {
            case .whole: counts.fetched(archive, outcome: "whole", instances: instances)
            case .failed(let reason, let mayBeRepeated):
                counts.fetched(archive, outcome: "failed", instances: instances)
                logger.warning(
                    "a study could not be fetched from an archive",
                    metadata: [
                        "archive": "\(archive)", "study": "\(study)", "reason": "\(reason)",
                        "repeated": "\(mayBeRepeated)", "see": "/ops/fetches",
                    ])
            }
        }
        registry = ArchiveRegistry(search: search, found: found, store: store, clock: clock) { error in
            logger.warning("what archives said could not be kept", metadata: ["error": "\(error)"])
        }
        let (fetch, rules) = (fetch, configuration.prefetch.rules)
        courier = ArchiveQuestionCourier(registry: registry, store: store, clock: clock) { question in
            for finding in try await fetch.prefetch(question, by: rules) {
                counts.prefetched(finding.study.archive, rule: finding.rule)
            }
        }
        work = ArchiveWork(
            fetch: fetch, registry: registry, polls: configuration.archives.polls, copies: store,
            removal: LeftBlobRemoval(blobs: blobs, left: store, clock: clock), rule: configuration.archiveCache,
            metrics: counts, logger: logger)
    }
}

/// Fetches what is asked for, lets copies go that nobody used for long or for which there is no room, and keeps what is
/// known of the archives' studies.
struct ArchiveWork: Service {
    /// Between two looks at what is held.
    private static let interval = Duration.seconds(30)

    let fetch: ArchiveFetch
    let registry: ArchiveRegistry
    /// By the name of the archive.
    let polls: [String: ArchivePollRule]
    let copies: any ArchiveCopies
    /// Of the files of those that left.
    let removal: LeftBlobRemoval
    let rule: ArchiveCacheRule
    let metrics: ArchiveMetrics
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await fetch.run() }
                group.addTask { await tidy() }
                group.addTask { await registry.run() }
                for (archive, rule) in polls { group.addTask { await poll(archive, rule) } }
            }
        }
    }

    /// The circuit of queries keeps an archive that is down from being asked in vain; a poll that failed has its next turn.
    private func poll(_ archive: String, _ rule: ArchivePollRule) async {
        while !Task.isCancelled {
            switch await registry.poll(archive, rule) {
            case .answered(let new): metrics.polled(archive, outcome: "answered", new: new)
            case .cut(let new):
                metrics.polled(archive, outcome: "cut", new: new)
                logger.warning(
                    "an archive has more studies of one day than are taken of it", metadata: ["archive": "\(archive)"])
            case .failed(let reason):
                if Task.isCancelled { return }
                metrics.polled(archive, outcome: "failed", new: 0)
                logger.warning(
                    "an archive could not be asked for what is new; it is asked again",
                    metadata: [
                        "archive": "\(archive)", "reason": "\(reason)", "minutes": "\(rule.minutes)",
                    ])
            case .notAnArchive:
                metrics.polled(archive, outcome: "unknown", new: 0)
                logger.warning(
                    "archives of hilum.yaml names what is no archive: hilum peer add --archive makes it one",
                    metadata: ["archive": "\(archive)"])
            }
            do { try await Task.sleep(for: .seconds(rule.minutes * 60)) } catch { return }
        }
    }

    private func tidy() async {
        while !Task.isCancelled {
            do {
                metrics.left(try await fetch.tidy(rule))
                metrics.holds(try await copies.copyTotals())
                try await registry.forgetArchives()
                metrics.knows(try await copies.remoteTotals())
                // Last: a file that cannot be removed holds up nothing.
                _ = try await removal.run()
                try await Task.sleep(for: Self.interval)
            } catch is CancellationError {
                return
            } catch {
                logger.warning("copies of archives' studies could not be looked at", metadata: ["error": "\(error)"])
                do { try await Task.sleep(for: Self.interval) } catch { return }
            }
        }
    }
}

extension ArchiveWork: CustomStringConvertible { var description: String { "archives" } }

extension ArchiveSearch.Outcome {
    /// As a label.
    fileprivate var word: String {
        switch self {
        case .answered: "answered"
        case .cut: "cut"
        case .refused: "refused"
        case .failed: "failed"
        case .resting: "resting"
        case .notAsked: "not-asked"
        }
    }

    /// What an operator may have to do something about.
    fileprivate var reason: String? {
        switch self {
        case .refused(let reason), .failed(let reason): reason
        case .answered, .cut, .resting, .notAsked: nil
        }
    }
}
