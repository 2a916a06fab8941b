import PixelCodecs

/// How often which values stand in frames, in units of the modality: what a window over all of them is made of.
package struct ValueCounts: Sendable {
    private var counts: [(value: Double, count: Int)] = []

    package init() {}

    init(_ counts: [(value: Double, count: Int)]) { self.counts = counts }

    /// Bytes that it takes.
    package var byteCount: Int { counts.count * MemoryLayout<(value: Double, count: Int)>.stride }

    package mutating func append(_ other: ValueCounts) { counts += other.counts }

    /// From the 0.5th to the 99.5th percentile, by LINEAR_EXACT. nil when there is no value.
    package var window: VOIWindow? {
        let sorted = counts.sorted { $0.value < $1.value }
        let total = sorted.reduce(0) { $0 + $1.count }
        guard total > 0 else { return nil }
        // The ranks of the percentiles, rounded outwards.
        let low = Self.value(at: (total - 1) / 200, in: sorted)
        let high = Self.value(at: (total - 1) - (total - 1) / 200, in: sorted)
        return VOIWindow(center: (low + high) / 2, width: max(high - low, 1e-6), function: .linearExact)
    }

    private static func value(at rank: Int, in counts: [(value: Double, count: Int)]) -> Double {
        var passed = 0
        for (value, count) in counts {
            passed += count
            if passed > rank { return value }
        }
        return counts.last?.value ?? 0
    }
}

extension GreyTransform.Modality {
    /// A window over the values that a frame has, for images that bring none. nil when there is nothing but padding.
    func window(over frame: NativeFrame, isFloat: Bool, padding: ClosedRange<Int>?) -> VOIWindow? {
        values(of: frame, isFloat: isFloat, padding: padding).window
    }

    /// The values that a frame has, without its padding.
    func values(of frame: NativeFrame, isFloat: Bool, padding: ClosedRange<Int>?) -> ValueCounts {
        ValueCounts(
            Self.counts(of: frame, isFloat, padding).map { (value: value($0.value), count: $0.count) }
                .filter { $0.value.magnitude <= 1e15 })
    }

    /// Stored values and how often they are met with; of large numbers a sample of 65,536 pixels at most.
    private static func counts(
        of frame: NativeFrame, _ isFloat: Bool, _ padding: ClosedRange<Int>?
    ) -> [(value: Double, count: Int)] {
        let pixels = frame.rows * frame.columns
        guard frame.sampleBytes <= 2, !isFloat else {
            let step = max(1, pixels / 65_536)
            return stride(from: 0, to: pixels, by: step).compactMap { index in
                let (value, pattern) = frame.sample(index, isFloat: isFloat)
                return value.isFinite && padding?.contains(pattern) != true ? (value, 1) : nil
            }
        }
        var counts = [Int](repeating: 0, count: 65_536)
        frame.bytes.withUnsafeBytes { source in
            for index in 0..<pixels {
                if frame.sampleBytes == 1 {
                    counts[Int(source[index])] += 1
                } else {
                    let sample = source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                    counts[Int(UInt16(littleEndian: sample))] += 1
                }
            }
        }
        return counts.enumerated().compactMap { pattern, count in
            guard count > 0 else { return nil }
            let isNegative = frame.isSigned && pattern >> (8 * frame.sampleBytes - 1) == 1
            let value = isNegative ? pattern - 1 << (8 * frame.sampleBytes) : pattern
            return padding?.contains(value) == true ? nil : (Double(value), count)
        }
    }
}
