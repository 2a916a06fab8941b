import Testing

@testable import PixelCodecs

/// What is refused of profiles; what they convert is in DICOMRenderingTests, which make some.
@Suite("Colours of foreign profiles")
struct ColourConversionTests {
    private static func frame(samples: Int = 3, bits: Int = 8, photometric: String = "RGB") throws -> NativeFrame {
        let bytes = bits > 8 ? 2 : 1
        return try #require(
            NativeFrame(
                rows: 1, columns: 2, samplesPerPixel: samples, sampleBytes: bytes, bitsStored: bits, isSigned: false,
                photometricInterpretation: photometric, bytes: [UInt8](repeating: 1, count: 2 * samples * bytes)))
    }

    @Test("Only RGB of 8 bits is converted, within the limits")
    func frames() throws {
        for frame in [
            try Self.frame(samples: 1, photometric: "MONOCHROME2"), try Self.frame(bits: 12),
            try Self.frame(photometric: "YBR_FULL"),
        ] {
            #expect(throws: PixelCodecError.unsupported("another colour than RGB of 8 bits")) {
                try ColourConversion.convert(frame, from: [1], to: [1])
            }
        }
        var limits = PixelLimits.default
        limits.samplesMax = 5
        #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: 6)) {
            try ColourConversion.convert(Self.frame(), from: [1], to: [1], limits: limits)
        }
        let long = [UInt8](repeating: 0, count: ColourConversion.profileBytesMax + 1)
        #expect(throws: PixelCodecError.tooLarge(limit: "profileBytesMax", value: long.count)) {
            try ColourConversion.convert(Self.frame(), from: long, to: [1])
        }
    }

    @Test("Bytes that are no profile are refused, none of them and those of a header alone too")
    func noProfiles() throws {
        for bytes in [[], [0], [UInt8](repeating: 0xFF, count: 128), [UInt8](repeating: 0, count: 5_000)] {
            #expect(throws: PixelCodecError.unsupported("a colour profile that is none of RGB")) {
                try ColourConversion.convert(Self.frame(), from: bytes, to: bytes)
            }
        }
    }
}
