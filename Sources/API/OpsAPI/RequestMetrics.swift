import Synchronization

/// Counts and times HTTP answers by operation; given to the responder as its observer.
package final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        let operationID: String
        let status: Int
    }
    private let registry: MetricRegistry
    /// The series already found, so that a request costs one look-up.
    private let known = Mutex<[Key: (count: MetricSeries, time: MetricSeries)]>([:])

    /// - Parameter registry: gets two series for each operation and status, with the first answer.
    package init(registry: MetricRegistry) { self.registry = registry }

    /// Notes one answer. `operationID` comes from the route table, so the number of series is bounded by it.
    package func observe(operationID: String, status: Int, duration: Duration) {
        let key = Key(operationID: operationID, status: status)
        let series = known.withLock { known in
            if let found = known[key] { return found }
            let found = (
                count: registry.find(
                    "hilum_http_requests", [("operation", operationID), ("status", String(status))], .counter),
                time: registry.find("hilum_http_request_duration", [("operation", operationID)], .timer)
            )
            known[key] = found
            return found
        }
        series.count.increment(by: 1 as Int64)
        let (seconds, attoseconds) = duration.components
        series.time.recordNanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }
}
