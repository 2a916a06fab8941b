import Admission
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import Logging
import OpsAPI
import SQLStore
import Workflow

/// The archives behind this server, as both doors of images search them.
enum ArchiveComposition {
    static func search(
        _ configuration: ServerConfiguration, store: RelationalStore, outgoing: OutgoingDIMSE,
        authorities: AssigningAuthorities, clock: any Workflow.Clock, metrics: MetricRegistry, logger: Logger
    ) throws -> ArchiveSearch {
        let counts = ArchiveMetrics(registry: metrics)
        return ArchiveSearch(
            peers: store,
            directory: ArchiveSCU(
                calling: outgoing.calling, callingAETitle: outgoing.callingAETitle, associations: outgoing.associations,
                authorities: authorities),
            store: store, audit: store, clock: clock, limits: configuration.limits.archives
        ) { archive, outcome in
            counts.queried(archive, outcome: outcome.word)
            guard let reason = outcome.reason else { return }
            logger.warning(
                "an archive did not answer a query; what is here was answered without it",
                metadata: ["archive": "\(archive)", "outcome": "\(outcome.word)", "reason": "\(reason)"])
        }
    }
}

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
