/// What an operator sees of the queries to archives: `hilum_archive_queries_total{archive,outcome}`.
package struct ArchiveMetrics: Sendable {
    private let registry: MetricRegistry

    /// - Parameter registry: gets a series with the first query that ends so.
    package init(registry: MetricRegistry) { self.registry = registry }

    /// A query came to its end at an archive.
    ///
    /// - Parameters:
    ///   - archive: the AE title of a configured peer, so that there are few.
    ///   - outcome: one of a few words, such as `answered`.
    package func queried(_ archive: String, outcome: String) {
        registry.count("hilum_archive_queries", [("archive", archive), ("outcome", outcome)])
    }
}
