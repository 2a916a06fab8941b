import Metrics
import Synchronization

/// The metrics of this process, kept in memory and written in the Prometheus text format 0.0.4.
///
/// Labels are names of operations, states and codes, never ids or values of a patient. The number of series is
/// bounded, in all and for each name: past the limit new ones are counted together and the loss is told, so that no label
/// can fill the memory or push others out. Names and values of labels are cut and escaped.
package final class MetricRegistry: MetricsFactory {
    /// More series than this are not made.
    package static let seriesMax = 2000
    /// The same of one name.
    package static let seriesOfNameMax = 400
    /// Longer label values are cut, in bytes.
    static let labelBytesMax = 128

    /// What identifies a series: a name and its labels in order.
    struct Key: Hashable {
        let name: String
        let labels: [Label]
    }
    struct Label: Hashable {
        let name: String
        let value: String
    }

    /// A value that is asked for when the metrics are read.
    package struct Sample: Sendable {
        package enum Kind: Sendable { case counter, gauge }
        let name: String
        let kind: Kind
        let value: Double
        let labels: [(String, String)]

        /// - Parameter name: without the ending of its kind.
        package init(_ name: String, _ kind: Kind, _ value: Double, _ labels: [(String, String)] = []) {
            self.name = name
            self.kind = kind
            self.value = value
            self.labels = labels
        }
    }

    private struct State {
        var series: [Key: MetricSeries] = [:]
        var counts: [String: Int] = [:]
    }
    private let state = Mutex(State())
    /// Takes what comes past the limit, one for each kind, and tells nobody.
    private let overflow: [MetricSeries.Kind: MetricSeries] = Dictionary(
        uniqueKeysWithValues: [.counter, .gauge, .histogram, .timer].map { ($0, MetricSeries($0)) })
    /// How often a series was asked for that was not made.
    private let dropped = MetricSeries(.counter)
    private let observed = Mutex<[@Sendable () -> [Sample]]>([])

    package init() {}

    /// The series of a name and labels, made at first use.
    func find(_ name: String, _ dimensions: [(String, String)], _ kind: MetricSeries.Kind) -> MetricSeries {
        let key = Key(name: name, labels: dimensions.map { Label(name: $0.0, value: MetricText.cut($0.1)) })
        return state.withLock { state in
            if let known = state.series[key] { return known }
            guard state.series.count < MetricRegistry.seriesMax,
                state.counts[name, default: 0] < MetricRegistry.seriesOfNameMax
            else {
                dropped.increment(by: 1 as Int64)
                return overflow[kind] ?? dropped
            }
            let new = MetricSeries(kind)
            state.series[key] = new
            state.counts[name, default: 0] += 1
            return new
        }
    }

    /// Adds one to a counter.
    package func count(_ name: String, _ dimensions: [(String, String)] = []) {
        find(name, dimensions, .counter).increment(by: 1 as Int64)
    }

    /// Has values asked for at each reading of the metrics.
    package func observe(_ samples: @escaping @Sendable () -> [Sample]) { observed.withLock { $0.append(samples) } }

    private func takeSamples() {
        for sample in observed.withLock({ $0 }).flatMap({ $0() }) {
            switch sample.kind {
            case .counter: find(sample.name, sample.labels, .counter).set(count: Int64(sample.value))
            case .gauge: find(sample.name, sample.labels, .gauge).set(sample.value)
            }
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions, .counter)
    }
    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        find(label, dimensions, aggregate ? .histogram : .gauge)
    }
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions, .gauge)
    }
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions, .timer)
    }
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// All series as text, sorted by name and labels, so that equal states give equal text.
    package func text() -> String {
        takeSamples()
        var all = state.withLock { Array($0.series) }
        if dropped.total > 0 { all.append((Key(name: "hilum_metrics_dropped", labels: []), dropped)) }
        let lines = all.map { key, series in
            (MetricText.name(key.name, series.kind), MetricText.labels(key.labels), series)
        }
        .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
        var text = ""
        var last = ""
        for (name, labels, series) in lines {
            if name != last {
                text += "# TYPE \(name) \(series.kind.promType)\n"
                last = name
            }
            series.write(name: name, labels: labels, to: &text)
        }
        return text
    }
}

/// The spelling of names and labels.
enum MetricText {
    /// A legal metric name: other characters become `_`; counters end in `_total`, timers in `_seconds`.
    static func name(_ label: String, _ kind: MetricSeries.Kind) -> String {
        var name = String(decoding: label.utf8.map { isNameByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
        if name.utf8.first.map({ (48...57).contains($0) }) ?? true { name = "_" + name }
        switch kind {
        case .counter where !name.hasSuffix("_total"): return name + "_total"
        case .timer where !name.hasSuffix("_seconds"): return name + "_seconds"
        default: return name
        }
    }

    /// A label's value of at most so many bytes, whole characters only.
    static func cut(_ value: String) -> String {
        guard value.utf8.count > MetricRegistry.labelBytesMax else { return value }
        var text = ""
        for character in value where text.utf8.count + character.utf8.count <= MetricRegistry.labelBytesMax {
            text.append(character)
        }
        return text
    }

    /// `{a="b"}` without the braces; reverse solidus, quotation mark and line feed escaped, other control characters
    /// replaced, since the format has no escape for them.
    static func labels(_ labels: [MetricRegistry.Label]) -> String {
        labels.map { label in
            let name = String(
                decoding: label.name.utf8.map { isNameByte($0) && $0 != UInt8(ascii: ":") ? $0 : UInt8(ascii: "_") },
                as: UTF8.self)
            var value: [UInt8] = []
            for byte in label.value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): value += [UInt8(ascii: "\\"), byte]
                case 0x0A: value += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
                case 0..<0x20, 0x7F: value.append(UInt8(ascii: "_"))
                default: value.append(byte)
                }
            }
            return name + "=\"" + String(decoding: value, as: UTF8.self) + "\""
        }.joined(separator: ",")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
