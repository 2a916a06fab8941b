/// What an operator sees of the matching of Subscriptions; their deliveries are told with the outbox.
package struct SubscriptionMetrics: Sendable {
    private let registry: MetricRegistry

    /// - Parameter registry: gets the counters at once, at zero.
    package init(registry: MetricRegistry) {
        self.registry = registry
        matched(versions: 0, notices: 0)
    }

    /// Versions of resources that were looked at, and notices that came of them.
    package func matched(versions: Int, notices: Int) {
        registry.find("hilum_subscription_versions_matched", [], .counter).increment(by: Int64(versions))
        registry.find("hilum_subscription_notices", [], .counter).increment(by: Int64(notices))
    }
}
