/// A block of 8 x 8 coefficients and its way to samples. ITU-T T.81 §F.2.2, §A.3.3.
struct JPEGBlock {
    /// Dequantized, in natural order.
    private var coefficients = [Int](repeating: 0, count: 64)
    private var work = [Int](repeating: 0, count: 64)
    /// The place in zigzag order of the last coefficient that is not 0.
    private var last = 0
    private let passBits: Int
    private let centre: Int
    private let maximum: Int

    init(precision: Int) {
        // Bits that the columns keep for the rows: what 32 bits have room for.
        passBits = precision == 8 ? 2 : 1
        centre = 1 << (precision - 1)
        maximum = (1 << precision) - 1
    }

    /// T.81 Figure A.6.
    private static let zigzag: [Int] = [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
        21,
        28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61,
        54, 47, 55, 62, 63,
    ]

    /// Reads and dequantizes the next block. false for bits that are no code and for coefficients beyond the last.
    mutating func read(
        _ bits: inout JPEGScanBits, _ dc: JPEGHuffmanTables.Pointers, _ dcTable: Int,
        _ ac: JPEGHuffmanTables.Pointers, _ acTable: Int, _ quantization: [Int32], last predicted: inout Int
    ) -> Bool {
        for index in 0..<64 { coefficients[index] = 0 }
        bits.fill()
        let size = bits.symbol(dc, dcTable)
        guard (0...15).contains(size) else { return false }
        // 16 bits hold every difference that a codestream can mean.
        predicted = Int(Int32(truncatingIfNeeded: predicted &+ bits.number(size)))
        coefficients[0] = predicted &* Int(quantization[0])
        last = 0
        var index = 1
        while index < 64 {
            bits.fill()
            let symbol = bits.symbol(ac, acTable)
            guard symbol >= 0 else { return false }
            let (run, size) = (symbol >> 4, symbol & 15)
            if size == 0 {
                if run != 15 { break }
                index += 16
                continue
            }
            index += run
            guard index < 64 else { return false }
            coefficients[Self.zigzag[index]] = bits.number(size) &* Int(quantization[index])
            last = index
            index += 1
        }
        return true
    }

    /// The inverse transform, columns before rows, by the factorization of Loeffler, Ligtenberg and Moschytz in fixed
    /// point of 13 bits: what the Independent JPEG Group's `islow` gives, bit for bit.
    mutating func transform(into values: inout [UInt16], at start: Int, stride: Int) {
        if last == 0 {
            let flat = sample(((coefficients[0] &<< passBits) &+ (1 << (passBits + 2))) >> (passBits + 3))
            for row in 0..<8 {
                for column in 0..<8 { values[start + row * stride + column] = flat }
            }
            return
        }
        for column in 0..<8 {
            let out = Self.line(
                coefficients[column], coefficients[column + 8], coefficients[column + 16], coefficients[column + 24],
                coefficients[column + 32], coefficients[column + 40], coefficients[column + 48],
                coefficients[column + 56], shift: 13 - passBits)
            (work[column], work[column + 8], work[column + 16], work[column + 24]) = (out.0, out.1, out.2, out.3)
            (work[column + 32], work[column + 40], work[column + 48], work[column + 56]) =
                (out.4, out.5, out.6, out.7)
        }
        for row in 0..<8 {
            let from = row * 8
            let out = Self.line(
                work[from], work[from + 1], work[from + 2], work[from + 3], work[from + 4], work[from + 5],
                work[from + 6], work[from + 7], shift: 13 + passBits + 3)
            let at = start + row * stride
            (values[at], values[at + 1], values[at + 2], values[at + 3]) =
                (sample(out.0), sample(out.1), sample(out.2), sample(out.3))
            (values[at + 4], values[at + 5], values[at + 6], values[at + 7]) =
                (sample(out.4), sample(out.5), sample(out.6), sample(out.7))
        }
    }

    @inline(__always) private func sample(_ value: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: max(0, min(maximum, value &+ centre)))
    }

    private typealias Eight = (Int, Int, Int, Int, Int, Int, Int, Int)

    /// One dimension; products wrap where a codestream's numbers are none that an encoder gives.
    @inline(__always) private static func line(
        _ i0: Int, _ i1: Int, _ i2: Int, _ i3: Int, _ i4: Int, _ i5: Int, _ i6: Int, _ i7: Int, shift: Int
    ) -> Eight {
        // Even part.
        let rotated = (i2 &+ i6) &* 4433
        let e2 = rotated &- i6 &* 15137
        let e3 = rotated &+ i2 &* 6270
        let e0 = (i0 &+ i4) &<< 13
        let e1 = (i0 &- i4) &<< 13
        let (s0, s3, s1, s2) = (e0 &+ e3, e0 &- e3, e1 &+ e2, e1 &- e2)
        // Odd part.
        let z5 = (i7 &+ i3 &+ i5 &+ i1) &* 9633
        let z1 = (i7 &+ i1) &* -7373
        let z2 = (i5 &+ i3) &* -20995
        let z3 = (i7 &+ i3) &* -16069 &+ z5
        let z4 = (i5 &+ i1) &* -3196 &+ z5
        let o0 = i7 &* 2446 &+ z1 &+ z3
        let o1 = i5 &* 16819 &+ z2 &+ z4
        let o2 = i3 &* 25172 &+ z2 &+ z3
        let o3 = i1 &* 12299 &+ z1 &+ z4
        let round = 1 << (shift - 1)
        return (
            (s0 &+ o3 &+ round) >> shift, (s1 &+ o2 &+ round) >> shift, (s2 &+ o1 &+ round) >> shift,
            (s3 &+ o0 &+ round) >> shift, (s3 &- o0 &+ round) >> shift, (s2 &- o1 &+ round) >> shift,
            (s1 &- o2 &+ round) >> shift, (s0 &- o3 &+ round) >> shift
        )
    }
}
