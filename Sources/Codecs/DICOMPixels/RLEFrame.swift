/// A frame of RLE Lossless as native pixels. PS3.5 Annex G.
package enum RLEFrame {
    /// The samples of a frame, pixel by pixel, each sample in little endian; nil when the bytes are no such frame.
    ///
    /// A frame is a header of 64 bytes (the number of segments, the offset of each, in little endian) and a segment for
    /// each byte of each sample, the most significant first, packed by PackBits. §G.3 to §G.5.
    ///
    /// - Parameters:
    ///   - pixels: rows x columns.
    ///   - sampleBytes: bits allocated / 8, at least 1.
    package static func decoded(_ frame: [UInt8], pixels: Int, samples: Int, sampleBytes: Int) -> [UInt8]? {
        let segments = samples * sampleBytes
        guard segments >= 1, segments <= 15, pixels >= 1, pixels <= Int(Int32.max), frame.count >= 64,
            number(frame, 0) == segments
        else { return nil }
        let offsets = (0..<segments).map { number(frame, 4 + 4 * $0) }
        var out = [UInt8](repeating: 0, count: pixels * segments)
        let isWhole = out.withUnsafeMutableBufferPointer { out in
            frame.withUnsafeBufferPointer { frame in
                for segment in 0..<segments {
                    let start = offsets[segment]
                    let end = segment + 1 < segments ? offsets[segment + 1] : frame.count
                    guard start >= 64, start <= end, end <= frame.count else { return false }
                    // The most significant byte of a sample comes last in little endian.
                    let place = segment / sampleBytes * sampleBytes + (sampleBytes - 1 - segment % sampleBytes)
                    guard
                        unpack(
                            UnsafeBufferPointer(rebasing: frame[start..<end]), into: out, from: place, step: segments,
                            count: pixels)
                    else { return false }
                }
                return true
            }
        }
        return isWhole ? out : nil
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    /// PackBits: n of 0...127 is followed by n + 1 bytes, n of 129...255 by one byte to repeat 257 - n times, 128 says
    /// nothing. Bytes behind the last pixel are padding. §G.3.1.
    private static func unpack(
        _ packed: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>, from first: Int, step: Int,
        count: Int
    ) -> Bool {
        var position = 0
        var done = 0
        while done < count {
            guard position < packed.count else { return false }
            let control = Int(packed[position])
            position += 1
            if control == 128 { continue }
            let isRun = control > 128
            let length = min(isRun ? 257 - control : control + 1, count - done)
            guard position + (isRun ? 1 : length) <= packed.count else { return false }
            var at = first + done * step
            for index in 0..<length {
                out[at] = packed[isRun ? position : position + index]
                at += step
            }
            position += isRun ? 1 : control + 1
            done += length
        }
        return true
    }
}
