import DICOMData
import DICOMPixels
import TestSupport
import Testing

@testable import PixelCodecs

/// Parts of frames, against the same part of the whole frame. PS3.18 §8.3.5.1.3; ITU-T T.800 §B.
@Suite("Regions of frames")
struct FrameRegionTests {
    /// A JPEG 2000 codestream of our own encoder.
    struct Stream: Sendable, CustomStringConvertible {
        let kind: FrameEncoderTests.Kind
        let tileSide: Int32?
        let ratio: Double?
        var description: String {
            "\(kind), \(tileSide.map { "tiles of \($0)" } ?? "one tile"), \(ratio == nil ? "reversible" : "lossy")"
        }

        /// Slopes with noise, 90 to 150 pixels a side.
        func made(_ random: inout SeededGenerator) throws -> (coded: EncodedFrame, image: ImagePixel) {
            let (rows, columns) = (Int.random(in: 90...150, using: &random), Int.random(in: 90...150, using: &random))
            let low = kind.isSigned ? -(1 << (kind.bits - 1)) : 0
            var bytes: [UInt8] = []
            for index in 0..<rows * columns * kind.samples {
                let (pixel, sample) = (index / kind.samples, index % kind.samples)
                let slope = (pixel / columns * 3 + pixel % columns * 5) << (kind.bits - 8) / 2
                let value = low + (slope + 40 * sample + Int.random(in: 0...9, using: &random)) % (1 << kind.bits)
                for byte in 0..<kind.sampleBytes { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
            }
            let frame = try #require(
                NativeFrame(
                    rows: rows, columns: columns, samplesPerPixel: kind.samples, sampleBytes: kind.sampleBytes,
                    bitsStored: kind.bits, isSigned: kind.isSigned,
                    photometricInterpretation: kind.samples == 1 ? "MONOCHROME2" : "RGB", bytes: bytes))
            let coded = try OpenJPEGCodec.encode(frame, ratio: ratio, tileSide: tileSide)
            return (coded, try FrameEncoderTests.image(of: frame, coded.photometricInterpretation))
        }
    }

    static let streams: [Stream] = [nil, 64, 77].flatMap { tileSide in
        [nil, 6.0].flatMap { ratio in
            [FrameEncoderTests.kinds[0], FrameEncoderTests.kinds[4], FrameEncoderTests.kinds[8]].map { kind in
                Stream(kind: kind, tileSide: tileSide, ratio: ratio)
            }
        }
    }

