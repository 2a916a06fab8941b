import DICOMData
import DICOMPixels

/// Decodes one frame of any transfer syntax that has frames. PS3.5 §8.2, Annex A.
///
/// Native pixels of every depth, RLE, JPEG Lossless and 12-bit JPEG are read by our own code (``DICOMPixels``), JPEG of 8
/// bits by libjpeg-turbo, JPEG-LS by CharLS, JPEG 2000 and HTJ2K by OpenJPEG. Before a library sees a byte, the codestream's
/// own header is read and compared with the image and the limits. No input traps in our code; what foreign code does
/// with hostile bytes is the reason to run this in a process of its own.
package enum FrameDecoder {
    /// The frame as values.
    ///
    /// - Parameters:
    ///   - frame: as `PixelDataLayout.frameBytes` gives it: the fragments one behind the other, or native pixels in
    ///     little endian whatever the transfer syntax.
    ///   - image: the attributes of the image; its frame count is not looked at.
    package static func decode(
        _ frame: [UInt8], _ image: ImagePixel, transferSyntax: TransferSyntax,
        options: DecodingOptions = DecodingOptions(), limits: PixelLimits = .default
    ) throws(PixelCodecError) -> NativeFrame {
        if let region = options.region, !region.lies(in: image) {
            throw .unsupported("a region beside the image")
        }
        var asked = options
        if !decodesRegions(of: transferSyntax), options.region != nil { (asked.reduction, asked.region) = (0, nil) }
        try limits.check(image, codestreamBytes: frame.count, region: asked.region)
        var decoded = try asCoded(frame, image, transferSyntax, asked, limits)
        if let region = options.region, asked.region == nil {
            guard let part = decoded.cut(region) else { throw .malformed("a frame without its region") }
            decoded = part
        }
        return options.wantsRGB ? decoded.inRGB() : decoded
    }

    /// Whether a part of a frame of this transfer syntax is decoded without the rest of it.
    package static func decodesRegions(of transferSyntax: TransferSyntax) -> Bool {
        [.jpeg2000Lossless, .jpeg2000, .jpeg2000Part2Lossless, .jpeg2000Part2].contains(transferSyntax)
    }

    /// Whether frames of this transfer syntax can be decoded.
    package static func reads(_ transferSyntax: TransferSyntax) -> Bool {
        !transferSyntax.isEncapsulated || transferSyntax == .encapsulatedUncompressed
            || transferSyntax == .rleLossless || isJPEG(transferSyntax) || isJPEGLS(transferSyntax)
            || isJPEG2000(transferSyntax)
    }

    private static func isJPEG(_ syntax: TransferSyntax) -> Bool {
        [.jpegBaseline, .jpegExtended, .jpegLossless, .jpegLosslessSV1].contains(syntax)
    }

    private static func isJPEGLS(_ syntax: TransferSyntax) -> Bool {
        [.jpegLSLossless, .jpegLSNearLossless].contains(syntax)
    }

    private static func isJPEG2000(_ syntax: TransferSyntax) -> Bool {
        [
            .jpeg2000Lossless, .jpeg2000, .jpeg2000Part2Lossless, .jpeg2000Part2, .htj2kLossless, .htj2kLosslessRPCL,
            .htj2k,
        ].contains(syntax)
    }

    private static func asCoded(
        _ frame: [UInt8], _ image: ImagePixel, _ syntax: TransferSyntax, _ options: DecodingOptions,
        _ limits: PixelLimits
    ) throws(PixelCodecError) -> NativeFrame {
        if !syntax.isEncapsulated || syntax == .encapsulatedUncompressed { return try PixelCells.values(frame, image) }
        if syntax == .rleLossless { return try runLength(frame, image) }
        if isJPEG2000(syntax) {
            let isLossless: [TransferSyntax] = [
                .jpeg2000Lossless, .jpeg2000Part2Lossless, .htj2kLossless, .htj2kLosslessRPCL,
            ]
            return try OpenJPEGCodec.decode(frame, image, options, limits, isLossless: isLossless.contains(syntax))
        }
        guard isJPEG(syntax) || isJPEGLS(syntax) else { throw .unsupported(syntax.description) }
        return try jpeg(frame, image, options, limits)
    }

    /// RLE holds whole cells.
    private static func runLength(_ frame: [UInt8], _ image: ImagePixel) throws(PixelCodecError) -> NativeFrame {
        let size = image.bitsAllocated / 8
        guard image.bitsAllocated % 8 == 0, [1, 2, 4, 8].contains(size) else {
            throw .unsupported("RLE of \(image.bitsAllocated) bits allocated")
        }
        guard
            let cells = RLEFrame.decoded(
                frame, pixels: image.rows * image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        else { throw .malformed("RLE segments do not hold the pixels") }
        return try PixelCells.decoded(
            cells, image, size: size, precision: image.bitsAllocated, isLossless: true)
    }

    /// JPEG by its own frame header: what a file is labelled matters less than what it is.
    private static func jpeg(
        _ frame: [UInt8], _ image: ImagePixel, _ options: DecodingOptions, _ limits: PixelLimits
    ) throws(PixelCodecError) -> NativeFrame {
        guard let headers = JPEGHeaders(frame) else { throw .malformed("no JPEG frame header") }
        try image.agree(
            rows: headers.rows, columns: headers.columns, samples: headers.components.count,
            precision: headers.precision)
        guard headers.scans <= limits.scansMax else { throw .tooLarge(limit: "scansMax", value: headers.scans) }
        let size = PixelCells.sampleBytes(image.bitsAllocated)
        switch (headers.process, headers.precision) {
        case (0xF7, _):
            // The library refuses what has no end too, but may look for bits behind it for seconds before.
            guard headers.hasEnd else { throw .malformed("the JPEG-LS codestream has no end") }
            return try CharLSCodec.decode(frame, image)
        case (0xC0, 8), (0xC1, 8), (0xC2, 8):
            return try TurboJPEGCodec.decode(frame, headers, image, options)
        case (0xC1, 12): return try sequential(frame, headers, image, size)
        case (0xC3, 2...16):
            guard
                let samples = JPEGLosslessFrame.decoded(
                    frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
            else { throw .malformed("the lossless scan does not hold the pixels") }
            return try PixelCells.decoded(
                samples, image, size: size, precision: headers.precision, isLossless: true)
        default:
            throw .unsupported("JPEG process SOF\(headers.process & 15) of \(headers.precision) bits")
        }
    }

    private static func sequential(
        _ frame: [UInt8], _ headers: JPEGHeaders, _ image: ImagePixel, _ size: Int
    ) throws(PixelCodecError) -> NativeFrame {
        guard
            let samples = JPEGSequentialFrame.decoded(
                frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        else { throw .malformed("the sequential scans do not hold the pixels") }
        let isYBR = headers.isYBR(photometric: image.photometricInterpretation)
        return try PixelCells.decoded(
            samples, image, size: size, precision: headers.precision, isLossless: false,
            photometric: image.samplesPerPixel == 3 ? (isYBR ? "YBR_FULL" : "RGB") : nil)
    }
}
