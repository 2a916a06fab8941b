import Workflow

/// What an operator sees of the publishing of studies.
package struct PublicationMetrics: Sendable {
    private let registry: MetricRegistry

    /// - Parameter registry: gets the counters of all reasons at once, at zero.
    package init(registry: MetricRegistry) {
        self.registry = registry
        for reason in PublicationRule.Reason.allCases { counter(reason).increment(by: 0 as Int64) }
    }

    /// A study was published, for a reason and in so much time.
    package func published(_ reason: PublicationRule.Reason, in duration: Duration) {
        counter(reason).increment(by: 1 as Int64)
        registry.find("hilum_study_publication", [], .timer).recordNanoseconds(
            duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }

    /// A study could not be published; it is tried again.
    package func failed() { registry.find("hilum_study_publications_failed", [], .counter).increment(by: 1 as Int64) }

    /// Studies whose instances are stored and not shown as a resource yet, and how long the first has waited.
    package func waiting(_ count: Int64, oldestSeconds: Int64) {
        registry.find("hilum_studies_waiting", [], .gauge).set(count)
        registry.find("hilum_studies_waiting_oldest_seconds", [], .gauge).set(oldestSeconds)
    }

    private func counter(_ reason: PublicationRule.Reason) -> MetricSeries {
        registry.find("hilum_studies_published", [("reason", reason.rawValue)], .counter)
    }
}
