import Metrics
import Synchronization

/// One series of numbers, whichever kind of metric it serves.
final class MetricSeries: CounterHandler, RecorderHandler, MeterHandler, TimerHandler {
    enum Kind: Sendable {
        case counter, gauge, histogram
        /// A histogram of nanoseconds, written in seconds.
        case timer
        var promType: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram, .timer: "histogram"
            }
        }
    }

    /// Upper bounds of the buckets: seconds for timers, plain numbers for histograms.
    private static let secondBounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]
    private static let plainBounds = [1.0, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]

    private struct State {
        var count: Int64 = 0
        var value = 0.0
        var buckets: [Int64]
    }

    let kind: Kind
    private let bounds: [Double]
    private let state: Mutex<State>

    init(_ kind: Kind) {
        self.kind = kind
        self.bounds = kind == .timer ? MetricSeries.secondBounds : kind == .histogram ? MetricSeries.plainBounds : []
        self.state = Mutex(State(buckets: Array(repeating: 0, count: bounds.count)))
    }

    /// Of a counter.
    var total: Int64 { state.withLock { $0.count } }

    func increment(by amount: Int64) { state.withLock { $0.count &+= amount } }
    func set(count: Int64) { state.withLock { $0.count = count } }
    func reset() { state.withLock { $0.count = 0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func increment(by amount: Double) { state.withLock { $0.value += amount } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        if kind == .gauge { set(value) } else { observe(value) }
    }

    private func observe(_ value: Double) {
        state.withLock { state in
            state.count &+= 1
            state.value += value
            if let bucket = bounds.firstIndex(where: { value <= $0 }) { state.buckets[bucket] &+= 1 }
        }
    }

    func write(name: String, labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        let braced = labels.isEmpty ? "" : "{\(labels)}"
        switch kind {
        case .counter: text += "\(name)\(braced) \(state.count)\n"
        case .gauge: text += "\(name)\(braced) \(state.value)\n"
        case .histogram, .timer:
            let comma = labels.isEmpty ? "" : ","
            var cumulative: Int64 = 0
            for (bound, count) in zip(bounds, state.buckets) {
                cumulative &+= count
                text += "\(name)_bucket{\(labels)\(comma)le=\"\(bound)\"} \(cumulative)\n"
            }
            text += "\(name)_bucket{\(labels)\(comma)le=\"+Inf\"} \(state.count)\n"
            text += "\(name)_sum\(braced) \(state.value)\n"
            text += "\(name)_count\(braced) \(state.count)\n"
        }
    }
}
