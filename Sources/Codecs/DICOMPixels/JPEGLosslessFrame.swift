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
        decoder.clearUnused()
        return NativeSamples.littleEndian(decoder.values, sampleBytes: sampleBytes)
    }

    private struct Decoder {
        let bytes: [UInt8]
        let rows: Int
        let columns: Int
        let samples: Int
        /// Pixel by pixel.
        var values: [UInt16] = []
        var frame: JPEGFrameHeader?
        var precision: Int { frame?.precision ?? 0 }
        var tables = JPEGHuffmanTables()
        /// Tables for AC coefficients have no use here, but may stand in the same segment.
        var unused = JPEGHuffmanTables()
        var restartInterval = 0
        var decoded: Set<Int> = []

        mutating func decode() -> Bool {
            guard var segments = JPEGMarkerSegments(bytes) else { return false }
            while let (marker, body, _) = segments.next() {
                switch marker {
                case 0xC3:
                    guard frame == nil,
                        let header = JPEGFrameHeader(body, rows: rows, columns: columns, samples: samples)
                    else { return false }
                    frame = header
                    values = [UInt16](repeating: 0, count: rows * columns * samples)
                case 0xC4: guard JPEGHuffmanTables.read(body, &tables, &unused) else { return false }
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

        /// Clears the bits above the precision. Differences are modulo 2^16 whatever the precision is, so that damage,
        /// and an encoder that was given a sign extended over its words, set them. T.81 §H.1.2.1.
        mutating func clearUnused() {
            guard precision < 16 else { return }
            let mask = UInt16(1 << precision - 1)
            for index in values.indices { values[index] &= mask }
        }

        /// One scan; the position behind it. T.81 §B.2.3, §H.1.2, §H.2.
        private mutating func scan(_ body: [UInt8], from start: Int) -> Int? {
            guard let header = JPEGScanHeader(body, of: frame, decoded: &decoded) else { return nil }
            let scan = Scan(
                places: header.components.map(\.place), codes: header.components.map { Int($0.tables >> 4) & 3 },
                predictor: Int(header.parameters[0]), transform: Int(header.parameters[2] & 15))
            guard (1...7).contains(scan.predictor), scan.transform < precision,
                scan.codes.allSatisfy({ tables.counts[$0] > 0 }),
                restartInterval == 0 || columns > 0 && restartInterval % columns == 0
            else { return nil }
            var values = self.values
            self.values = []
            defer { self.values = values }
            let end = tables.withPointers { tables in
                bytes.withUnsafeBufferPointer { bytes in
                    values.withUnsafeMutableBufferPointer { values -> Int? in
                        guard let base = bytes.baseAddress, let first = values.baseAddress else { return nil }
                        var bits = JPEGScanBits(base, count: bytes.count, from: start)
                        return lines(scan, tables, &bits, into: first) ? bits.position : nil
                    }
                }
            }
            if end != nil, scan.transform > 0 {
                for place in scan.places {
                    for at in stride(from: place, to: values.count, by: samples) {
                        values[at] <<= UInt16(scan.transform)
                    }
                }
            }
            return end
        }

        private struct Scan {
            let places: [Int]
            let codes: [Int]
            let predictor: Int
            let transform: Int
        }

        /// All lines of a scan. The first line, and each line behind a restart, is predicted from the left alone.
        private func lines(
            _ scan: Scan, _ tables: JPEGHuffmanTables.Pointers, _ bits: inout JPEGScanBits,
            into values: UnsafeMutablePointer<UInt16>
        ) -> Bool {
            let restartLines = columns > 0 ? restartInterval / columns : 0
            let stride = columns * samples
            for row in 0..<rows {
                var isFirstLine = row == 0
                if restartLines > 0, row > 0, row % restartLines == 0 {
                    guard bits.restart() else { return false }
                    isFirstLine = true
                }
                let line = values + row * stride
                // A line of one component has all in registers; lines of several go from one to the next.
                var isWhole: Bool
                if scan.places.count == 1, let place = scan.places.first, let code = scan.codes.first {
                    let predictor = isFirstLine ? 1 : scan.predictor
                    let first = isFirstLine ? 1 << (precision - scan.transform - 1) : Int((line + place - stride)[0])
                    isWhole = Self.line(
                        line + place, columns, samples, stride, predictor, first, tables, code, &bits)
                } else {
                    isWhole = mixedLine(line, stride, scan, isFirstLine, tables, &bits)
                }
                guard isWhole, !bits.isOverrun else { return false }
            }
            return true
        }

        /// One line of one component; `first` is what its first sample is predicted from.
        @inline(__always)
        private static func line(
            _ line: UnsafeMutablePointer<UInt16>, _ columns: Int, _ step: Int, _ stride: Int, _ predictor: Int,
            _ first: Int, _ tables: JPEGHuffmanTables.Pointers, _ code: Int, _ bits: inout JPEGScanBits
        ) -> Bool {
            var local = bits
            defer { bits = local }
            var at = line
            var wrong = 0
            var left = first
            for column in 0..<columns {
                local.fill()
                let size = local.symbol(tables, code)
                // -1 and what is above 16 stay in the sum of all.
                wrong |= size | (16 &- size)
                let difference = size >= 16 ? 32_768 : local.number(max(0, size))
                let predicted =
                    predictor == 1 || column == 0
                    ? left : prediction(predictor, left, Int((at - stride)[0]), Int((at - stride - step)[0]))
                let value = UInt16(truncatingIfNeeded: predicted &+ difference)
                at[0] = value
                left = Int(value)
                at += step
            }
            return wrong >= 0
        }

        /// One line of several components, pixel by pixel.
        private func mixedLine(
            _ line: UnsafeMutablePointer<UInt16>, _ stride: Int, _ scan: Scan, _ isFirstLine: Bool,
            _ tables: JPEGHuffmanTables.Pointers, _ bits: inout JPEGScanBits
        ) -> Bool {
            var isWhole = true
            for column in 0..<columns {
                for index in 0..<scan.places.count {
                    bits.fill()
                    let size = bits.symbol(tables, scan.codes[index])
                    isWhole = isWhole && size >= 0 && size <= 16
                    // T.81 Table H.2: the number of bits, then the bits; 16 has none.
                    let difference = size == 16 ? 32_768 : bits.number(max(0, min(size, 15)))
                    let at = line + (column &* samples &+ scan.places[index])
                    let predicted: Int
                    if column == 0 {
                        predicted = isFirstLine ? 1 << (precision - scan.transform - 1) : Int((at - stride)[0])
                    } else if isFirstLine {
                        predicted = Int((at - samples)[0])
                    } else {
                        predicted = Self.prediction(
                            scan.predictor, Int((at - samples)[0]), Int((at - stride)[0]),
                            Int((at - stride - samples)[0]))
                    }
                    at[0] = UInt16(truncatingIfNeeded: predicted &+ difference)
                }
            }
            return isWhole
        }

        /// T.81 Table H.1.
        @inline(__always)
        private static func prediction(_ predictor: Int, _ a: Int, _ b: Int, _ c: Int) -> Int {
            switch predictor {
            case 1: a
            case 2: b
            case 3: c
            case 4: a &+ b &- c
            case 5: a &+ ((b &- c) >> 1)
            case 6: b &+ ((a &- c) >> 1)
            default: (a &+ b) >> 1
            }
        }
    }
}
