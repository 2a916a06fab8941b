/// What an operator sees of the audit trail.
package struct AuditMetrics: Sendable {
    private let registry: MetricRegistry

    package init(registry: MetricRegistry) {
        self.registry = registry
        registry.find("hilum_audit_contradicts_checkpoint", [], .gauge).set(0 as Int64)
    }

    /// The number of the newest row.
    package func rows(_ number: Int64) { registry.find("hilum_audit_last_row", [], .gauge).set(number) }
    package func checkpointed(at number: Int64) {
        registry.find("hilum_audit_checkpoint_row", [], .gauge).set(number)
    }
    package func failed() { registry.find("hilum_audit_checkpoints_failed", [], .counter).increment(by: 1 as Int64) }
    /// Whether the trail is not the one that the newest checkpoint knows.
    package func contradicts(_ isSo: Bool) {
        registry.find("hilum_audit_contradicts_checkpoint", [], .gauge).set(isSo ? 1 : 0 as Int64)
    }
}
