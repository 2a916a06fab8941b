import DICOMPixels
import Testing

/// Every predictor and precision of JPEG Lossless, by an encoder of the tests' own. ITU-T T.81 Annex H, Table H.1.
@Suite struct JPEGLosslessPredictorTests {
    private static let rows = 9
    private static let columns = 13

    @Test("Table H.1: every predictor, of 2 to 16 bits, of one component and of three", arguments: 1...7)
    func predictors(_ predictor: Int) {
        for precision in 2...16 {
            for samples in [1, 3] {
                let values = Self.noise(count: Self.rows * Self.columns * samples, bits: precision)
                let frame = LosslessWriter(precision: precision, predictor: predictor, transform: 0, samples: samples)
                    .frame(values, rows: Self.rows, columns: Self.columns)
                #expect(
                    Self.decoded(frame, samples, precision) == values, "\(precision) bits, \(samples) components")
            }
        }
    }

    @Test("§A.4: a point transform leaves the lowest bits out, whatever the predictor", arguments: 1...7)
    func pointTransform(_ predictor: Int) {
        let values = Self.noise(count: Self.rows * Self.columns, bits: 12)
        let frame = LosslessWriter(precision: 12, predictor: predictor, transform: 3, samples: 1)
            .frame(values, rows: Self.rows, columns: Self.columns)
        #expect(Self.decoded(frame, 1, 12) == values.map { $0 & ~7 })
    }

    private static func decoded(_ frame: [UInt8], _ samples: Int, _ precision: Int) -> [Int]? {
        let width = precision > 8 ? 2 : 1
        let bytes = JPEGLosslessFrame.decoded(
            frame, rows: rows, columns: columns, samples: samples, sampleBytes: width)
        return bytes.map { bytes in
            stride(from: 0, to: bytes.count, by: width).map { at in
                width == 1 ? Int(bytes[at]) : Int(bytes[at]) | Int(bytes[at + 1]) << 8
            }
        }
    }

    /// The same in each run: slopes, with noise of the whole range in every third value.
    private static func noise(count: Int, bits: Int) -> [Int] {
        var state: UInt64 = 0x9E37_79B9
        return (0..<count).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let whole = Int(state >> 33) & (1 << bits - 1)
            return index % 3 == 0 ? whole : (index * 5 + whole % 3) & (1 << bits - 1)
        }
    }
}

/// Writes one scan with codes of five bits for all seventeen categories.
private struct LosslessWriter {
    let precision: Int
    let predictor: Int
    let transform: Int
    let samples: Int

    func frame(_ values: [Int], rows: Int, columns: Int) -> [UInt8] {
        let components = 1...samples
        var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC3, 0, UInt8(8 + 3 * samples), UInt8(precision)]
        bytes += [0, UInt8(rows), 0, UInt8(columns), UInt8(samples)]
        bytes += components.flatMap { [UInt8($0), 0x11, 0] }
        bytes += [0xFF, 0xC4, 0, 36, 0, 0, 0, 0, 0, 17] + [UInt8](repeating: 0, count: 11) + Array(0...16)
        bytes += [0xFF, 0xDA, 0, UInt8(6 + 2 * samples), UInt8(samples)]
        bytes += components.flatMap { [UInt8($0), 0] } + [UInt8(predictor), 0, UInt8(transform)]
        return bytes + scan(values.map { $0 >> transform }, rows: rows, columns: columns) + [0xFF, 0xD9]
    }

    private func scan(_ values: [Int], rows: Int, columns: Int) -> [UInt8] {
        var bits: [Bool] = []
        func put(_ value: Int, _ count: Int) {
            for bit in stride(from: count - 1, through: 0, by: -1) { bits.append(value >> bit & 1 == 1) }
        }
        for index in values.indices {
            let (row, column) = (index / samples / columns, index / samples % columns)
            let difference = (values[index] - predicted(values, index, row, column, columns)) & 0xFFFF
            // From -32767 to 32768. §H.1.2.1, Table H.2.
            let signed = difference > 0x8000 ? difference - 0x1_0000 : difference
            let category = Int.bitWidth - abs(signed).leadingZeroBitCount
            put(category, 5)
            if category < 16 { put(signed < 0 ? signed - 1 : signed, category) }
        }
        while bits.count % 8 != 0 { bits.append(true) }
        return stride(from: 0, to: bits.count, by: 8).flatMap { at -> [UInt8] in
            let byte = bits[at..<at + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
            return byte == 0xFF ? [0xFF, 0] : [byte]
        }
    }

    private func predicted(_ values: [Int], _ index: Int, _ row: Int, _ column: Int, _ columns: Int) -> Int {
        let (left, above) = (index - samples, index - samples * columns)
        if row == 0 { return column == 0 ? 1 << (precision - transform - 1) : values[left] }
        if column == 0 { return values[above] }
        let (a, b, c) = (values[left], values[above], values[above - samples])
        switch predictor {
        case 1: return a
        case 2: return b
        case 3: return c
        case 4: return a + b - c
        case 5: return a + (b - c) >> 1
        case 6: return b + (a - c) >> 1
        default: return (a + b) >> 1
        }
    }
}
