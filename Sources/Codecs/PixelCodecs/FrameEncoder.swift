import DICOMData
import DICOMPixels

/// Encodes one frame: RLE by our own code, JPEG Baseline, JPEG-LS and JPEG 2000 by the libraries. PS3.5 §8.2, Annex A.
package enum FrameEncoder {
    /// Whether frames can be written in this transfer syntax.
    package static func writes(_ transferSyntax: TransferSyntax) -> Bool {
        !transferSyntax.isEncapsulated || encoders.contains(transferSyntax)
    }

    private static let encoders: [TransferSyntax] = [
        .jpegBaseline, .jpegLSLossless, .jpegLSNearLossless, .jpeg2000Lossless, .jpeg2000, .rleLossless,
    ]

    /// The frame in a transfer syntax. Throws `.unsupported` for a depth, a sign or a colour that the syntax or the
    /// codec has not, `.tooLarge` beyond the limits.
    package static func encode(
        _ frame: NativeFrame, as transferSyntax: TransferSyntax, options: EncodingOptions = EncodingOptions(),
        limits: PixelLimits = .default
    ) throws(PixelCodecError) -> EncodedFrame {
        let samples = frame.shape.sampleCount
        guard samples <= limits.samplesMax else { throw .tooLarge(limit: "samplesMax", value: samples) }
        switch transferSyntax {
        case .jpegBaseline: return try TurboJPEGCodec.encode(frame, options)
        case .jpegLSLossless: return try CharLSCodec.encode(frame, near: 0)
        case .jpegLSNearLossless: return try CharLSCodec.encode(frame, near: options.near)
        case .jpeg2000Lossless: return try OpenJPEGCodec.encode(frame, ratio: nil)
        case .jpeg2000: return try OpenJPEGCodec.encode(frame, ratio: options.ratio > 1 ? options.ratio : nil)
        case .rleLossless:
            guard
                let bytes = RLEFrame.encoded(
                    frame.bytes, rows: frame.rows, columns: frame.columns, samples: frame.samplesPerPixel,
                    sampleBytes: frame.sampleBytes)
            else { throw .unsupported("RLE of \(frame.samplesPerPixel) samples of \(frame.sampleBytes) bytes") }
            return EncodedFrame(
                bytes: bytes, photometricInterpretation: frame.photometricInterpretation, isLossy: false)
        default:
            guard !transferSyntax.isEncapsulated else { throw .unsupported(transferSyntax.description) }
            return EncodedFrame(
                bytes: frame.bytes, photometricInterpretation: frame.photometricInterpretation, isLossy: false)
        }
    }
}
