import DICOMData
import DICOMPixels

/// The native pixels of an image as rows of whole bytes. PS3.5 §8.1.1, PS3.3 §C.7.6.3.
struct NativeRaster {
    private let image: ImagePixel
    private let sampleBytes: Int
    private let frameBytes: Int
    /// Two pixels share their chrominance: four bytes for two. PS3.3 §C.7.6.3.1.2.
    private let isHalved: Bool

    /// nil where samples are no whole bytes, where the pixels end before the last frame does, and for 4:2:2 of anything
    /// but bytes in rows of whole pairs.
    init?(_ image: ImagePixel, byteCount: Int) {
        let (bits, overflow) = image.frameBits.multipliedReportingOverflow(by: image.frameCount)
        guard image.bitsAllocated % 8 == 0, !overflow, bits / 8 <= byteCount else { return nil }
        self.image = image
        sampleBytes = image.bitsAllocated / 8
        frameBytes = image.frameBits / 8
        isHalved = image.samplesPerPixel == 3 && image.photometricInterpretation == "YBR_FULL_422"
        if isHalved, sampleBytes != 1 || image.columns % 2 != 0 { return nil }
    }

    /// Bytes of all frames.
    var byteCount: Int { frameBytes * image.frameCount }

    /// Blackens a region in each frame: samples of 0, chrominance of the middle.
    func blank(_ region: PixelRule.Region, in bytes: inout [UInt8]) {
        let columns = Self.clamped(region.column, region.width, image.columns)
        let rows = Self.clamped(region.row, region.height, image.rows)
        guard !columns.isEmpty, !rows.isEmpty else { return }
        for frame in 0..<image.frameCount {
            for row in rows { blank(columns, row: row, frameAt: frame * frameBytes, in: &bytes) }
        }
    }

    /// Clears the bits that hold no sample. False where pixels have several samples or numbers of no integer width.
    func keepStoredBits(_ bytes: inout [UInt8]) -> Bool {
        guard image.samplesPerPixel == 1, (1...2).contains(sampleBytes) else { return false }
        let mask = (UInt32(1) << UInt32(image.bitsStored) - 1) << UInt32(image.highBit + 1 - image.bitsStored)
        for start in stride(from: 0, to: bytes.count - bytes.count % sampleBytes, by: sampleBytes) {
            for byte in 0..<sampleBytes { bytes[start + byte] &= UInt8(truncatingIfNeeded: mask >> UInt32(8 * byte)) }
        }
        return true
    }

    private func blank(_ columns: Range<Int>, row: Int, frameAt start: Int, in bytes: inout [UInt8]) {
        let isChromatic = image.photometricInterpretation.hasPrefix("YBR_FULL")
        if isHalved {
            let rowStart = start + row * image.columns * 2
            for pair in columns.lowerBound / 2..<(columns.upperBound + 1) / 2 {
                bytes.replaceSubrange(rowStart + pair * 4..<rowStart + pair * 4 + 4, with: [0, 0, 0x80, 0x80])
            }
            return
        }
        for sample in 0..<image.samplesPerPixel {
            let isChrominance = isChromatic && sample > 0
            for column in columns {
                let pixel = row * image.columns + column
                let index =
                    image.isPlanar
                    ? sample * image.rows * image.columns + pixel : pixel * image.samplesPerPixel + sample
                for byte in 0..<sampleBytes { bytes[start + index * sampleBytes + byte] = 0 }
                if isChrominance {
                    let middle = UInt64(1) << UInt64(image.bitsStored - 1)
                    for byte in 0..<min(sampleBytes, 8) {
                        bytes[start + index * sampleBytes + byte] = UInt8(
                            truncatingIfNeeded: middle >> UInt64(8 * byte))
                    }
                }
            }
        }
    }

    /// What of `start..<start + length` lies in `0..<count`.
    private static func clamped(_ start: Int, _ length: Int, _ count: Int) -> Range<Int> {
        let (sum, overflow) = start.addingReportingOverflow(max(0, length))
        let first = min(max(0, start), count)
        return first..<max(first, min(overflow ? count : sum, count))
    }
}
