import Synchronization
import Workflow

/// What an operator sees of deliveries. Labels are destinations and kinds, which are of the server's own making.
package final class OutboxMetrics: Sendable {
    private struct Place: Hashable {
        let destination: String
        let kind: String
        let state: String
    }
    private let registry: MetricRegistry
    /// Series that were told, to be told as empty when there is nothing any more.
    private let told = Mutex<Set<Place>>([])

    /// - Parameter registry: gets the gauges at once, at zero, so that their absence tells of a server without an outbox.
    package init(registry: MetricRegistry) {
        self.registry = registry
        registry.find("hilum_outbox_entries", [("state", "waiting")], .gauge).set(0 as Int64)
        registry.find("hilum_outbox_entries", [("state", "parked")], .gauge).set(0 as Int64)
        registry.find("hilum_outbox_waiting_oldest_seconds", [], .gauge).set(0 as Int64)
    }

    /// One attempt, by how it ended.
    package func attempted(_ entry: OutboxEntry, _ outcome: DeliveryOutcome, in duration: Duration) {
        registry.count(
            "hilum_delivery_attempts",
            [("kind", entry.kind), ("destination", entry.destination), ("outcome", Self.word(outcome))])
        registry.find("hilum_delivery", [("kind", entry.kind)], .timer).recordNanoseconds(
            duration.components.seconds &* 1_000_000_000 &+ duration.components.attoseconds / 1_000_000_000)
    }

    /// What waits and what is parked, in all and by destination.
    package func tell(_ depths: [OutboxDepth], now: UTCInstant) {
        for state in [OutboxEntry.State.waiting, .parked] {
            let count = depths.reduce(0) { $1.state == state ? $0 + $1.count : $0 }
            registry.find("hilum_outbox_entries", [("state", state.rawValue)], .gauge).set(count)
        }
        let oldest = depths.filter { $0.state == .waiting }.map(\.oldest).min()
        registry.find("hilum_outbox_waiting_oldest_seconds", [], .gauge).set(Self.age(oldest, now))
        var places: Set<Place> = []
        for depth in depths {
            let place = Place(destination: depth.destination, kind: depth.kind, state: depth.state.rawValue)
            places.insert(place)
            series("hilum_outbox_destination_entries", place).set(depth.count)
            series("hilum_outbox_destination_oldest_seconds", place).set(Self.age(depth.oldest, now))
        }
        let gone = told.withLock { told in
            defer { told = places }
            return told.subtracting(places)
        }
        for place in gone {
            series("hilum_outbox_destination_entries", place).set(0 as Int64)
            series("hilum_outbox_destination_oldest_seconds", place).set(0 as Int64)
        }
    }

    private func series(_ name: String, _ place: Place) -> MetricSeries {
        registry.find(
            name, [("kind", place.kind), ("destination", place.destination), ("state", place.state)], .gauge)
    }

    private static func age(_ since: UTCInstant?, _ now: UTCInstant) -> Int64 {
        since.map { max(0, (now.microseconds - $0.microseconds) / 1_000_000) } ?? 0
    }

    private static func word(_ outcome: DeliveryOutcome) -> String {
        switch outcome {
        case .delivered: "delivered"
        case .unreachable: "unreachable"
        case .overloaded: "overloaded"
        case .notYet: "not-yet"
        case .transient: "transient"
        case .permanent: "permanent"
        case .blocked: "blocked"
        case .withdrawn: "withdrawn"
        }
    }
}
