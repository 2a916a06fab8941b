import DICOMData

/// How the pixels of an image are to be understood. PS3.3 §C.7.6.3.
package struct ImagePixel: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    package let samplesPerPixel: Int
    /// The defined term, such as `MONOCHROME2`; empty when absent.
    package let photometricInterpretation: String
    package let bitsAllocated: Int
    package let bitsStored: Int
    package let highBit: Int
    package let isSigned: Bool
    /// Samples stand plane by plane: only for more than one sample a pixel. PS3.3 §C.7.6.3.1.3.
    package let isPlanar: Bool
    /// At least 1.
    package let frameCount: Int
    /// Bits of one native frame.
    package let frameBits: Int

    /// Reads the attributes of the Image Pixel module; nil when they are absent or describe no image: dimensions of 0
    /// or beyond 65,535, bits that do not fit, a frame of more than 2^40 bits.
    package init?(_ dataSet: DataSet) {
        guard let rows = dataSet.int(.rows), let columns = dataSet.int(.columns) else { return nil }
        let bitsAllocated = PixelDataLayout.bitsAllocated(dataSet, Self.pixelTag(dataSet))
        let bitsStored = dataSet.int(.bitsStored) ?? bitsAllocated
        self.init(
            rows: rows, columns: columns, samplesPerPixel: dataSet.int(.samplesPerPixel) ?? 1,
            photometricInterpretation: dataSet.string(.photometricInterpretation) ?? "", bitsAllocated: bitsAllocated,
            bitsStored: bitsStored, highBit: dataSet.int(.highBit) ?? (bitsStored &- 1),
            isSigned: dataSet.int(.pixelRepresentation) == 1, isPlanar: dataSet.int(.planarConfiguration) == 1,
            frameCount: dataSet.int(.numberOfFrames) ?? 1)
    }

    /// One image of these attributes, as a codec is told of it. nil for what describes no image, as above.
    package init?(
        rows: Int, columns: Int, samplesPerPixel: Int, photometricInterpretation: String, bitsAllocated: Int,
        bitsStored: Int, highBit: Int, isSigned: Bool, isPlanar: Bool, frameCount: Int = 1
    ) {
        guard
            let bits = PixelDataLayout.frameBits(
                rows: rows, columns: columns, samples: samplesPerPixel, allocated: bitsAllocated,
                photometric: photometricInterpretation),
            (1...bitsAllocated).contains(bitsStored), (bitsStored - 1..<bitsAllocated).contains(highBit)
        else { return nil }
        self.rows = rows
        self.columns = columns
        self.samplesPerPixel = samplesPerPixel
        self.photometricInterpretation = photometricInterpretation
        self.bitsAllocated = bitsAllocated
        self.bitsStored = bitsStored
        self.highBit = highBit
        self.isSigned = isSigned
        self.isPlanar = isPlanar && samplesPerPixel > 1
        self.frameCount = max(1, frameCount)
        frameBits = bits
    }

    /// The element that holds the pixels, pixel data when there is none.
    static func pixelTag(_ dataSet: DataSet) -> Tag {
        [Tag.floatPixelData, .doubleFloatPixelData].first { dataSet.contains($0) } ?? .pixelData
    }
}
