import CTurboJPEG
import DICOMPixels

/// JPEG of 8 bits by libjpeg-turbo, through its TurboJPEG interface: errors come back as values, never by a jump over
/// our frames. Baseline, extended and progressive are read, baseline is written. ITU-T T.81; PS3.5 §A.4.1.
enum TurboJPEGCodec {
    /// Decodes a JPEG whose headers agree with the image. Colour is YBR_FULL as coded, or RGB; chrominance of fewer
    /// samples is interpolated. Damage is an error; superfluous bytes before a marker of a sequential one are not.
    static func decode(
        _ frame: [UInt8], _ headers: JPEGHeaders, _ image: ImagePixel, _ options: DecodingOptions
    ) throws(PixelCodecError) -> NativeFrame {
        let samples = image.samplesPerPixel
        guard samples == 1 || samples == 3 else { throw .unsupported("JPEG of \(samples) components") }
        let isYBR = headers.isYBR(photometric: image.photometricInterpretation)
        let converts = isYBR && options.wantsRGB
        let bytes = headers.bytes(frame, adobeTransform: converts ? 1 : 0)
        // Eighths: an inverse transform of 8, 4, 2 or 1.
        let halvings = min(3, options.reduction)
        let (rows, columns) = image.halved(halvings)
        guard let codec = tjInitDecompress() else { throw .malformed("no memory for a decoder") }
        defer { tjDestroy(codec) }
        var out = [UInt8](repeating: 0, count: rows * columns * samples)
        let format = samples == 1 ? TJPF_GRAY : TJPF_RGB
        let result = out.withUnsafeMutableBufferPointer { out in
            bytes.withUnsafeBufferPointer { bytes in
                tjDecompress2(
                    codec, bytes.baseAddress, UInt(bytes.count), out.baseAddress, Int32(columns),
                    Int32(columns * samples), Int32(rows), Int32(format.rawValue), TJFLAG_LIMITSCANS)
            }
        }
        if result != 0 {
            let text = tjGetErrorStr2(codec).map { String(cString: $0) } ?? "unknown"
            let isWarning = tjGetErrorCode(codec) == Int32(TJERR_WARNING.rawValue)
            // It tells its first warning alone: whether that is all, our own decoder says.
            guard isWarning, text.contains("extraneous bytes"),
                JPEGSequentialFrame.decoded(
                    frame, rows: image.rows, columns: image.columns, samples: samples, sampleBytes: 1) != nil
            else { throw .malformed(String(text.prefix(120))) }
        }
        let photometric: String? = samples == 1 ? nil : converts || !isYBR ? "RGB" : "YBR_FULL"
        let size = PixelCells.sampleBytes(image.bitsAllocated)
        return try PixelCells.decoded(
            PixelCells.widened(out, from: 1, to: size), image, size: size, precision: 8, isLossless: false,
            rows: rows, columns: columns,
            photometric: photometric)
    }

    /// Writes baseline JPEG from one or three samples of 8 bits, unsigned. RGB becomes YBR_FULL or YBR_FULL_422.
    static func encode(_ frame: NativeFrame, _ options: EncodingOptions) throws(PixelCodecError) -> EncodedFrame {
        let samples = frame.samplesPerPixel
        guard frame.sampleBytes == 1, !frame.isSigned, samples == 1 || samples == 3 else {
            throw .unsupported("JPEG Baseline of \(samples) samples of \(8 * frame.sampleBytes) bits")
        }
        let colour = samples == 3
        guard !colour || ["RGB", "YBR_FULL"].contains(frame.photometricInterpretation) else {
            throw .unsupported("JPEG Baseline of \(frame.photometricInterpretation)")
        }
        guard let codec = tjInitCompress() else { throw .malformed("no memory for an encoder") }
        defer { tjDestroy(codec) }
        let source = frame.inRGB()
        let halves = colour && options.halvesChrominance
        let subsampling = !colour ? TJSAMP_GRAY : halves ? TJSAMP_422 : TJSAMP_444
        let format = colour ? TJPF_RGB : TJPF_GRAY
        var bytes: UnsafeMutablePointer<UInt8>?
        var size: UInt = 0
        let result = source.bytes.withUnsafeBufferPointer { pixels in
            tjCompress2(
                codec, pixels.baseAddress, Int32(frame.columns), Int32(frame.columns * samples), Int32(frame.rows),
                Int32(format.rawValue), &bytes, &size, Int32(subsampling.rawValue), Int32(options.quality),
                TJFLAG_ACCURATEDCT)
        }
        defer { tjFree(bytes) }
        guard result == 0, let bytes else {
            throw .malformed(tjGetErrorStr2(codec).map { String(cString: $0) } ?? "unknown")
        }
        return EncodedFrame(
            bytes: Array(UnsafeBufferPointer(start: bytes, count: Int(size))),
            photometricInterpretation: !colour
                ? frame.photometricInterpretation : halves ? "YBR_FULL_422" : "YBR_FULL",
            isLossy: true)
    }
}
