import Workflow

/// What an operator sees of the archives: `hilum_archive_queries_total{archive,outcome}`,
/// `hilum_archive_fetches_total{archive,outcome}`, `hilum_archive_fetched_instances_total{archive}`,
/// `hilum_archive_copies{state}`, `hilum_archive_copy_bytes`, `hilum_archive_copies_left_total`,
/// `hilum_archive_polls_total{archive,outcome}`, `hilum_archive_polled_studies_total{archive}`,
/// `hilum_archive_studies{archive,state}` and `hilum_archive_prefetches_total{archive,rule}`.
package struct ArchiveMetrics: Sendable {
    private let registry: MetricRegistry

    /// - Parameter registry: gets a series with the first query or fetch that ends so.
    package init(registry: MetricRegistry) { self.registry = registry }

    /// A query came to its end at an archive.
    ///
    /// - Parameters:
    ///   - archive: the AE title of a configured peer, so that there are few.
    ///   - outcome: one of a few words, such as `answered`.
    package func queried(_ archive: String, outcome: String) {
        registry.count("hilum_archive_queries", [("archive", archive), ("outcome", outcome)])
    }

    /// An attempt to fetch a study has ended.
    ///
    /// - Parameters:
    ///   - outcome: one of a few words, such as `whole`.
    ///   - instances: of the study that are here now as copies.
    package func fetched(_ archive: String, outcome: String, instances: Int) {
        registry.count("hilum_archive_fetches", [("archive", archive), ("outcome", outcome)])
        registry.find("hilum_archive_fetched_instances", [("archive", archive)], .counter)
            .increment(by: Int64(instances))
    }

    /// What there is of copies, in all states but that of those that have left.
    package func holds(_ totals: ArchiveCopyTotals) {
        for state in ArchiveCopy.State.allCases where state != .left {
            registry.find("hilum_archive_copies", [("state", state.rawValue)], .gauge)
                .set(Int64(totals.counts[state] ?? 0))
        }
        registry.find("hilum_archive_copy_bytes", [], .gauge).set(totals.bytes)
    }

    /// A poll of an archive has ended.
    ///
    /// - Parameters:
    ///   - outcome: one of a few words, such as `answered`.
    ///   - new: studies that were not known before.
    package func polled(_ archive: String, outcome: String, new: Int) {
        registry.count("hilum_archive_polls", [("archive", archive), ("outcome", outcome)])
        registry.find("hilum_archive_polled_studies", [("archive", archive)], .counter).increment(by: Int64(new))
    }

    /// What is known of the studies of archives.
    package func knows(_ totals: [RemoteStudyTotal]) {
        for archive in Set(totals.map(\.archive)) {
            for isMissing in [false, true] {
                let total = totals.first { $0.archive == archive && $0.isMissing == isMissing }
                registry.find(
                    "hilum_archive_studies", [("archive", archive), ("state", isMissing ? "missing" : "known")], .gauge
                ).set(Int64(total?.count ?? 0))
            }
        }
    }

    /// A rule has a study fetched.
    ///
    /// - Parameter rule: its name in the configuration, so that there are few.
    package func prefetched(_ archive: String, rule: String) {
        registry.count("hilum_archive_prefetches", [("archive", archive), ("rule", rule)])
    }

    /// So many copies have left.
    package func left(_ count: Int) {
        registry.find("hilum_archive_copies_left", [], .counter).increment(by: Int64(count))
    }
}
