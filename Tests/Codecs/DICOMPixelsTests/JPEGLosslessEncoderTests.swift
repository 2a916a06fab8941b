import DICOMPixels
import Testing

/// ITU-T T.81 Annex H, §K.2.
@Suite("JPEG Lossless written")
struct JPEGLosslessEncoderTests {
    private func words(_ values: [UInt16]) -> [UInt8] { values.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } }

    @Test("§K.3: codes stay within 16 bits whatever the frequencies, and every category comes back")
    func skewed() throws {
        // Category n as often as the n-th number of Fibonacci: a code without a limit would have 17 bits and more.
        var values: [UInt16] = []
        var (previous, frequency) = (1, 1)
        var last: UInt16 = 32_768
        for category in 0...16 {
            for _ in 0..<frequency {
                last = last &+ (category == 0 ? 0 : UInt16(1) << UInt16(category - 1))
                values.append(last)
            }
            (previous, frequency) = (frequency, previous + frequency)
        }
        let bytes = words(values)
        let coded = try #require(
            JPEGLosslessFrame.encoded(
                bytes, rows: 1, columns: values.count, samples: 1, sampleBytes: 2, precision: 16))
        #expect(
            JPEGLosslessFrame.decoded(coded, rows: 1, columns: values.count, samples: 1, sampleBytes: 2) == bytes)
    }

    @Test("§B.2: the headers name the process, the depth and the predictor; a flat frame has one code")
    func headers() throws {
        let coded = try #require(
            JPEGLosslessFrame.encoded(
                [UInt8](repeating: 128, count: 6), rows: 2, columns: 3, samples: 1, sampleBytes: 1, precision: 8))
        let expected: [UInt8] =
            [0xFF, 0xD8, 0xFF, 0xC3, 0, 11, 8, 0, 2, 0, 3, 1, 1, 0x11, 0]
            + [0xFF, 0xC4, 0, 20, 0, 1] + [UInt8](repeating: 0, count: 15) + [0]
            // Six codes of one zero, filled up with ones.
            + [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0, 0b0000_0011, 0xFF, 0xD9]
        #expect(coded == expected)
    }

    @Test("Numbers that no frame has, and other numbers of bytes, are nil")
    func bounds() {
        for (rows, columns, samples, size, precision, count) in [
            (0, 1, 1, 1, 8, 0), (1, 65_536, 1, 1, 8, 65_536), (1, 1, 5, 1, 8, 5), (1, 1, 1, 1, 9, 1),
            (1, 1, 1, 2, 17, 2), (1, 1, 1, 1, 1, 1), (2, 2, 1, 1, 8, 3), (1, 1, 1, 4, 8, 4),
        ] {
            let coded = JPEGLosslessFrame.encoded(
                [UInt8](repeating: 0, count: count), rows: rows, columns: columns, samples: samples,
                sampleBytes: size, precision: precision)
            #expect(coded == nil)
        }
    }
}
