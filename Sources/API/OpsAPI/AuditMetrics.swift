/// What an operator sees of the audit trail.
package struct AuditMetrics: Sendable {
    private let registry: MetricRegistry

    /// - Parameter registry: gets the gauge of contradictions at once, at zero.
    package init(registry: MetricRegistry) {
        self.registry = registry
        registry.find("hilum_audit_contradicts_checkpoint", [], .gauge).set(0 as Int64)
        unopened(0)
    }

    /// The number of the newest row.
    package func rows(_ number: Int64) { registry.find("hilum_audit_last_row", [], .gauge).set(number) }
    /// The number of the row that the newest checkpoint is of.
    package func checkpointed(at number: Int64) {
        registry.find("hilum_audit_checkpoint_row", [], .gauge).set(number)
    }
    /// Rows that a search went on without, as their records do not open.
    package func unopened(_ count: Int) {
        registry.find("hilum_audit_rows_unopened", [], .counter).increment(by: Int64(count))
    }
    /// A checkpoint could not be written.
    package func failed() { registry.find("hilum_audit_checkpoints_failed", [], .counter).increment(by: 1 as Int64) }
    /// Whether the trail is not the one that the newest checkpoint knows.
    package func contradicts(_ isSo: Bool) {
        registry.find("hilum_audit_contradicts_checkpoint", [], .gauge).set(isSo ? 1 : 0 as Int64)
    }
}
