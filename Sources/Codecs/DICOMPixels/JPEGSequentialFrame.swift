/// A frame of JPEG's sequential DCT with Huffman codes, of 8 or 12 bits: Baseline and Extended, Processes 1, 2 and 4.
/// ITU-T T.81 Annexes B and F; PS3.5 §A.4.1.
///
/// Samples are as coded: no colour transformation is undone. A component of fewer samples than the image is repeated.
package enum JPEGSequentialFrame {
    /// The samples of a frame, pixel by pixel, each of `sampleBytes` bytes in little endian, unused high bits zero; nil
    /// when the bytes are no such codestream (progressive and arithmetic ones are others) or of another size.
    package static func decoded(
        _ frame: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int
    ) -> [UInt8]? {
        guard NativeSamples.areFew(rows: rows, columns: columns, samples: samples), rows > 0, columns > 0 else {
            return nil
        }
        var decoder = Decoder(bytes: frame, rows: rows, columns: columns, samples: samples)
        guard decoder.decode(), decoder.precision <= 8 * sampleBytes else { return nil }
        return NativeSamples.littleEndian(decoder.pixels(), sampleBytes: sampleBytes)
    }

    /// One component and its samples so far, padded to whole MCUs. T.81 §A.1.1.
    private struct Component {
        let id: UInt8
        /// Samples of an MCU in each direction, 1 to 4.
        let across: Int
        let down: Int
        let table: Int
        /// Samples of the component itself, and of whole MCUs.
        var columns = 0
        var rows = 0
        var stride = 0
        var values: [UInt16] = []
        var isDecoded = false
    }

    private struct Decoder {
        let bytes: [UInt8]
        let rows: Int
        let columns: Int
        let samples: Int
        var precision = 0
        var components: [Component] = []
        var maxAcross = 1
        var maxDown = 1
        var dc = JPEGHuffmanTables()
        var ac = JPEGHuffmanTables()
        /// In zigzag order.
        var quantization = [[Int32]?](repeating: nil, count: 4)
        var restartInterval = 0

        mutating func decode() -> Bool {
            guard var segments = JPEGMarkerSegments(bytes) else { return false }
            while let (marker, body, _) = segments.next() {
                switch marker {
                case 0xC0, 0xC1: guard readFrame(body, isBaseline: marker == 0xC0) else { return false }
                case 0xC4: guard JPEGHuffmanTables.read(body, &dc, &ac) else { return false }
                case 0xDB: guard readQuantization(body) else { return false }
                case 0xDD:
                    guard body.count == 2 else { return false }
                    restartInterval = Int(body[0]) << 8 | Int(body[1])
                case 0xDA:
                    guard let next = scan(body, from: segments.position) else { return false }
                    segments.position = next
                    if components.allSatisfy(\.isDecoded) { return true }
                // Other processes, arithmetic coding, and a number of lines behind the first scan.
                case 0xC2...0xCF, 0xDC: return false
                default: continue
                }
            }
            return false
        }

        /// T.81 §B.2.2.
        private mutating func readFrame(_ body: [UInt8], isBaseline: Bool) -> Bool {
            guard components.isEmpty, body.count == 6 + 3 * samples, Int(body[5]) == samples, samples >= 1,
                Int(body[1]) << 8 | Int(body[2]) == rows, Int(body[3]) << 8 | Int(body[4]) == columns,
                body[0] == 8 || body[0] == 12 && !isBaseline
            else { return false }
            precision = Int(body[0])
            for index in 0..<samples {
                let factors = body[7 + 3 * index]
                let component = Component(
                    id: body[6 + 3 * index], across: Int(factors >> 4), down: Int(factors & 15),
                    table: Int(body[8 + 3 * index]))
                guard (1...4).contains(component.across), (1...4).contains(component.down), component.table < 4,
                    !components.contains(where: { $0.id == component.id })
                else { return false }
                components.append(component)
            }
            maxAcross = components.map(\.across).max() ?? 1
            maxDown = components.map(\.down).max() ?? 1
            for index in components.indices {
                let (across, down) = (components[index].across, components[index].down)
                components[index].columns = (columns * across + maxAcross - 1) / maxAcross
                components[index].rows = (rows * down + maxDown - 1) / maxDown
                components[index].stride = (columns + 8 * maxAcross - 1) / (8 * maxAcross) * 8 * across
                let padded = (rows + 8 * maxDown - 1) / (8 * maxDown) * 8 * down
                components[index].values = [UInt16](repeating: 0, count: components[index].stride * padded)
            }
            return true
        }

        /// T.81 §B.2.4.1.
        private mutating func readQuantization(_ body: [UInt8]) -> Bool {
            var rest = body[...]
            while let head = rest.first {
                let size = head >> 4 == 0 ? 1 : 2
                guard head >> 4 <= 1, head & 15 < 4, rest.count >= 1 + 64 * size else { return false }
                let first = rest.startIndex + 1
                quantization[Int(head & 15)] = (0..<64).map { index in
                    size == 1
                        ? Int32(rest[first + index])
                        : Int32(rest[first + 2 * index]) << 8 | Int32(rest[first + 2 * index + 1])
                }
                rest = rest[(first + 64 * size)...]
            }
            return true
        }

        /// A component of a scan with its tables.
        private struct Part {
            let place: Int
            let dc: Int
            let ac: Int
            let quantization: [Int32]
            /// Blocks of it in an MCU.
            let across: Int
            let down: Int
        }

        /// One scan; the position behind it. T.81 §B.2.3, §A.2, §F.2.2.
        private mutating func scan(_ body: [UInt8], from start: Int) -> Int? {
            // The last three bytes can only be 0, 63 and 0 here; files that say otherwise mean nothing else by it.
            guard let count = body.first.map(Int.init), (1...4).contains(count), body.count == 4 + 2 * count else {
                return nil
            }
            var parts: [Part] = []
            for index in 0..<count {
                guard let place = components.firstIndex(where: { $0.id == body[1 + 2 * index] }),
                    !components[place].isDecoded, let table = quantization[components[place].table]
                else { return nil }
                components[place].isDecoded = true
                let (first, second) = (Int(body[2 + 2 * index] >> 4), Int(body[2 + 2 * index] & 15))
                guard first < 4, second < 4, dc.counts[first] > 0, ac.counts[second] > 0 else { return nil }
                let isAlone = count == 1
                parts.append(
                    Part(
                        place: place, dc: first, ac: second, quantization: table,
                        across: isAlone ? 1 : components[place].across, down: isAlone ? 1 : components[place].down))
            }
            guard parts.reduce(0, { $0 + $1.across * $1.down }) <= 10 || count == 1 else { return nil }
            // A scan of one component has no blocks beyond the component's own. §A.2.2.
            let one = count == 1 ? components[parts[0].place] : nil
            let mcusAcross = one.map { ($0.columns + 7) / 8 } ?? (columns + 8 * maxAcross - 1) / (8 * maxAcross)
            let mcusDown = one.map { ($0.rows + 7) / 8 } ?? (rows + 8 * maxDown - 1) / (8 * maxDown)
            return dc.withPointers { dc in
                ac.withPointers { ac in
                    bytes.withUnsafeBufferPointer { bytes -> Int? in
                        guard let base = bytes.baseAddress else { return nil }
                        let bits = JPEGScanBits(base, count: bytes.count, from: start)
                        return read(parts, mcusAcross, mcusDown, bits, dc, ac)
                    }
                }
            }
        }

        private mutating func read(
            _ parts: [Part], _ mcusAcross: Int, _ mcusDown: Int, _ start: JPEGScanBits,
            _ dc: JPEGHuffmanTables.Pointers, _ ac: JPEGHuffmanTables.Pointers
        ) -> Int? {
            var bits = start
            var last = [Int](repeating: 0, count: parts.count)
            var left = restartInterval
            var block = JPEGBlock(precision: precision)
            for y in 0..<mcusDown {
                for x in 0..<mcusAcross {
                    if restartInterval > 0 {
                        if left == 0 {
                            guard bits.restart() else { return nil }
                            left = restartInterval
                            for index in last.indices { last[index] = 0 }
                        }
                        left -= 1
                    }
                    for (index, part) in parts.enumerated() {
                        for row in 0..<part.down {
                            for column in 0..<part.across {
                                guard
                                    block.read(
                                        &bits, dc, part.dc, ac, part.ac, part.quantization, last: &last[index])
                                else { return nil }
                                let stride = components[part.place].stride
                                let at = (y * part.down + row) * 8 * stride + (x * part.across + column) * 8
                                block.transform(into: &components[part.place].values, at: at, stride: stride)
                            }
                        }
                    }
                }
                if bits.isOverrun { return nil }
            }
            return bits.position
        }

        /// All components, pixel by pixel.
        func pixels() -> [UInt16] {
            var out = [UInt16](repeating: 0, count: rows * columns * samples)
            for (place, component) in components.enumerated() {
                for row in 0..<rows {
                    let line = row * component.down / maxDown * component.stride
                    var at = row * columns * samples + place
                    for column in 0..<columns {
                        out[at] = component.values[line + column * component.across / maxAcross]
                        at += samples
                    }
                }
            }
            return out
        }
    }
}
