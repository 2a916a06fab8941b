import Workflow

/// How one destination of the site is sent instances, whichever protocol it speaks.
package struct ForwardingTerms: Sendable {
    /// The name of the destination.
    package var name: String
    package var rewriting = InstanceRewriting()
    package var plan = BandwidthPlan()
    package var policy = ForwardingTerms.policy()
    /// Whether it is asked to keep for good what it was sent. PS3.4 §J.3.
    package var asksCommitment = false
    /// Over all that it is sent at a time.
    package let pace = SendPace()

    package init(name: String) { self.name = name }

    /// - Parameters:
    ///   - connections: to the destination at a time.
    ///   - days: after which what still fails is parked.
    package static func policy(connections: Int = 2, days: Int64 = 7) -> DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = connections
        // A large object over a narrow line takes its time; a peer that is silent is given up long before.
        policy.attemptSeconds = 3_600
        policy.retrySecondsMax = 600
        policy.ageSecondsMax = days * 86_400
        return policy
    }
}
