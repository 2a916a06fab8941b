extension JPEGLosslessFrame {
    /// A frame of JPEG Lossless, Process 14, Selection Value 1: every sample is foretold by the one to its left, and the
    /// code is made for the frame. ITU-T T.81 Annex H; PS3.5 §A.4.1.
    ///
    /// nil for a number of bytes that is not that of the pixels, and numbers out of range.
    ///
    /// - Parameters:
    ///   - bytes: pixel by pixel, each sample of `sampleBytes` bytes in little endian; bits from `precision` on are not
    ///     looked at.
    ///   - rows, columns: 1 to 65,535.
    ///   - samples: 1 to 4, in one scan.
    ///   - precision: 2 to 16, and to 8 where samples have one byte.
    package static func encoded(
        _ bytes: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int, precision: Int, isRGB: Bool = false
    ) -> [UInt8]? {
        guard (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), (1...4).contains(samples),
            sampleBytes == 1 || sampleBytes == 2, (2...8 * sampleBytes).contains(precision),
            bytes.count == rows * columns * samples * sampleBytes
        else { return nil }
        let differences = Self.differences(
            bytes, rows: rows, columns: columns, samples: samples, sampleBytes: sampleBytes, precision: precision)
        var frequencies = [Int](repeating: 0, count: 17)
        for difference in differences { frequencies[category(difference)] += 1 }
        let table = CodeTable(frequencies)
        func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
        let names: [UInt8] = isRGB && samples == 3 ? Array("RGB".utf8) : (1...samples).map { UInt8($0) }
        var out: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC3] + word(8 + 3 * samples) + [UInt8(precision)]
        out += word(rows) + word(columns) + [UInt8(samples)] + names.flatMap { [$0, 0x11, 0] }
        out += [0xFF, 0xC4] + word(19 + table.values.count) + [0] + table.counts + table.values
        out += [0xFF, 0xDA] + word(6 + 2 * samples) + [UInt8(samples)] + names.flatMap { [$0, 0] } + [1, 0, 0]
        out.reserveCapacity(out.count + bytes.count / 2)
        write(differences, table, into: &out)
        return out + [0xFF, 0xD9]
    }

    /// What each sample is beyond what is foretold, in 16 bits: the sample to its left, the one above at the begin of a
    /// line, half of the range at the begin of the first. §H.1.2.1.
    private static func differences(
        _ bytes: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int, precision: Int
    ) -> [Int16] {
        let mask = UInt16(truncatingIfNeeded: 1 << precision - 1)
        var out = [Int16](repeating: 0, count: rows * columns * samples)
        bytes.withUnsafeBufferPointer { bytes in
            func value(_ index: Int) -> UInt16 {
                let low = UInt16(bytes[index * sampleBytes])
                return (sampleBytes == 1 ? low : low | UInt16(bytes[index * 2 + 1]) << 8) & mask
            }
            for row in 0..<rows {
                let start = row * columns * samples
                for sample in 0..<samples {
                    var predicted =
                        row == 0 ? UInt16(1 << (precision - 1)) : value(start - columns * samples + sample)
                    for column in 0..<columns {
                        let index = start + column * samples + sample
                        let current = value(index)
                        out[index] = Int16(bitPattern: current &- predicted)
                        predicted = current
                    }
                }
            }
        }
        return out
    }

    /// Bits of a difference: 16 for -32,768, which is 32,768 as well. Table H.2.
    @inline(__always) private static func category(_ difference: Int16) -> Int {
        16 - difference.magnitude.leadingZeroBitCount
    }

    private static func write(_ differences: [Int16], _ table: CodeTable, into out: inout [UInt8]) {
        var pending: UInt64 = 0
        var count = 0
        func flush(_ out: inout [UInt8]) {
            while count >= 8 {
                count -= 8
                let byte = UInt8(truncatingIfNeeded: pending >> UInt64(count))
                out.append(byte)
                if byte == 0xFF { out.append(0) }
            }
        }
        for difference in differences {
            let bits = category(difference)
            pending = pending << UInt64(table.lengths[bits]) | UInt64(table.codes[bits])
            count += table.lengths[bits]
            // 32,768 has no bits of its own. §H.1.2.2.
            if bits > 0, bits < 16 {
                let value = difference < 0 ? Int(difference) - 1 : Int(difference)
                pending = pending << UInt64(bits) | UInt64(value & (1 << bits - 1))
                count += bits
            }
            flush(&out)
        }
        if count > 0 {
            // Filled up with ones. §F.1.2.3.
            let fill = 8 - count
            pending = pending << UInt64(fill) | UInt64(1 << fill - 1)
            count = 8
            flush(&out)
        }
    }

    /// A Huffman code of at most 16 bits for the categories, none of it all ones. §K.2.
    private struct CodeTable {
        /// Codes of each length, from 1 to 16.
        private(set) var counts: [UInt8]
        /// The categories in the order of their codes.
        private(set) var values: [UInt8]
        private(set) var codes = [Int](repeating: 0, count: 17)
        private(set) var lengths = [Int](repeating: 0, count: 17)

        init(_ frequencies: [Int]) {
            // One more, the rarest, takes the code of all ones.
            let sizes = Self.sizes(frequencies + [1])
            var numbers = [Int](repeating: 0, count: 33)
            for size in sizes where size > 0 { numbers[size] += 1 }
            for size in stride(from: 32, to: 16, by: -1) {
                while numbers[size] > 0 {
                    var shorter = size - 2
                    while numbers[shorter] == 0 { shorter -= 1 }
                    numbers[size] -= 2
                    numbers[size - 1] += 1
                    numbers[shorter + 1] += 2
                    numbers[shorter] -= 1
                }
            }
            if let longest = numbers.lastIndex(where: { $0 > 0 }) { numbers[longest] -= 1 }
            counts = numbers[1...16].map { UInt8($0) }
            values = (0...16).filter { sizes[$0] > 0 }.sorted { (sizes[$0], $0) < (sizes[$1], $1) }.map { UInt8($0) }
            var (code, next) = (0, 0)
            for (index, number) in counts.enumerated() {
                for _ in 0..<number where next < values.count {
                    codes[Int(values[next])] = code
                    lengths[Int(values[next])] = index + 1
                    code += 1
                    next += 1
                }
                code <<= 1
            }
        }

        /// Lengths of a code without a limit; 0 for what does not occur.
        private static func sizes(_ frequencies: [Int]) -> [Int] {
            var sizes = [Int](repeating: 0, count: frequencies.count)
            var trees = frequencies.indices.filter { frequencies[$0] > 0 }.map { (frequencies[$0], [$0]) }
            while trees.count > 1 {
                // The least frequent first; of equals the last, so that the added one is the deepest.
                trees.sort { ($0.0, $1.1[0]) < ($1.0, $0.1[0]) }
                let joined = (trees[0].0 + trees[1].0, trees[0].1 + trees[1].1)
                for symbol in joined.1 { sizes[symbol] += 1 }
                trees.removeFirst(2)
                trees.append(joined)
            }
            return sizes
        }
    }
}
