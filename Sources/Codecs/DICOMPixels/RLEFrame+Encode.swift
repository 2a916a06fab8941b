extension RLEFrame {
    /// A frame of RLE Lossless. PS3.5 §G.3 to §G.5.
    ///
    /// Each line of each segment is packed by itself and each segment has an even number of bytes. nil for more than 15
    /// segments, for a number of bytes that is not that of the pixels, and where the frame gets 4 GiB or more.
    ///
    /// - Parameters:
    ///   - bytes: pixel by pixel, each sample of `sampleBytes` bytes in little endian.
    ///   - rows, columns: both at least 1.
    package static func encoded(
        _ bytes: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int
    ) -> [UInt8]? {
        guard rows >= 1, columns >= 1, samples >= 1, sampleBytes >= 1, rows <= 0xFFFF, columns <= 0xFFFF,
            samples <= 15, samples * sampleBytes <= 15, bytes.count == rows * columns * samples * sampleBytes
        else { return nil }
        let segments = samples * sampleBytes
        var out = [UInt8](repeating: 0, count: 64)
        put(segments, at: 0, in: &out)
        var line = [UInt8](repeating: 0, count: columns)
        for segment in 0..<segments {
            guard out.count <= Int(UInt32.max) else { return nil }
            put(out.count, at: 4 + 4 * segment, in: &out)
            let place = segment / sampleBytes * sampleBytes + (sampleBytes - 1 - segment % sampleBytes)
            bytes.withUnsafeBufferPointer { bytes in
                for row in 0..<rows {
                    var at = row * columns * segments + place
                    for column in 0..<columns {
                        line[column] = bytes[at]
                        at += segments
                    }
                    pack(line, into: &out)
                }
            }
            if out.count % 2 == 1 { out.append(0) }
        }
        return out
    }

    private static func put(_ number: Int, at offset: Int, in out: inout [UInt8]) {
        for byte in 0..<4 { out[offset + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
    }

    /// Runs of three and more, and what stands between them, in pieces of 128 at most. §G.4.
    private static func pack(_ line: [UInt8], into out: inout [UInt8]) {
        line.withUnsafeBufferPointer { line in
            var start = 0
            var position = 0
            func flush(to end: Int) {
                while start < end {
                    let count = min(128, end - start)
                    out.append(UInt8(count - 1))
                    out.append(contentsOf: line[start..<start + count])
                    start += count
                }
            }
            while position < line.count {
                var end = position + 1
                while end < line.count, end - position < 128, line[end] == line[position] { end += 1 }
                if end - position >= 3 {
                    flush(to: position)
                    out.append(UInt8(257 - (end - position)))
                    out.append(line[position])
                    start = end
                }
                position = end
            }
            flush(to: line.count)
        }
    }
}
