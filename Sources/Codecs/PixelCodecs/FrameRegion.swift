import DICOMPixels

/// A part of a frame, in pixels of the whole image; 0, 0 is its upper left corner.
package struct FrameRegion: Sendable, Equatable {
    /// 0...65,535.
    package let left: Int
    package let top: Int
    /// 1...65,535.
    package let columns: Int
    package let rows: Int

    /// nil for numbers out of range.
    package init?(left: Int, top: Int, columns: Int, rows: Int) {
        guard (0...0xFFFF).contains(left), (0...0xFFFF).contains(top), (1...0xFFFF).contains(columns),
            (1...0xFFFF).contains(rows)
        else { return nil }
        self.left = left
        self.top = top
        self.columns = columns
        self.rows = rows
    }

    /// No pixel of it is beside the image.
    package func lies(in image: ImagePixel) -> Bool {
        left + columns <= image.columns && top + rows <= image.rows
    }
}

extension NativeFrame {
    /// A part of the frame; nil where some of it lies beside the frame.
    func cut(_ region: FrameRegion) -> NativeFrame? {
        guard region.left + region.columns <= columns, region.top + region.rows <= rows else { return nil }
        let pixel = samplesPerPixel * sampleBytes
        var out: [UInt8] = []
        out.reserveCapacity(region.rows * region.columns * pixel)
        for row in region.top..<region.top + region.rows {
            let start = (row * columns + region.left) * pixel
            out += bytes[start..<start + region.columns * pixel]
        }
        return NativeFrame(
            rows: region.rows, columns: region.columns, samplesPerPixel: samplesPerPixel, sampleBytes: sampleBytes,
            bitsStored: bitsStored, isSigned: isSigned, photometricInterpretation: photometricInterpretation,
            bytes: out)
    }
}
