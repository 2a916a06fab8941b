/// What an operator sees of how the store grows.
package struct GrowthMetrics: Sendable {
    private let registry: MetricRegistry

    /// - Parameter registry: gets each series when it is first told of.
    package init(registry: MetricRegistry) { self.registry = registry }

    /// Room taken by the database, of it free, and by SQLite's write-ahead log.
    package func database(bytes: Int64, freeBytes: Int64, logBytes: Int64) {
        registry.find("hilum_database_bytes", [], .gauge).set(bytes)
        registry.find("hilum_database_free_bytes", [], .gauge).set(freeBytes)
        registry.find("hilum_database_log_bytes", [], .gauge).set(logBytes)
    }

    /// Rows that retention has removed.
    package func removed(_ count: Int, _ kind: String) {
        registry.find("hilum_retention_removed", [("kind", kind)], .counter).increment(by: Int64(count))
    }
}
