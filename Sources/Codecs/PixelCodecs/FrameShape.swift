/// What a ``NativeFrame`` is, without its samples.
package struct FrameShape: Sendable, Equatable {
    /// 1...65,535.
    package let rows: Int
    /// 1...65,535.
    package let columns: Int
    /// 1...16.
    package let samplesPerPixel: Int
    /// Bytes of a sample: 1, 2, 4 or 8.
    package let sampleBytes: Int
    /// Bits that a value can have.
    package let bitsStored: Int
    package let isSigned: Bool
    /// What the samples are, a defined term: `RGB` and `YBR_FULL` for colour, chrominance at every pixel; the image's
    /// own term for one sample a pixel.
    package let photometricInterpretation: String

    /// nil for numbers out of range.
    package init?(
        rows: Int, columns: Int, samplesPerPixel: Int, sampleBytes: Int, bitsStored: Int, isSigned: Bool,
        photometricInterpretation: String
    ) {
        guard (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), (1...16).contains(samplesPerPixel),
            [1, 2, 4, 8].contains(sampleBytes), (1...8 * sampleBytes).contains(bitsStored)
        else { return nil }
        self.rows = rows
        self.columns = columns
        self.samplesPerPixel = samplesPerPixel
        self.sampleBytes = sampleBytes
        self.bitsStored = bitsStored
        self.isSigned = isSigned
        self.photometricInterpretation = photometricInterpretation
    }

    /// At most 2^36.
    package var sampleCount: Int { rows * columns * samplesPerPixel }
    /// Bytes of all samples, at most 2^39.
    package var byteCount: Int { sampleCount * sampleBytes }
}
