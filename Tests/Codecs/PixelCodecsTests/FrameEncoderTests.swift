import DICOMData
import DICOMPixels
import PixelCodecs
import TestSupport
import Testing

/// What is encoded comes back: bit for bit where there is no loss. PS3.5 §8.2.
@Suite("Frames encoded")
struct FrameEncoderTests {
    struct Kind: Sendable, CustomStringConvertible {
        let samples: Int
        let sampleBytes: Int
        let bits: Int
        let isSigned: Bool
        var description: String { "\(samples) x \(bits) bits\(isSigned ? ", signed" : "")" }

        func frame(_ random: inout SeededGenerator) throws -> NativeFrame {
            let (rows, columns) = (Int.random(in: 1...40, using: &random), Int.random(in: 1...40, using: &random))
            let low = isSigned ? -(1 << (bits - 1)) : 0
            var bytes: [UInt8] = []
            var value = low
            for _ in 0..<rows * columns * samples {
                // Runs, steps and noise.
                if Int.random(in: 0...3, using: &random) == 0 {
                    value = Int.random(in: low...(low + 1 << bits - 1), using: &random)
                }
                for byte in 0..<sampleBytes { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
            }
            return try #require(
                NativeFrame(
                    rows: rows, columns: columns, samplesPerPixel: samples, sampleBytes: sampleBytes, bitsStored: bits,
                    isSigned: isSigned, photometricInterpretation: samples == 1 ? "MONOCHROME2" : "RGB", bytes: bytes))
        }
    }

