import CLittleCMS

/// Colours of one profile in those of another, by Little CMS: by matrices and curves, or by the tables that a profile
/// brings. ICC.1; PS3.3 §C.11.15.
package enum ColourConversion {
    /// Bytes of one profile.
    package static let profileBytesMax = 32 << 20

    /// A frame of RGB, 8 bits a sample, in the colours of another profile; perceptual intent.
    ///
    /// - Parameters:
    ///   - source: the profile that its colours are of, whoever made it.
    ///   - target: the profile that they are to be of.
    ///
    /// Throws `.unsupported` for another frame and for profiles that are none of RGB or that lack what it needs,
    /// `.tooLarge` beyond the limits.
    package static func convert(
        _ frame: NativeFrame, from source: [UInt8], to target: [UInt8], limits: PixelLimits = .default
    ) throws(PixelCodecError) -> NativeFrame {
        guard isConvertible(frame.shape) else { throw .unsupported("another colour than RGB of 8 bits") }
        let samples = frame.shape.sampleCount
        guard samples <= limits.samplesMax else { throw .tooLarge(limit: "samplesMax", value: samples) }
        let longest = max(source.count, target.count)
        guard longest <= profileBytesMax else { throw .tooLarge(limit: "profileBytesMax", value: longest) }
        var converted = frame
        let result = converted.bytes.withUnsafeMutableBufferPointer { pixels -> Int32 in
            guard let base = pixels.baseAddress else { return 0 }
            return source.withUnsafeBytes { source in
                target.withUnsafeBytes { target in
                    hilum_lcms_convert(
                        source.baseAddress, source.count, target.baseAddress, target.count, base, pixels.count / 3)
                }
            }
        }
        switch result {
        case 0: return converted
        case 1: throw .unsupported("a colour profile that is none of RGB")
        case 2: throw .unsupported("colours for a profile that is none of RGB")
        default: throw .unsupported("a colour profile without what a conversion needs")
        }
    }

    /// RGB of 8 bits.
    package static func isConvertible(_ shape: FrameShape) -> Bool {
        shape.samplesPerPixel == 3 && shape.sampleBytes == 1 && shape.bitsStored == 8 && !shape.isSigned
            && shape.photometricInterpretation == "RGB"
    }
}
