import PixelCodecs

/// From stored values to grey: modality LUT, VOI LUT, presentation LUT shape. PS3.4 §N.2.1.
struct GreyTransform: Sendable {
    enum Modality: Sendable {
        case identity
        case rescale(slope: Double, intercept: Double)
        case table(LookUpTable)

        /// In units of the modality, for a stored value.
        func value(_ stored: Double) -> Double {
            switch self {
            case .identity: stored
            case .rescale(let slope, let intercept): stored * slope + intercept
            case .table(let table): Double(table.value(whole(stored)))
            }
        }
    }

    enum VOI: Sendable {
        case window(VOIWindow)
        case table(LookUpTable)
        /// The lowest value is black, the highest white.
        case range(low: Double, high: Double)

        func fraction(_ value: Double) -> Double {
            switch self {
            case .window(let window): window.fraction(value)
            case .table(let table): Double(table.value(whole(value))) / Double(table.maximum)
            case .range(let low, let high): high > low ? (value - low) / (high - low) : value > low ? 1 : 0
            }
        }
    }

    var modality: Modality
    var voi: VOI
    /// Low values are bright: MONOCHROME1, or INVERSE. PS3.3 §C.7.6.3.1.2, §C.11.6.1.2.
    var isInverse: Bool
    /// Stored values that are no image and are shown black. PS3.3 §C.7.5.1.1.2.
    var padding: ClosedRange<Int>?
    /// What a presentation state puts behind the VOI LUT: black has its first entry, white its last. PS3.3 §C.11.4.
    var presentation: LookUpTable?

    /// The grey of a stored value, rounded to the nearest; black for what is no number.
    func grey(_ stored: Double) -> UInt8 {
        let fraction = voi.fraction(modality.value(stored))
        guard !fraction.isNaN else { return 0 }
        var shown = isInverse ? 1 - fraction : fraction
        if let presentation {
            let entry = Int((max(0, min(1, shown)) * Double(presentation.entries.count - 1)).rounded())
            shown = Double(presentation.entries[entry]) / Double(presentation.maximum)
        }
        return UInt8(max(0, min(255, shown * 255 + 0.5)))
    }

    /// The grey of each pattern of `bits` bits, 1...16.
    func table(bits: Int, isSigned: Bool) -> [UInt8] {
        (0..<1 << bits).map { pattern in
            let value = isSigned && pattern >> (bits - 1) == 1 ? pattern - 1 << bits : pattern
            return padding?.contains(value) == true ? 0 : grey(Double(value))
        }
    }

    /// A frame of one sample a pixel in grey.
    ///
    /// - Parameter isFloat: the samples are IEEE 754 bits of 4 or 8 bytes.
    func applied(to frame: NativeFrame, isFloat: Bool) -> [UInt8] {
        let count = frame.rows * frame.columns
        guard frame.sampleBytes <= 2, !isFloat else {
            return (0..<count).map { index in
                let (value, pattern) = frame.sample(index, isFloat: isFloat)
                return padding?.contains(pattern) == true ? 0 : grey(value)
            }
        }
        let bits = min(16, frame.bitsStored)
        let table = table(bits: bits, isSigned: frame.isSigned)
        let mask = 1 << bits - 1
        return [UInt8](unsafeUninitializedCapacity: count) { out, filled in
            frame.bytes.withUnsafeBytes { source in
                table.withUnsafeBufferPointer { table in
                    if frame.sampleBytes == 1 {
                        for index in 0..<count { out[index] = table[Int(source[index]) & mask] }
                    } else {
                        for index in 0..<count {
                            let sample = source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                            out[index] = table[Int(UInt16(littleEndian: sample)) & mask]
                        }
                    }
                }
            }
            filled = count
        }
    }
}

/// The nearest whole number; 0 for what is none, and cut off far outside of any table.
private func whole(_ value: Double) -> Int {
    value.isNaN ? 0 : Int(max(-2_147_483_648, min(2_147_483_647, value.rounded())))
}

extension NativeFrame {
    /// A sample as a number, and as a whole number for comparison with padding.
    func sample(_ index: Int, isFloat: Bool) -> (value: Double, pattern: Int) {
        var bits: UInt64 = 0
        for byte in 0..<sampleBytes { bits |= UInt64(bytes[index * sampleBytes + byte]) << UInt64(8 * byte) }
        if isFloat, sampleBytes == 4 {
            return (Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))), .min)
        }
        if isFloat, sampleBytes == 8 { return (Double(bitPattern: bits), .min) }
        if isSigned {
            let up = UInt64(64 - 8 * sampleBytes)
            let value = Int64(bitPattern: bits << up) >> Int64(up)
            return (Double(value), Int(value))
        }
        return (Double(bits), Int(truncatingIfNeeded: bits))
    }
}