    static func image(of frame: NativeFrame, _ photometric: String) throws -> ImagePixel {
        try #require(
            ImagePixel(
                rows: frame.rows, columns: frame.columns, samplesPerPixel: frame.samplesPerPixel,
                photometricInterpretation: photometric, bitsAllocated: 8 * frame.sampleBytes,
                bitsStored: frame.bitsStored, highBit: frame.bitsStored - 1, isSigned: frame.isSigned, isPlanar: false))
    }

    static let kinds: [Kind] = [
        Kind(samples: 1, sampleBytes: 1, bits: 8, isSigned: false),
        Kind(samples: 1, sampleBytes: 1, bits: 5, isSigned: false),
        Kind(samples: 1, sampleBytes: 1, bits: 8, isSigned: true),
        Kind(samples: 1, sampleBytes: 2, bits: 10, isSigned: false),
        Kind(samples: 1, sampleBytes: 2, bits: 12, isSigned: true),
        Kind(samples: 1, sampleBytes: 2, bits: 16, isSigned: false),
        Kind(samples: 1, sampleBytes: 2, bits: 16, isSigned: true),
        Kind(samples: 1, sampleBytes: 2, bits: 7, isSigned: false),
        Kind(samples: 3, sampleBytes: 1, bits: 8, isSigned: false),
        Kind(samples: 3, sampleBytes: 2, bits: 16, isSigned: false),
    ]

    @Test(
        "RLE, JPEG-LS and reversible JPEG 2000 give back every value of every depth and sign", arguments: kinds,
        [TransferSyntax.rleLossless, .jpegLSLossless, .jpeg2000Lossless])
    func lossless(_ kind: Kind, _ syntax: TransferSyntax) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("FrameEncoderTests.lossless \(kind) \(syntax.uid) seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<8 {
            let frame = try kind.frame(&random)
            let coded = try FrameEncoder.encode(frame, as: syntax)
            #expect(!coded.isLossy)
            let image = try Self.image(of: frame, coded.photometricInterpretation)
            let back = try FrameDecoder.decode(coded.bytes, image, transferSyntax: syntax)
            #expect(back == frame)
        }
    }

    @Test("Near-lossless JPEG-LS stays within its error, and says that it is lossy")
    func near() throws {
        var random = SeededGenerator(seed: 7)
        let frame = try Self.kinds[0].frame(&random)
        let coded = try FrameEncoder.encode(frame, as: .jpegLSNearLossless, options: EncodingOptions(near: 3))
        #expect(coded.isLossy)
        let back = try FrameDecoder.decode(
            coded.bytes, try Self.image(of: frame, "MONOCHROME2"), transferSyntax: .jpegLSNearLossless)
        #expect(zip(back.bytes, frame.bytes).allSatisfy { abs(Int($0) - Int($1)) <= 3 })
    }

    /// A gradient: what photographs are more like than noise.
    private func gradient(samples: Int) throws -> NativeFrame {
        let bytes = (0..<64 * 64 * samples).map { index -> UInt8 in
            let (pixel, sample) = (index / samples, index % samples)
            return UInt8(truncatingIfNeeded: (pixel / 64 * (2 + sample) + pixel % 64) / 2 + 30 * sample)
        }
        return try #require(
            NativeFrame(
                rows: 64, columns: 64, samplesPerPixel: samples, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: samples == 1 ? "MONOCHROME1" : "RGB", bytes: bytes))
    }

    @Test("JPEG Baseline and lossy JPEG 2000 stay near, gray and colour", arguments: [1, 3])
    func lossy(_ samples: Int) throws {
        let frame = try gradient(samples: samples)
        for (syntax, term) in [(TransferSyntax.jpegBaseline, "YBR_FULL_422"), (.jpeg2000, "YBR_ICT")] {
            let coded = try FrameEncoder.encode(frame, as: syntax, options: EncodingOptions(quality: 95, ratio: 8))
            #expect(coded.isLossy)
            #expect(coded.photometricInterpretation == (samples == 1 ? "MONOCHROME1" : term))
            let image = try Self.image(of: frame, coded.photometricInterpretation)
            let back = try FrameDecoder.decode(
                coded.bytes, image, transferSyntax: syntax, options: DecodingOptions(wantsRGB: true))
            #expect(back.photometricInterpretation == (samples == 1 ? "MONOCHROME1" : "RGB"))
            let error = zip(back.bytes, frame.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
            #expect(error < 3 * frame.bytes.count, "\(syntax)")
            if syntax == .jpegBaseline, samples == 3 {
                let asCoded = try FrameDecoder.decode(coded.bytes, image, transferSyntax: syntax)
                #expect(asCoded.photometricInterpretation == "YBR_FULL")
                #expect(asCoded.bytes != back.bytes)
            }
        }
    }

    @Test("Superfluous bytes before a marker of a JPEG are passed over, and no damage behind them is")
    func superfluous() throws {
        let pixels = (0..<64 * 64).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
        let frame = try #require(
            NativeFrame(
                rows: 64, columns: 64, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: pixels))
        let image = try Self.image(of: frame, "MONOCHROME2")
        var bytes = try FrameEncoder.encode(frame, as: .jpegBaseline).bytes
        let plain = try FrameDecoder.decode(bytes, image, transferSyntax: .jpegBaseline)
        let table = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDB })
        bytes.insert(contentsOf: [1, 2, 3], at: table)
        #expect(try FrameDecoder.decode(bytes, image, transferSyntax: .jpegBaseline) == plain)
        #expect(throws: PixelCodecError.self) {
            try FrameDecoder.decode(
                Array(bytes.prefix(bytes.count * 3 / 4)), image, transferSyntax: .jpegBaseline)
        }
    }

    @Test(
        "Our own sequential JPEG decoder and libjpeg-turbo give the same samples, gray and colour", arguments: [1, 3])
    func twoDecoders(_ samples: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("FrameEncoderTests.twoDecoders seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for quality in [5, 50, 90, 100] {
            let frame = try Self.kinds[samples == 1 ? 0 : 8].frame(&random)
            let coded = try FrameEncoder.encode(
                frame, as: .jpegBaseline, options: EncodingOptions(quality: quality, halvesChrominance: false))
            let image = try Self.image(of: frame, coded.photometricInterpretation)
            let theirs = try FrameDecoder.decode(coded.bytes, image, transferSyntax: .jpegBaseline)
            let ours = JPEGSequentialFrame.decoded(
                coded.bytes, rows: frame.rows, columns: frame.columns, samples: samples, sampleBytes: 1)
            #expect(ours == theirs.bytes, "quality \(quality)")
        }
    }

    @Test("A codestream of few bits in wide cells keeps its values")
    func wideCells() throws {
        let frame = try gradient(samples: 1)
        let coded = try FrameEncoder.encode(frame, as: .jpegBaseline)
        let image = try Self.image(of: frame, "MONOCHROME2")
        let wide = try FrameDecoderTests.image(allocated: 16, stored: 8, rows: 64, columns: 64)
        let narrow = try FrameDecoder.decode(coded.bytes, image, transferSyntax: .jpegBaseline)
        let back = try FrameDecoder.decode(coded.bytes, wide, transferSyntax: .jpegBaseline)
        #expect(back.bytes == narrow.bytes.flatMap { [$0, 0] })
        var random = SeededGenerator(seed: 11)
        let deep = try Self.kinds[3].frame(&random)
        let lossless = try FrameEncoder.encode(deep, as: .jpegLSLossless)
        let wider = try FrameDecoderTests.image(
            allocated: 32, stored: 10, rows: deep.rows, columns: deep.columns)
        let values = try FrameDecoder.decode(lossless.bytes, wider, transferSyntax: .jpegLSLossless)
        #expect(values.sampleBytes == 4)
        #expect(values.bytes.count == 2 * deep.bytes.count)
        #expect(Array(values.bytes.prefix(4)) == [deep.bytes[0], deep.bytes[1], 0, 0])
    }

    @Test("What a syntax cannot hold is refused in words")
    func refusals() throws {
        var random = SeededGenerator(seed: 1)
        let deep = try Self.kinds[5].frame(&random)
        let signed = try Self.kinds[6].frame(&random)
        #expect(throws: PixelCodecError.unsupported("JPEG Baseline of 1 samples of 16 bits")) {
            try FrameEncoder.encode(deep, as: .jpegBaseline)
        }
        #expect(throws: PixelCodecError.unsupported("near-lossless JPEG-LS of signed values")) {
            try FrameEncoder.encode(signed, as: .jpegLSNearLossless)
        }
        for syntax in [TransferSyntax.jpegExtended, .jpegLossless, .htj2kLossless] {
            #expect(!FrameEncoder.writes(syntax))
            #expect(FrameDecoder.reads(syntax))
            #expect(throws: PixelCodecError.self) { try FrameEncoder.encode(deep, as: syntax) }
        }
    }

    @Test("PS3.5 §G.4: a run is packed in two bytes, segments are even, and random damage never traps")
    func runLength() throws {
        let flat = try #require(
            RLEFrame.encoded([UInt8](repeating: 9, count: 300), rows: 1, columns: 300, samples: 1, sampleBytes: 1))
        #expect(flat.count == 64 + 6)
        #expect(flat[64...].elementsEqual([129, 9, 129, 9, 213, 9]))
        let alone = try #require(RLEFrame.encoded([1, 2, 3], rows: 1, columns: 3, samples: 1, sampleBytes: 1))
        #expect(alone[64...].elementsEqual([2, 1, 2, 3]))
        var random = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            var bytes = flat
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            let decoded = RLEFrame.decoded(bytes, pixels: 300, samples: 1, sampleBytes: 1)
            #expect(decoded == nil || decoded?.count == 300)
        }
    }
}
