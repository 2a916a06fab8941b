/// A frame of pixels that anything can read: every sample is the pixel's value as an integer of its container.
///
/// *Shape*: pixel by pixel (planar configuration 0), row by row, each sample in 1, 2, 4 or 8 bytes in little endian,
/// whatever Bits Allocated was; a signed sample is extended over its container, and bits beyond Bits Stored are not in
/// it. Floating point pixels are their IEEE 754 bits. PS3.3 §C.7.6.3.1.
package struct NativeFrame: Sendable, Equatable {
    package let shape: FrameShape
    /// As many as the shape says.
    package var bytes: [UInt8]

    /// nil for a number of bytes that is not that of the shape.
    package init?(_ shape: FrameShape, bytes: [UInt8]) {
        guard bytes.count == shape.byteCount else { return nil }
        self.shape = shape
        self.bytes = bytes
    }

    /// nil for a number of bytes that is not that of the samples, or numbers out of range.
    package init?(
        rows: Int, columns: Int, samplesPerPixel: Int, sampleBytes: Int, bitsStored: Int, isSigned: Bool,
        photometricInterpretation: String, bytes: [UInt8]
    ) {
        guard
            let shape = FrameShape(
                rows: rows, columns: columns, samplesPerPixel: samplesPerPixel, sampleBytes: sampleBytes,
                bitsStored: bitsStored, isSigned: isSigned, photometricInterpretation: photometricInterpretation)
        else { return nil }
        self.init(shape, bytes: bytes)
    }

    package var rows: Int { shape.rows }
    package var columns: Int { shape.columns }
    package var samplesPerPixel: Int { shape.samplesPerPixel }
    package var sampleBytes: Int { shape.sampleBytes }
    package var bitsStored: Int { shape.bitsStored }
    package var isSigned: Bool { shape.isSigned }
    package var photometricInterpretation: String { shape.photometricInterpretation }
}

/// How a frame is to be decoded.
package struct DecodingOptions: Sendable, Equatable {
    /// Halvings of both sides, 0...8, each rounded up. JPEG (to 3) and JPEG 2000 (to its own levels) decode less; other
    /// codecs give the whole frame. The frame that comes back tells its size.
    package var reduction: Int
    /// Colour comes as RGB. Otherwise luminance and chrominance come as coded.
    package var wantsRGB: Bool
    /// The part of the image that comes back; nil for all of it. Of JPEG 2000 no more is decoded than that part needs,
    /// halved as long as the part's first pixel is one of the smaller image too; of other codecs, HTJ2K among them, it is
    /// cut out of the whole frame, unreduced.
    package var region: FrameRegion?

    package init(reduction: Int = 0, wantsRGB: Bool = false, region: FrameRegion? = nil) {
        self.reduction = max(0, min(8, reduction))
        self.wantsRGB = wantsRGB
        self.region = region
    }
}

/// How a frame is to be encoded.
package struct EncodingOptions: Sendable, Equatable {
    /// Of JPEG, 1...100.
    package var quality: Int
    /// JPEG keeps chrominance at every second pixel of a line. PS3.3 §C.7.6.3.1.2 YBR_FULL_422.
    package var halvesChrominance: Bool
    /// The greatest error of a JPEG-LS sample, 1...255, where the transfer syntax is the near-lossless one.
    package var near: Int
    /// Native bytes to one byte of JPEG 2000, where the transfer syntax allows loss; 1 is without loss.
    package var ratio: Double

    package init(quality: Int = 90, halvesChrominance: Bool = true, near: Int = 2, ratio: Double = 10) {
        self.quality = max(1, min(100, quality))
        self.halvesChrominance = halvesChrominance
        self.near = max(1, min(255, near))
        self.ratio = max(1, min(1_000, ratio.isNaN ? 10 : ratio))
    }
}

/// A compressed frame and what its data set has to say of it.
package struct EncodedFrame: Sendable, Equatable {
    /// One fragment, without the byte that makes it even.
    package let bytes: [UInt8]
    /// What the codestream holds, a defined term. PS3.5 §8.2.
    package let photometricInterpretation: String
    /// Values are not those that were given: Lossy Image Compression is 01.
    package let isLossy: Bool

    package init(bytes: [UInt8], photometricInterpretation: String, isLossy: Bool) {
        self.bytes = bytes
        self.photometricInterpretation = photometricInterpretation
        self.isLossy = isLossy
    }
}
