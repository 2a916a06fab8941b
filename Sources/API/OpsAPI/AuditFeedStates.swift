import Synchronization

/// What an operator sees of one feed of the audit trail.
package struct AuditFeedState: Sendable, Hashable {
    /// As the configuration names it.
    package var name: String
    /// The last row that the repository has.
    package var number: Int64 = 0
    /// Rows that it does not have yet.
    package var waiting: Int64 = 0
    /// How long the oldest of those has waited, in seconds; 0 where none does.
    package var oldestSeconds: Int64 = 0
    /// Rows that it refused.
    package var parked: Int64 = 0
    /// Rows that were cut before it had them, since an operator last accepted that.
    package var missed: Int64 = 0
    /// Why it does not get more now; nil while it does.
    package var failure: String?
    /// Whether a row has waited for longer than the site allows.
    package var isLate = false

    /// Of a feed of which nothing is known yet.
    package init(name: String) { self.name = name }

    /// Whether somebody should look.
    package var needsAttention: Bool { isLate || parked > 0 || missed > 0 }
}

/// The feeds of a server as they are, and as metrics.
package final class AuditFeedStates: Sendable {
    private let states = Mutex<[String: AuditFeedState]>([:])
    private let registry: MetricRegistry

    /// - Parameter registry: gets the gauges of each feed at once, at zero.
    package init(registry: MetricRegistry, names: [String]) {
        self.registry = registry
        for name in names {
            tell(AuditFeedState(name: name))
            parkedUnopened(0, name)
        }
    }

    /// By name.
    package var all: [AuditFeedState] { states.withLock { $0.values.sorted { $0.name < $1.name } } }

    /// Keeps a feed's state in place of the one before, and sets its gauges.
    package func tell(_ state: AuditFeedState) {
        states.withLock { $0[state.name] = state }
        gauge("row", state, state.number)
        gauge("waiting", state, state.waiting)
        gauge("oldest_seconds", state, state.oldestSeconds)
        gauge("parked", state, state.parked)
        gauge("missed", state, state.missed)
        gauge("failing", state, state.failure == nil ? 0 : 1)
        gauge("late", state, state.isLate ? 1 : 0)
    }

    /// Rows that a repository has taken.
    package func took(_ count: Int, _ name: String) {
        registry.find("hilum_audit_feed_rows", [("feed", name)], .counter).increment(by: Int64(count))
    }

    /// Rows that were parked because their records do not open.
    package func parkedUnopened(_ count: Int, _ name: String) {
        registry.find("hilum_audit_feed_unopened", [("feed", name)], .counter).increment(by: Int64(count))
    }

    private func gauge(_ what: String, _ state: AuditFeedState, _ value: Int64) {
        registry.find("hilum_audit_feed_" + what, [("feed", state.name)], .gauge).set(value)
    }
}