    static func region(of image: ImagePixel, _ random: inout SeededGenerator, step: Int = 1) throws -> FrameRegion {
        let left = Int.random(in: 0..<image.columns, using: &random) / step * step
        let top = Int.random(in: 0..<image.rows, using: &random) / step * step
        return try #require(
            FrameRegion(
                left: left, top: top, columns: Int.random(in: 1...image.columns - left, using: &random),
                rows: Int.random(in: 1...image.rows - top, using: &random)))
    }

    /// Decodes regions, alone and by halved sides, and compares them with the same part of the whole frame.
    private func compare(
        _ bytes: [UInt8], _ image: ImagePixel, _ syntax: TransferSyntax, within: Int,
        _ random: inout SeededGenerator
    ) throws {
        let headers = try #require(JPEG2000Headers(bytes))
        for halvings in 0...min(3, headers.levels) {
            let whole = try FrameDecoder.decode(
                bytes, image, transferSyntax: syntax, options: DecodingOptions(reduction: halvings))
            for _ in 0..<12 {
                let region = try Self.region(of: image, &random, step: 1 << halvings)
                let options = DecodingOptions(reduction: halvings, region: region)
                let part = try FrameDecoder.decode(bytes, image, transferSyntax: syntax, options: options)
                #expect(image.decodes(to: part.shape, options))
                let size = image.halved(halvings, of: region)
                let same = try #require(
                    FrameRegion(
                        left: region.left >> halvings, top: region.top >> halvings, columns: size.columns,
                        rows: size.rows))
                let expected = try #require(whole.cut(same))
                #expect(part.shape == expected.shape)
                #expect(
                    zip(values(part), values(expected)).allSatisfy { abs($0 - $1) <= within },
                    "\(region), halved \(halvings) times")
            }
        }
    }

    private func values(_ frame: NativeFrame) -> [Int] {
        (0..<frame.shape.sampleCount).map { index in
            let low = Int(frame.bytes[index * frame.sampleBytes])
            guard frame.sampleBytes == 2 else { return low }
            let high = frame.bytes[index * 2 + 1]
            return low | (frame.isSigned ? Int(Int8(bitPattern: high)) : Int(high)) << 8
        }
    }

    @Test(
        "A region of JPEG 2000 is that part of the whole frame, halved too: bit for bit where there is no loss",
        arguments: streams)
    func regions(_ stream: Stream) throws {
        var random = SeededGenerator(seed: 2_000)
        let (coded, image) = try stream.made(&random)
        try compare(
            coded.bytes, image, stream.ratio == nil ? .jpeg2000Lossless : .jpeg2000,
            within: stream.ratio == nil ? 0 : 1,
            &random)
    }

    /// OpenJPEG 2.5.0 gives zeros for a part of such a tile.
    @Test(
        "A region of HTJ2K is cut out of the whole frame, whatever the transfer syntax says of it",
        arguments: [1, 2, 3])
    func highThroughput(_ index: Int) throws {
        var random = SeededGenerator(seed: 814)
        let vector = FrameDecoderTests.vectors[index]
        let image = try vector.image()
        #expect(!FrameDecoder.decodesRegions(of: vector.syntax))
        for syntax in [vector.syntax, .jpeg2000Lossless] {
            let whole = try FrameDecoder.decode(vector.bytes, image, transferSyntax: syntax)
            for reduction in [0, 0, 0, 0, 1, 2] {
                let region = try Self.region(of: image, &random)
                let part = try FrameDecoder.decode(
                    vector.bytes, image, transferSyntax: syntax,
                    options: DecodingOptions(reduction: reduction, region: region))
                #expect(part == whole.cut(region))
            }
            var limits = PixelLimits.default
            limits.samplesMax = whole.shape.sampleCount - 1
            #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: whole.shape.sampleCount)) {
                try FrameDecoder.decode(
                    vector.bytes, image, transferSyntax: syntax,
                    options: DecodingOptions(region: FrameRegion(left: 2, top: 2, columns: 3, rows: 3)),
                    limits: limits)
            }
        }
    }

    /// Moves image and tiles on the reference grid: by a multiple of 2^20 nothing else changes.
    private func moved(_ bytes: [UInt8], by distance: Int) -> [UInt8] {
        var bytes = bytes
        // Xsiz, Ysiz, XOsiz, YOsiz, XTOsiz and YTOsiz.
        for at in [8, 12, 16, 20, 32, 36] {
            let old = (0..<4).reduce(0) { $0 << 8 | Int(bytes[at + $1]) }
            for byte in 0..<4 { bytes[at + byte] = UInt8(truncatingIfNeeded: (old + distance) >> (24 - 8 * byte)) }
        }
        return bytes
    }

    @Test("T.800 §B.2: an image that begins far on its grid has the same regions; one beyond 2^31 is refused")
    func origins() throws {
        var random = SeededGenerator(seed: 31)
        let (coded, image) = try Self.streams[6].made(&random)
        let region = try Self.region(of: image, &random, step: 8)
        for reduction in [0, 3] {
            let options = DecodingOptions(reduction: reduction, region: region)
            let plain = try FrameDecoder.decode(
                coded.bytes, image, transferSyntax: .jpeg2000Lossless, options: options)
            for distance in [1 << 20, 3 << 20, 0x7FF0_0000] {
                let part = try FrameDecoder.decode(
                    moved(coded.bytes, by: distance), image, transferSyntax: .jpeg2000Lossless, options: options)
                #expect(part == plain)
            }
            for distance in [1 << 31, 0xFFF0_0000] {
                #expect(throws: PixelCodecError.unsupported("JPEG 2000 that begins so far on its grid")) {
                    try FrameDecoder.decode(
                        moved(coded.bytes, by: distance), image, transferSyntax: .jpeg2000Lossless, options: options)
                }
            }
        }
    }

    @Test("Damage in a tile that a region does not touch is none of the region's; a cut codestream is an error")
    func untouchedTiles() throws {
        var random = SeededGenerator(seed: 5)
        let (coded, image) = try Self.streams[6].made(&random)
        let options = DecodingOptions(region: FrameRegion(left: 3, top: 5, columns: 57, rows: 50))
        let plain = try FrameDecoder.decode(coded.bytes, image, transferSyntax: .jpeg2000Lossless, options: options)
        let last = try #require(
            coded.bytes.indices.dropLast().last { coded.bytes[$0] == 0xFF && coded.bytes[$0 + 1] == 0x90 })
        var damaged = coded.bytes
        // Behind SOT and SOD.
        for at in last + 14..<damaged.count - 2 { damaged[at] = 0x55 }
        #expect(
            try FrameDecoder.decode(damaged, image, transferSyntax: .jpeg2000Lossless, options: options) == plain)
        #expect(throws: PixelCodecError.self) {
            try FrameDecoder.decode(
                Array(coded.bytes.prefix(last + 20)), image, transferSyntax: .jpeg2000Lossless, options: options)
        }
    }

    @Test("Halved sides begin at a pixel of the smaller image: a region that does not is halved less often")
    func unaligned() throws {
        var random = SeededGenerator(seed: 6)
        let (coded, image) = try Self.streams[0].made(&random)
        for (left, halvings) in [(0, 3), (24, 3), (20, 2), (6, 1), (7, 0)] {
            let region = try #require(FrameRegion(left: left, top: 8, columns: 41, rows: 33))
            let part = try FrameDecoder.decode(
                coded.bytes, image, transferSyntax: .jpeg2000Lossless,
                options: DecodingOptions(reduction: 3, region: region))
            #expect((part.rows, part.columns) == image.halved(halvings, of: region))
        }
    }

    @Test("Limits count the region's samples; those of the whole and its code-blocks have limits of their own")
    func limits() throws {
        var random = SeededGenerator(seed: 7)
        let (coded, image) = try Self.streams[0].made(&random)
        let whole = image.rows * image.columns
        let region = try #require(FrameRegion(left: 10, top: 10, columns: 20, rows: 30))
        var limits = PixelLimits.default
        func decode(_ region: FrameRegion?) throws {
            _ = try FrameDecoder.decode(
                coded.bytes, image, transferSyntax: .jpeg2000Lossless, options: DecodingOptions(region: region),
                limits: limits)
        }
        limits.samplesMax = 600
        limits.wholeSamplesMax = whole
        limits.blocksMax = whole / 4_096
        #expect(throws: Never.self) { try decode(region) }
        #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: whole)) { try decode(nil) }
        limits.samplesMax = 599
        #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: 600)) { try decode(region) }
        limits.samplesMax = 600
        limits.wholeSamplesMax = whole - 1
        #expect(throws: PixelCodecError.tooLarge(limit: "wholeSamplesMax", value: whole)) { try decode(region) }
        limits.wholeSamplesMax = whole
        limits.blocksMax -= 1
        #expect(throws: PixelCodecError.tooLarge(limit: "blocksMax", value: whole / 4_096)) { try decode(region) }
        // Of an image within the first limit they are not counted.
        limits.samplesMax = whole
        #expect(throws: Never.self) { try decode(region) }
    }

    /// One tile of grey 128 with nothing in it: 102 bytes, however large.
    private func empty(side: Int, block: UInt8 = 4) -> [UInt8] {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * (bytes - 1 - $0))) }
        }
        let sides = number(side, 4) + number(side, 4)
        let none = [UInt8](repeating: 0, count: 8)
        let size = number(0xFF4F, 2) + number(0xFF51, 2) + number(41, 2) + number(0, 2) + sides + none + sides + none
        // Five decompositions, reversible.
        let coding: [UInt8] = [0, 1, 7, 1, 1] + number(0xFF52, 2) + [0, 12, 0, 0, 0, 1, 0, 5, block, block, 0, 1]
        let steps = number(0xFF5C, 2) + [0, 19, 0x40] + [UInt8](repeating: 0x48, count: 16)
        // A packet without data for each of six resolutions.
        let tile = number(0xFF90, 2) + [0, 10, 0, 0] + number(20, 4) + [0, 1] + number(0xFF93, 2)
        return size + coding + steps + tile + [UInt8](repeating: 0, count: 6) + number(0xFFD9, 2)
    }

    @Test("The corner of an image of 20,000 x 20,000 is decoded, which the whole is too large for")
    func corner() throws {
        let image = try FrameDecoderTests.image(rows: 20_000, columns: 20_000)
        let region = try #require(FrameRegion(left: 19_700, top: 19_800, columns: 300, rows: 200))
        func decode(_ bytes: [UInt8], _ image: ImagePixel, _ region: FrameRegion?) throws -> NativeFrame {
            try FrameDecoder.decode(
                bytes, image, transferSyntax: .jpeg2000Lossless, options: DecodingOptions(region: region))
        }
        let corner = try decode(empty(side: 20_000), image, region)
        #expect((corner.rows, corner.columns) == (200, 300))
        #expect(corner.bytes.allSatisfy { $0 == 128 })
        #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: 400_000_000)) {
            try decode(empty(side: 20_000), image, nil)
        }
        // Blocks of 4 x 4, which would take gigabytes.
        #expect(throws: PixelCodecError.tooLarge(limit: "blocksMax", value: 25_000_000)) {
            try decode(empty(side: 20_000, block: 0), image, region)
        }
        let larger = try FrameDecoderTests.image(rows: 46_341, columns: 46_341)
        #expect(throws: PixelCodecError.tooLarge(limit: "wholeSamplesMax", value: 46_341 * 46_341)) {
            try decode(empty(side: 46_341), larger, region)
        }
    }

    @Test("T.800 Table A.20: precincts make code-blocks smaller")
    func blocks() throws {
        let plain = try #require(JPEG2000Headers(PixelVectors.htj2k8))
        #expect(plain.blockSamples == 4_096)
        let coding = try #require(
            PixelVectors.htj2k8.indices.dropLast().first {
                PixelVectors.htj2k8[$0] == 0xFF && PixelVectors.htj2k8[$0 + 1] == 0x52
            })
        // The precincts of three resolutions: 16 x 16, 32 x 32 and 64 x 128.
        var bytes = PixelVectors.htj2k8
        bytes[coding + 3] += 3
        bytes[coding + 4] |= 1
        bytes.insert(contentsOf: [0x44, 0x55, 0x76], at: coding + 14)
        #expect(try #require(JPEG2000Headers(bytes)).blockSamples == 256)
        bytes[coding + 15] = 0
        #expect(try #require(JPEG2000Headers(bytes)).blockSamples == 1)
    }

    @Test(
        "A region of a frame of another codec is cut out of the whole frame",
        arguments: [TransferSyntax.rleLossless, .jpegBaseline, .jpegLSLossless, .explicitVRLittleEndian])
    func otherCodecs(_ syntax: TransferSyntax) throws {
        var random = SeededGenerator(seed: 8)
        let frame = try FrameEncoderTests.kinds[8].frame(&random)
        let coded = try FrameEncoder.encode(frame, as: syntax)
        let image = try FrameEncoderTests.image(of: frame, coded.photometricInterpretation)
        let whole = try FrameDecoder.decode(coded.bytes, image, transferSyntax: syntax)
        #expect(!FrameDecoder.decodesRegions(of: syntax))
        for _ in 0..<8 {
            let region = try Self.region(of: image, &random)
            let part = try FrameDecoder.decode(
                coded.bytes, image, transferSyntax: syntax, options: DecodingOptions(reduction: 2, region: region))
            #expect(part == whole.cut(region))
        }
    }

    @Test("A region beside the image is refused, and one of nothing is none")
    func beside() throws {
        let image = try FrameDecoderTests.image()
        for (left, columns) in [(18, 2), (19, 1), (0, 20), (0xFFFF, 0xFFFF)] {
            let region = try #require(FrameRegion(left: left, top: 0, columns: columns, rows: 1))
            #expect(throws: PixelCodecError.unsupported("a region beside the image")) {
                try FrameDecoder.decode(
                    PixelVectors.htj2k8, image, transferSyntax: .htj2kLossless,
                    options: DecodingOptions(region: region))
            }
        }
        #expect(FrameRegion(left: 0, top: 0, columns: 0, rows: 1) == nil)
        #expect(FrameRegion(left: -1, top: 0, columns: 1, rows: 1) == nil)
        #expect(FrameRegion(left: 0, top: 0x10000, columns: 1, rows: 1) == nil)
    }
}
