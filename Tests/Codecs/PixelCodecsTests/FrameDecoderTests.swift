import DICOMData
import DICOMPixels
import PixelCodecs
import TestSupport
import Testing

/// Frames against their pixels. PS3.5 §8.2, Annex A; ITU-T T.81, T.87, T.800, T.814.
@Suite("Frames decoded")
struct FrameDecoderTests {
    static func image(
        samples: Int = 1, allocated: Int = 8, stored: Int? = nil, high: Int? = nil, isSigned: Bool = false,
        isPlanar: Bool = false, photometric: String? = nil, rows: Int = PixelVectors.rows,
        columns: Int = PixelVectors.columns
    ) throws -> ImagePixel {
        let stored = stored ?? allocated
        return try #require(
            ImagePixel(
                rows: rows, columns: columns, samplesPerPixel: samples,
                photometricInterpretation: photometric ?? (samples == 1 ? "MONOCHROME2" : "RGB"),
                bitsAllocated: allocated, bitsStored: stored, highBit: high ?? stored - 1, isSigned: isSigned,
                isPlanar: isPlanar))
    }

    /// The codestreams of others with what they are.
    struct Vector: Sendable, CustomStringConvertible {
        let description: String
        let bytes: [UInt8]
        let syntax: TransferSyntax
        let pixels: [UInt8]
        let samples: Int
        let bits: Int

        func image(rows: Int = PixelVectors.rows) throws -> ImagePixel {
            try FrameDecoderTests.image(
                samples: samples, allocated: bits > 8 ? 16 : 8, stored: bits, rows: rows)
        }
    }

    static let vectors: [Vector] = [
        Vector(
            description: "JPEG Extended of 12 bits", bytes: PixelVectors.jpeg12, syntax: .jpegExtended,
            pixels: PixelVectors.jpeg12Decoded, samples: 1, bits: 12),
        Vector(
            description: "HTJ2K", bytes: PixelVectors.htj2k8, syntax: .htj2kLossless, pixels: PixelVectors.gray8,
            samples: 1, bits: 8),
        Vector(
            description: "HTJ2K of 12 bits", bytes: PixelVectors.htj2k12, syntax: .htj2k, pixels: PixelVectors.gray12,
            samples: 1, bits: 12),
        Vector(
            description: "HTJ2K in colour", bytes: PixelVectors.htj2kColour, syntax: .htj2kLossless,
            pixels: PixelVectors.colour8, samples: 3, bits: 8),
    ]

    @Test("A codestream of another program gives the pixels it was made from, bit for bit", arguments: vectors)
    func decodes(_ vector: Vector) throws {
        let frame = try FrameDecoder.decode(vector.bytes, try vector.image(), transferSyntax: vector.syntax)
        #expect(frame.bytes == vector.pixels)
        #expect(frame.bitsStored == vector.bits)
        #expect(frame.photometricInterpretation == (vector.samples == 3 ? "RGB" : "MONOCHROME2"))
    }

    @Test("A codestream of other Rows, Samples or depth than the data set's is refused before it is decoded")
    func mismatches() throws {
        for vector in Self.vectors {
            #expect(throws: PixelCodecError.mismatch(attribute: "Rows", image: 14, codestream: 13)) {
                try FrameDecoder.decode(vector.bytes, try vector.image(rows: 14), transferSyntax: vector.syntax)
            }
        }
        #expect(throws: PixelCodecError.mismatch(attribute: "Samples per Pixel", image: 3, codestream: 1)) {
            try FrameDecoder.decode(
                PixelVectors.htj2k8, try Self.image(samples: 3), transferSyntax: .htj2kLossless)
        }
        #expect(throws: PixelCodecError.mismatch(attribute: "Bits Allocated", image: 8, codestream: 12)) {
            try FrameDecoder.decode(PixelVectors.jpeg12, try Self.image(), transferSyntax: .jpegExtended)
        }
    }

    @Test("Half of a codestream is an error, never a picture", arguments: vectors)
    func truncated(_ vector: Vector) throws {
        let image = try vector.image()
        #expect(throws: PixelCodecError.self) {
            try FrameDecoder.decode(
                Array(vector.bytes.prefix(vector.bytes.count / 2)), image, transferSyntax: vector.syntax)
        }
        #expect(throws: PixelCodecError.self) { try FrameDecoder.decode([], image, transferSyntax: vector.syntax) }
    }

    @Test("JPEG of 8 bits is within two of the image, progressive too; damage in its end is an error")
    func progressive() throws {
        let image = try Self.image()
        let frame = try FrameDecoder.decode(PixelVectors.progressive, image, transferSyntax: .jpegBaseline)
        let error = zip(frame.bytes, PixelVectors.gray8).map { abs(Int($0) - Int($1)) }
        #expect(error.reduce(0, +) < 4 * error.count)
        #expect(throws: PixelCodecError.self) {
            try FrameDecoder.decode(
                Array(PixelVectors.progressive.prefix(PixelVectors.progressive.count * 3 / 4)), image,
                transferSyntax: .jpegBaseline)
        }
        var limits = PixelLimits.default
        limits.scansMax = 2
        #expect {
            try FrameDecoder.decode(
                PixelVectors.progressive, image, transferSyntax: .jpegBaseline, limits: limits)
        } throws: { error in
            guard case .tooLarge(limit: "scansMax", _) = error as? PixelCodecError else { return false }
            return true
        }
    }

    @Test("Half and a quarter of the size come from the codestream itself, each side rounded up")
    func reduced() throws {
        for (bytes, syntax) in [
            (PixelVectors.htj2k8, TransferSyntax.htj2kLossless), (PixelVectors.progressive, .jpegBaseline),
        ] {
            for (reduction, rows, columns) in [(1, 7, 10), (2, 4, 5)] {
                let frame = try FrameDecoder.decode(
                    bytes, try Self.image(), transferSyntax: syntax,
                    options: DecodingOptions(reduction: reduction))
                #expect(frame.rows == rows)
                #expect(frame.columns == columns)
                #expect(frame.bytes.count == rows * columns)
            }
        }
        // A codestream of two decompositions can be halved twice.
        let least = try FrameDecoder.decode(
            PixelVectors.htj2k8, try Self.image(), transferSyntax: .htj2kLossless,
            options: DecodingOptions(reduction: 8))
        #expect(least.rows == 4)
    }

    @Test("An image beyond a limit is refused at one more, not at the limit")
    func limits() throws {
        let image = try Self.image()
        var limits = PixelLimits.default
        limits.samplesMax = PixelVectors.gray8.count
        limits.codestreamBytesMax = PixelVectors.htj2k8.count
        #expect(throws: Never.self) {
            try FrameDecoder.decode(PixelVectors.htj2k8, image, transferSyntax: .htj2kLossless, limits: limits)
        }
        limits.codestreamBytesMax -= 1
        #expect(
            throws: PixelCodecError.tooLarge(limit: "codestreamBytesMax", value: PixelVectors.htj2k8.count)
        ) { try FrameDecoder.decode(PixelVectors.htj2k8, image, transferSyntax: .htj2kLossless, limits: limits) }
        limits = .default
        limits.samplesMax = PixelVectors.gray8.count - 1
        #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: PixelVectors.gray8.count)) {
            try FrameDecoder.decode(PixelVectors.gray8, image, transferSyntax: .explicitVRLittleEndian, limits: limits)
        }
        // A tile for each sample: SIZ is changed to say so.
        var tiles = PixelVectors.htj2k8
        for at in [24, 25, 26, 28, 29, 30] { tiles[at] = 0 }
        (tiles[27], tiles[31]) = (1, 1)
        limits = .default
        limits.tilesMax = 246
        #expect(throws: PixelCodecError.tooLarge(limit: "tilesMax", value: 247)) {
            try FrameDecoder.decode(tiles, image, transferSyntax: .htj2kLossless, limits: limits)
        }
        // And 2^64 of them.
        for at in 8..<16 { tiles[at] = 0xFF }
        #expect(throws: PixelCodecError.mismatch(attribute: "Rows", image: 13, codestream: 0xFFFF_FFFF)) {
            try FrameDecoder.decode(tiles, image, transferSyntax: .htj2kLossless)
        }
    }

    /// JPEG by our own code and by libjpeg-turbo. OpenJPEG's assertions end a process on damaged HTJ2K, which is why
    /// frames are read in processes of their own: JourneyTests damage those.
    @Test(
        "Random damage of a JPEG gives an error or a frame of the right size",
        arguments: [
            vectors[0],
            Vector(
                description: "progressive JPEG", bytes: PixelVectors.progressive, syntax: .jpegBaseline,
                pixels: PixelVectors.gray8, samples: 1, bits: 8),
        ])
    func damage(_ vector: Vector) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("FrameDecoderTests.damage \(vector) seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let image = try vector.image()
        for _ in 0..<500 {
            var bytes = vector.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do throws(PixelCodecError) {
                let frame = try FrameDecoder.decode(bytes, image, transferSyntax: vector.syntax)
                #expect(frame.bytes.count == vector.pixels.count)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
