#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A window: which values are shown between black and white, and by which function. PS3.3 §C.11.2.1.2, §C.11.2.1.3.
package struct VOIWindow: Sendable, Equatable {
    /// VOI LUT Function (0028,1056), and the shapes of the `window` parameter.
    package enum Function: String, Sendable, CaseIterable {
        case linear = "LINEAR"
        case linearExact = "LINEAR_EXACT"
        case sigmoid = "SIGMOID"
    }

    /// In units of the modality LUT's output.
    package let center: Double
    package let width: Double
    package let function: Function

    /// nil for numbers that are none, or beyond 1e15, a width below 1 of LINEAR, and one of 0 or less of the others.
    package init?(center: Double, width: Double, function: Function = .linear) {
        guard center.magnitude <= 1e15, width <= 1e15, function == .linear ? width >= 1 : width > 0 else { return nil }
        self.center = center
        self.width = width
        self.function = function
    }

    /// Where between black, 0, and white, 1, a value is shown.
    func fraction(_ value: Double) -> Double {
        switch function {
        case .linear:
            let middle = center - 0.5
            let half = (width - 1) / 2
            if value <= middle - half { return 0 }
            if value > middle + half { return 1 }
            return (value - middle) / (width - 1) + 0.5
        case .linearExact:
            if value <= center - width / 2 { return 0 }
            if value > center + width / 2 { return 1 }
            return (value - center) / width + 0.5
        case .sigmoid: return 1 / (1 + exp(-4 * (value - center) / width))
        }
    }
}
