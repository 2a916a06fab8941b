/// A frame of JPEG Lossless, Process 14 with any predictor, as native pixels. ITU-T T.81 Annex H; PS3.5 §A.4.1.
package enum JPEGLosslessFrame {
    /// The samples of a frame, pixel by pixel, each of `sampleBytes` bytes in little endian, unused high bits zero; nil when
    /// the bytes are no such codestream or of another size.
    package static func decoded(
        _ frame: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int
    ) -> [UInt8]? {
        guard NativeSamples.areFew(rows: rows, columns: columns, samples: samples) else { return nil }
        var decoder = Decoder(bytes: frame, rows: rows, columns: columns, samples: samples)
        guard decoder.decode(), decoder.precision <= 8 * sampleBytes else { return nil }
        return NativeSamples.littleEndian(decoder.values, sampleBytes: sampleBytes)
    }

    /// A Huffman table. T.81 §C.2, §F.2.2.3.
    private struct Huffman {
        /// The greatest code of each length, -1 where there is none, and what to add to a code to get its place.
        private var greatest = [Int](repeating: -1, count: 17)
        private var shift = [Int](repeating: 0, count: 17)
        private let symbols: [UInt8]

        init?(counts: ArraySlice<UInt8>, symbols: ArraySlice<UInt8>) {
            var code = 0
            var place = 0
            for (index, count) in counts.enumerated() {
                shift[index + 1] = place - code
                code += Int(count)
                place += Int(count)
                guard code <= 1 << (index + 1) else { return nil }
                if count > 0 { greatest[index + 1] = code - 1 }
                code <<= 1
            }
            guard place == symbols.count else { return nil }
            self.symbols = Array(symbols)
        }

        func next(_ bits: inout JPEGCodedBits) -> Int? {
            var code = 0
            for length in 1...16 {
                guard let bit = bits.read(1) else { return nil }
                code = code << 1 | bit
                if code <= greatest[length] {
                    let place = code + shift[length]
                    return place >= 0 && place < symbols.count ? Int(symbols[place]) : nil
                }
            }
            return nil
        }
    }

    private struct Decoder {
        let bytes: [UInt8]
        let rows: Int
        let columns: Int
        let samples: Int
        /// Pixel by pixel.
        var values: [UInt16] = []
        private var frame: JPEGFrameHeader?
        var precision: Int { frame?.precision ?? 0 }
        private var tables = [Huffman?](repeating: nil, count: 4)
        private var restartInterval = 0
        private var decoded: Set<Int> = []

        init(bytes: [UInt8], rows: Int, columns: Int, samples: Int) {
            self.bytes = bytes
            self.rows = rows
            self.columns = columns
            self.samples = samples
        }

        mutating func decode() -> Bool {
            guard var segments = JPEGMarkerSegments(bytes) else { return false }
            while let (marker, body) = segments.next() {
                switch marker {
                case 0xC3:
                    guard frame == nil,
                        let header = JPEGFrameHeader(body, rows: rows, columns: columns, samples: samples)
                    else { return false }
                    frame = header
                    values = [UInt16](repeating: 0, count: rows * columns * samples)
                case 0xC4: guard huffman(body[...]) else { return false }
                case 0xDD:
                    guard body.count == 2 else { return false }
                    restartInterval = Int(body[0]) << 8 | Int(body[1])
                case 0xDA:
                    guard let next = scan(body, from: segments.position) else { return false }
                    segments.position = next
                    if decoded.count == samples { return true }
                // Other processes, and arithmetic coding.
                case 0xC0...0xCF: return false
                default: continue
                }
            }
            return false
        }

        /// T.81 §B.2.4.2.
        private mutating func huffman(_ body: ArraySlice<UInt8>) -> Bool {
            var rest = body
            while !rest.isEmpty {
                guard rest.count >= 17 else { return false }
                let place = Int(rest[rest.startIndex])
                let counts = rest[(rest.startIndex + 1)..<(rest.startIndex + 17)]
                let count = counts.reduce(0) { $0 + Int($1) }
                let start = rest.startIndex + 17
                guard place < 4, start + count <= rest.endIndex,
                    let table = Huffman(counts: counts, symbols: rest[start..<start + count])
                else { return false }
                tables[place] = table
                rest = rest[(start + count)...]
            }
            return true
        }

        /// One scan; the position behind it. T.81 §B.2.3, §H.1.2, §H.2.
        private mutating func scan(_ body: [UInt8], from start: Int) -> Int? {
            guard let header = JPEGScanHeader(body, of: frame, decoded: &decoded) else { return nil }
            var places: [(Int, Huffman)] = []
            for component in header.components {
                guard let table = tables[Int(component.tables >> 4) & 3] else { return nil }
                places.append((component.place, table))
            }
            let predictor = Int(header.parameters[0])
            let transform = Int(header.parameters[2] & 15)
            guard (1...7).contains(predictor), transform < precision else { return nil }
            var bits = JPEGCodedBits(bytes, from: start, stuffing: .byte)
            var left = restartInterval
            // The first line, and each line behind a restart, is predicted from the left alone.
            var isFirstLine = true
            for row in 0..<rows {
                for column in 0..<columns {
                    if restartInterval > 0 {
                        if left == 0 {
                            guard column == 0, bits.restart() else { return nil }
                            left = restartInterval
                            isFirstLine = true
                        }
                        left -= 1
                    }
                    for (place, code) in places {
                        guard let difference = difference(&bits, code) else { return nil }
                        let at = (row * columns + column) * samples + place
                        let predicted: Int
                        if column == 0 {
                            predicted =
                                isFirstLine ? 1 << (precision - transform - 1) : Int(values[at - columns * samples])
                        } else if isFirstLine {
                            predicted = Int(values[at - samples])
                        } else {
                            predicted = prediction(
                                predictor, Int(values[at - samples]), Int(values[at - columns * samples]),
                                Int(values[at - (columns + 1) * samples]))
                        }
                        values[at] = UInt16(truncatingIfNeeded: predicted + difference)
                    }
                }
                isFirstLine = false
            }
            if transform > 0 {
                for at in values.indices where places.contains(where: { $0.0 == at % samples }) {
                    values[at] <<= UInt16(transform)
                }
            }
            return bits.end
        }

        /// T.81 Table H.1.
        private func prediction(_ predictor: Int, _ a: Int, _ b: Int, _ c: Int) -> Int {
            switch predictor {
            case 1: a
            case 2: b
            case 3: c
            case 4: a + b - c
            case 5: a + ((b - c) >> 1)
            case 6: b + ((a - c) >> 1)
            default: (a + b) >> 1
            }
        }

        /// T.81 Table H.2: the number of bits, then the bits.
        private func difference(_ bits: inout JPEGCodedBits, _ code: Huffman) -> Int? {
            guard let size = code.next(&bits), size <= 16 else { return nil }
            if size == 0 { return 0 }
            if size == 16 { return 32_768 }
            guard let raw = bits.read(size) else { return nil }
            return raw < 1 << (size - 1) ? raw - (1 << size) + 1 : raw
        }
    }
}
