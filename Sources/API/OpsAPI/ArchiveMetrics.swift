/// What an operator sees of the queries to archives: `hilum_archive_queries_total{archive,outcome}`.
package struct ArchiveMetrics: Sendable {
    private let registry: MetricRegistry

    package init(registry: MetricRegistry) { self.registry = registry }

    /// A query came to its end at an archive.
    ///
    /// - Parameter archive: the AE title of a configured peer, so that there are few.
    package func queried(_ archive: String, outcome: String) {
        registry.count("hilum_archive_queries", [("archive", archive), ("outcome", outcome)])
    }
}
