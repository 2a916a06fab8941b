/// A frame of JPEG-LS Lossless as native pixels. ITU-T T.87 Annexes A and C; PS3.5 §A.4.3.
package enum JPEGLSFrame {
    /// The samples of a frame, pixel by pixel, each of `sampleBytes` bytes in little endian, unused high bits zero; nil when
    /// the bytes are no such codestream, a near-lossless one, one with mapping tables, or of another size.
    package static func decoded(
        _ frame: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int
    ) -> [UInt8]? {
        guard NativeSamples.areFew(rows: rows, columns: columns, samples: samples) else { return nil }
        var decoder = Decoder(bytes: frame, rows: rows, columns: columns, samples: samples)
        guard decoder.decode(), decoder.precision <= 8 * sampleBytes else { return nil }
        return NativeSamples.littleEndian(decoder.values, sampleBytes: sampleBytes)
    }

    /// What was learned of one context. T.87 §A.2.1.
    private struct Context {
        var a: Int
        var b = 0
        var c = 0
        var n = 1
    }

    private struct Decoder {
        let bytes: [UInt8]
        let rows: Int
        let columns: Int
        let samples: Int
        /// Pixel by pixel.
        var values: [Int] = []
        var frame: JPEGFrameHeader?
        var precision: Int { frame?.precision ?? 0 }
        var decoded: Set<Int> = []
        var reset = 64
        /// T1 to T3 where the codestream gives them.
        var givenThresholds: [Int]?
        var maximum = 0

        // Of the scan. T.87 §A.2.
        var thresholds = [3, 7, 21]
        var range = 0
        var limit = 0
        var contexts: [Context] = []
        var bits = JPEGLSBits([], from: 0)

        mutating func decode() -> Bool {
            guard var segments = JPEGMarkerSegments(bytes) else { return false }
            while let (marker, body, _) = segments.next() {
                switch marker {
                case 0xF7:
                    guard frame == nil,
                        let header = JPEGFrameHeader(body, rows: rows, columns: columns, samples: samples)
                    else { return false }
                    frame = header
                    maximum = (1 << header.precision) - 1
                    values = [Int](repeating: 0, count: rows * columns * samples)
                case 0xF8: guard parameters(body) else { return false }
                case 0xDD: guard body.allSatisfy({ $0 == 0 }) else { return false }
                case 0xDA:
                    guard scan(body, from: segments.position) else { return false }
                    segments.position = bits.end
                    if decoded.count == samples { return true }
                // A colour transform of one maker's own.
                case 0xE8 where body.starts(with: Array("mrfx".utf8)) && body.count > 4 && body[4] != 0: return false
                case 0xC0...0xCF: return false
                default: continue
                }
            }
            return false
        }

        /// Preset parameters; mapping tables and larger sizes are not read. T.87 §C.2.4.1.
        private mutating func parameters(_ body: [UInt8]) -> Bool {
            guard body.first == 1, body.count == 11, frame != nil else { return false }
            let words = (0..<5).map { Int(body[1 + 2 * $0]) << 8 | Int(body[2 + 2 * $0]) }
            if words[0] != 0 {
                guard words[0] < 1 << precision else { return false }
                maximum = words[0]
            }
            if words[1] != 0 || words[2] != 0 || words[3] != 0 {
                let usual = Self.thresholds(maximum)
                givenThresholds = (0..<3).map { words[1 + $0] == 0 ? usual[$0] : words[1 + $0] }
            }
            if words[4] != 0 {
                guard words[4] >= 3 else { return false }
                reset = words[4]
            }
            return true
        }

        /// T.87 §C.2.4.1.1.1, for NEAR of 0.
        private static func thresholds(_ maximum: Int) -> [Int] {
            func clamped(_ value: Int, _ low: Int) -> Int { value > maximum || value < low ? low : value }
            if maximum >= 128 {
                let factor = (min(maximum, 4095) + 128) / 256
                let first = clamped(factor + 2, 1)
                let second = clamped(factor * 4 + 3, first)
                return [first, second, clamped(factor * 17 + 4, second)]
            }
            let factor = 256 / (maximum + 1)
            let first = clamped(max(2, 3 / factor), 1)
            let second = clamped(max(3, 7 / factor), first)
            return [first, second, clamped(max(4, 21 / factor), second)]
        }

        /// One scan. T.87 §A.2.1, §B, §C.2.3.
        private mutating func scan(_ body: [UInt8], from start: Int) -> Bool {
            guard let header = JPEGScanHeader(body, of: frame, decoded: &decoded),
                header.components.allSatisfy({ $0.tables == 0 })
            else { return false }
            let places = header.components.map(\.place)
            let count = places.count
            let interleave = Int(header.parameters[1])
            guard header.parameters[0] == 0, header.parameters[2] & 15 == 0, interleave <= 2,
                interleave > 0 || count == 1
            else { return false }
            thresholds = givenThresholds ?? Self.thresholds(maximum)
            range = maximum + 1
            let bitsPerSample = max(2, Self.bits(range))
            limit = 2 * (bitsPerSample + max(8, bitsPerSample))
            contexts = [Context](repeating: Context(a: max(2, (range + 32) / 64)), count: 367)
            bits = JPEGLSBits(bytes, from: start)
            // Each line with a sample before its first and one behind its last.
            var above = [[Int]](repeating: [Int](repeating: 0, count: columns + 2), count: count)
            var runs = [Int](repeating: 0, count: count)
            for row in 0..<rows {
                var lines = above
                for index in 0..<count {
                    lines[index][0] = above[index][1]
                    above[index][columns + 1] = above[index][columns]
                }
                if interleave == 2 {
                    guard byPixel(&lines, above, &runs[0]) else { return false }
                } else {
                    for index in 0..<count {
                        guard line(&lines[index], above[index], &runs[index]) else { return false }
                    }
                }
                for (index, place) in places.enumerated() {
                    for column in 0..<columns {
                        values[(row * columns + column) * samples + place] = lines[index][column + 1]
                    }
                }
                above = lines
            }
            return true
        }

        /// Bits to say a number below a bound.
        private static func bits(_ range: Int) -> Int {
            var bits = 0
            while 1 << bits < range { bits += 1 }
            return bits
        }

        private mutating func line(_ line: inout [Int], _ above: [Int], _ run: inout Int) -> Bool {
            var column = 1
            while column <= columns {
                let (a, b, c, d) = (line[column - 1], above[column], above[column - 1], above[column + 1])
                let context = context(d - b, b - c, c - a)
                if context == 0 {
                    guard let length = runLength(columns - column + 1, &run) else { return false }
                    for index in column..<column + length { line[index] = a }
                    column += length
                    if column > columns { return true }
                    guard let value = interruption(line[column - 1], above[column], run, isOwn: true) else {
                        return false
                    }
                    line[column] = value
                    run = max(0, run - 1)
                } else {
                    guard let value = sample(context, a, b, c) else { return false }
                    line[column] = value
                }
                column += 1
            }
            return true
        }

        /// Components together: a run is one of all of them. T.87 §B.3.
        private mutating func byPixel(_ lines: inout [[Int]], _ above: [[Int]], _ run: inout Int) -> Bool {
            var column = 1
            while column <= columns {
                let found = lines.indices.map { index in
                    let (line, up) = (lines[index], above[index])
                    return context(
                        up[column + 1] - up[column], up[column] - up[column - 1], up[column - 1] - line[column - 1])
                }
                if found.allSatisfy({ $0 == 0 }) {
                    guard let length = runLength(columns - column + 1, &run) else { return false }
                    for index in lines.indices {
                        for place in column..<column + length { lines[index][place] = lines[index][column - 1] }
                    }
                    column += length
                    if column > columns { return true }
                    for index in lines.indices {
                        guard
                            let value = interruption(
                                lines[index][column - 1], above[index][column], run, isOwn: false)
                        else { return false }
                        lines[index][column] = value
                    }
                    run = max(0, run - 1)
                } else {
                    for index in lines.indices {
                        guard
                            let value = sample(
                                found[index], lines[index][column - 1], above[index][column], above[index][column - 1])
                        else { return false }
                        lines[index][column] = value
                    }
                }
                column += 1
            }
            return true
        }

        /// The signed number of a context, 0 for a run. T.87 §A.3.3, §A.3.4.
        private func context(_ d1: Int, _ d2: Int, _ d3: Int) -> Int {
            if d1 == 0, d2 == 0, d3 == 0 { return 0 }
            return 81 * quantized(d1) + 9 * quantized(d2) + quantized(d3)
        }

        private func quantized(_ gradient: Int) -> Int {
            let size = abs(gradient)
            let step =
                size == 0 ? 0 : size < thresholds[0] ? 1 : size < thresholds[1] ? 2 : size < thresholds[2] ? 3 : 4
            return gradient < 0 ? -step : step
        }

        /// One sample outside of runs. T.87 §A.4 to §A.6.
        private mutating func sample(_ signed: Int, _ a: Int, _ b: Int, _ c: Int) -> Int? {
            let sign = signed < 0 ? -1 : 1
            let place = abs(signed)
            var context = contexts[place]
            var predicted = c >= max(a, b) ? min(a, b) : c <= min(a, b) ? max(a, b) : a + b - c
            predicted = min(max(predicted + sign * context.c, 0), maximum)
            var k = 0
            while context.n << k < context.a { k += 1 }
            guard k < 32, let mapped = golomb(k, limit) else { return nil }
            let isTurned = k == 0 && 2 * context.b <= -context.n
            let isOdd = mapped & 1 == 1
            let error = isOdd == isTurned ? mapped >> 1 : -(mapped >> 1) - 1
            context.b += error
            context.a += abs(error)
            if context.n == reset {
                context.a >>= 1
                context.b >>= 1
                context.n >>= 1
            }
            context.n += 1
            if context.b <= -context.n {
                context.b = max(context.b + context.n, 1 - context.n)
                if context.c > -128 { context.c -= 1 }
            } else if context.b > 0 {
                context.b = min(context.b - context.n, 0)
                if context.c < 127 { context.c += 1 }
            }
            contexts[place] = context
            return inRange(predicted + sign * error)
        }

        private func inRange(_ value: Int) -> Int? {
            let value = value < 0 ? value + range : value > maximum ? value - range : value
            return (0...maximum).contains(value) ? value : nil
        }

        /// T.87 §A.5.3.
        private mutating func golomb(_ k: Int, _ limit: Int) -> Int? {
            var zeros = 0
            let size = Self.bits(range)
            while true {
                guard let bit = bits.read(1) else { return nil }
                if bit == 1 { break }
                zeros += 1
                if zeros > limit { return nil }
            }
            if zeros < limit - size - 1 {
                guard k > 0 else { return zeros }
                return bits.read(k).map { zeros << k | $0 }
            }
            return bits.read(size).map { $0 + 1 }
        }

        private static let runBits = [
            0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        ]

        /// How many samples are as the last. T.87 §A.7.1.
        private mutating func runLength(_ left: Int, _ run: inout Int) -> Int? {
            var length = 0
            while true {
                guard let bit = bits.read(1) else { return nil }
                let step = 1 << Self.runBits[run]
                if bit == 0 {
                    guard Self.runBits[run] > 0 else { return length < left ? length : nil }
                    guard let rest = bits.read(Self.runBits[run]), length + rest < left else { return nil }
                    return length + rest
                }
                // Only a whole step makes the next one longer.
                if step > left - length { return left }
                length += step
                if run < 31 { run += 1 }
                if length == left { return left }
            }
        }

        /// The sample that ends a run. T.87 §A.7.2.
        ///
        /// - Parameter isOwn: the run is one of this component alone.
        private mutating func interruption(_ a: Int, _ b: Int, _ run: Int, isOwn: Bool) -> Int? {
            let kind = isOwn && a == b ? 1 : 0
            let sign = kind == 0 && a > b ? -1 : 1
            var context = contexts[365 + kind]
            let sum = kind == 0 ? context.a : context.a + context.n >> 1
            var k = 0
            while context.n << k < sum { k += 1 }
            guard k < 32, let mapped = golomb(k, limit - Self.runBits[run] - 1) else { return nil }
            let whole = mapped + kind
            let map = whole & 1
            let size = (whole + map) / 2
            // Here B counts the negative errors.
            let error = (k != 0 || 2 * context.b >= context.n) == (map == 1) ? -size : size
            if error < 0 { context.b += 1 }
            context.a += (mapped + 1 - kind) >> 1
            if context.n == reset {
                context.a >>= 1
                context.b >>= 1
                context.n >>= 1
            }
            context.n += 1
            contexts[365 + kind] = context
            return inRange((kind == 1 ? a : b) + sign * error)
        }
    }
}
