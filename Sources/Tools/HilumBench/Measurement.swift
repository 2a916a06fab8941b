/// One line of the results.
struct Measurement: Sendable {
    /// How the number is read.
    enum Goal: Sendable {
        /// Ours divided by the bound is to be at least this.
        case ratio(Double)
        /// The number is to be at most this.
        case most(Double)
        /// The number is to be at least this.
        case least(Double)
    }
    let name: String
    /// Of the numbers: "objects/s", "MB", "s".
    let unit: String
    /// One per round.
    let ours: [Double]
    /// One per round; empty where the goal is an absolute number.
    let bound: [Double]
    /// What `bound` is.
    let boundName: String
    let goal: Goal
    /// What the server spent on one item; one per round. Empty where nothing is loaded.
    var processor: [ProcessorTime] = []

    var ratio: Double? { bound.isEmpty ? nil : ours.median / Swift.max(bound.median, .leastNonzeroMagnitude) }

    var isMet: Bool {
        switch goal {
        case .ratio(let least): (ratio ?? 0) >= least
        case .most(let most): ours.median <= most
        case .least(let least): ours.median >= least
        }
    }

    /// "412 + 760 µs", the medians in user and in kernel mode.
    var processorText: String {
        processor.isEmpty
            ? "-"
            : NumberText.short(processor.map(\.user).median * 1e6) + " + "
                + NumberText.short(processor.map(\.kernel).median * 1e6) + " µs"
    }

    var goalText: String {
        switch goal {
        case .ratio(let least): ">= \(least)"
        case .most(let most): "<= \(NumberText.short(most)) \(unit)"
        case .least(let least): ">= \(NumberText.short(least)) \(unit)"
        }
    }
}

extension [Double] {
    /// The middle one; the mean of the middle two of an even number; 0 of none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let order = sorted()
        return count % 2 == 1 ? order[count / 2] : (order[count / 2 - 1] + order[count / 2]) / 2
    }
}

/// Seconds of processor time, all threads of a process together. The part in user mode depends on the program alone,
/// hardly on what else the machine and its disk do.
struct ProcessorTime: Sendable {
    var user: Double
    var kernel: Double

    static func - (one: Self, other: Self) -> Self {
        Self(user: one.user - other.user, kernel: one.kernel - other.kernel)
    }

    static func / (time: Self, items: Double) -> Self { Self(user: time.user / items, kernel: time.kernel / items) }
}

/// Numbers for people.
enum NumberText {
    /// Three significant digits or whole numbers: "0.532", "4.21", "187", "15230".
    static func short(_ value: Double) -> String {
        let digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int((value * scale).rounded())
        guard digits > 0 else { return "\(whole)" }
        let part = "\(whole % Int(scale))"
        return "\(whole / Int(scale))." + String(repeating: "0", count: digits - part.count) + part
    }
}
