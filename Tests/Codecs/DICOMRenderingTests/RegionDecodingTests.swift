import DICOMData
import DICOMPixels
import PixelCodecs
import TestSupport
import Testing

@testable import DICOMRendering

/// Pictures of a region of which that part alone was decoded, against those of the whole frame. PS3.18 §8.3.5.1.3.
@Suite("Pictures of decoded regions")
struct RegionDecodingTests {
    private typealias Fixtures = RenderingFixtures

    private static let (rows, columns) = (120, 150)

    /// Slopes, as JPEG 2000 without loss.
    private static func coded(_ set: DataSet) throws -> [UInt8] {
        let samples = set.int(.samplesPerPixel) ?? 1
        let bits = set.int(.bitsStored) ?? 8
        let values = (0..<rows * columns * samples).map { index in
            let (pixel, sample) = (index / samples, index % samples)
            return (pixel / columns * 5 + pixel % columns * 3 + sample * 40 + pixel * 7 % 11) % (1 << bits)
        }
        return try FrameEncoder.encode(Fixtures.frame(values, of: set), as: .jpeg2000Lossless).bytes
    }

    private static func grey() -> DataSet { Fixtures.image(rows: rows, columns: columns, allocated: 8, stored: 8) }

    private static func colour() -> DataSet {
        var set = Fixtures.image(rows: rows, columns: columns, allocated: 8, stored: 8, photometric: "RGB")
        set.set(.samplesPerPixel, int: 3)
        return set
    }

    private static func deep(window: Bool = true) -> DataSet {
        var set = Fixtures.image(rows: rows, columns: columns)
        if window {
            set.set(.windowCenter, string: "400")
            set.set(.windowWidth, string: "700")
        }
        return set
    }

    private static func shuttered() -> DataSet {
        var set = grey()
        set.set(.shutterShape, .CS, string: "CIRCULAR")
        set.set(.centerOfCircularShutter, .IS, string: "60\\70")
        set.set(.radiusOfCircularShutter, .IS, string: "45")
        set.set(.pixelAspectRatio, string: "3\\2")
        return set
    }

    private static func viewport(_ random: inout SeededGenerator) throws -> Viewport {
        let region = Viewport.Region(
            x: Double.random(in: 0..<Double(columns - 2), using: &random),
            y: Double.random(in: 0..<Double(rows - 2), using: &random),
            width: Double.random(in: 1...90, using: &random), height: Double.random(in: 1...90, using: &random),
            flipsHorizontally: Bool.random(using: &random), flipsVertically: Bool.random(using: &random))
        return try #require(
            Viewport(
                width: Int.random(in: 4...120, using: &random), height: Int.random(in: 4...120, using: &random),
                region: region))
    }

    @Test(
        "A picture of the decoded region is that of the whole frame, decoded at the same size, bit for bit",
        arguments: [grey(), colour(), deep(), shuttered()])
    func same(_ set: DataSet) throws {
        var random = SeededGenerator(seed: 83_513)
        let rendering = try ImageRendering(set)
        let coded = try Self.coded(set)
        var (parts, halved) = (0, 0)
        for _ in 0..<40 {
            var options = ImageRendering.Options()
            options.viewport = try Self.viewport(&random)
            let decoding = rendering.decoding(number: 1, options: options, decodesRegions: true)
            let part = try FrameDecoder.decode(
                coded, rendering.image, transferSyntax: .jpeg2000Lossless, options: decoding)
            let halvings = try #require(
                (0...decoding.reduction).first {
                    rendering.image.halved($0, of: decoding.region) == (part.rows, part.columns)
                })
            let whole = try FrameDecoder.decode(
                coded, rendering.image, transferSyntax: .jpeg2000Lossless,
                options: DecodingOptions(reduction: halvings, wantsRGB: true))
            let expected = try rendering.render(whole, number: 1, options: options)
            options.region = decoding.region
            #expect(try rendering.render(part, number: 1, options: options) == expected)
            if decoding.region != nil { parts += 1 }
            if halvings > 0 { halved += 1 }
        }
        #expect(parts > 20)
        #expect(halved > 2)
    }

    @Test("A picture of a halved region is near that of all its pixels")
    func near() throws {
        var set = Self.grey()
        set.set(.windowCenter, string: "128")
        let values = (0..<Self.rows * Self.columns).map { $0 / Self.columns + $0 % Self.columns / 2 }
        let whole = try Fixtures.frame(values, of: set)
        let coded = try FrameEncoder.encode(whole, as: .jpeg2000Lossless).bytes
        let rendering = try ImageRendering(set)
        var options = ImageRendering.Options()
        options.viewport = Viewport(
            width: 16, height: 16, region: Viewport.Region(x: 16, y: 16, width: 64, height: 64))
        let expected = try rendering.render(whole, number: 1, options: options)
        let decoding = rendering.decoding(number: 1, options: options, decodesRegions: true)
        #expect(decoding.reduction == 2)
        let part = try FrameDecoder.decode(
            coded, rendering.image, transferSyntax: .jpeg2000Lossless, options: decoding)
        #expect(part.columns < 32)
        options.region = decoding.region
        let picture = try rendering.render(part, number: 1, options: options)
        #expect((picture.rows, picture.columns) == (16, 16))
        // A pixel of the smaller image stands for its first, not for the middle of its four.
        #expect(zip(picture.bytes, expected.bytes).allSatisfy { abs(Int($0) - Int($1)) <= 4 })
    }

    @Test("The whole is decoded where the rest counts: for a window of its values, overlays, other codecs, no region")
    func whole() throws {
        var options = ImageRendering.Options()
        options.viewport = Viewport(
            width: 40, height: 40, region: Viewport.Region(x: 10, y: 10, width: 20, height: 20))
        func region(_ set: DataSet, decodes: Bool = true) throws -> FrameRegion? {
            try ImageRendering(set).decoding(number: 1, options: options, decodesRegions: decodes).region
        }
        #expect(try region(Self.grey()) == FrameRegion(left: 8, top: 8, columns: 24, rows: 24))
        #expect(try region(Self.grey(), decodes: false) == nil)
        #expect(try region(Self.deep()) != nil)
        #expect(try region(Self.deep(window: false)) == nil)
        options.defaultWindow = VOIWindow(center: 100, width: 50, function: .linear)
        #expect(try region(Self.deep(window: false)) != nil)
        var overlaid = Self.grey()
        overlaid.set(Tag(0x6000, 0x0010), .US, int: 1)
        overlaid.set(Tag(0x6000, 0x0011), .US, int: 8)
        overlaid.set(Tag(0x6000, 0x3000), .OW, bytes: [1, 0])
        #expect(try region(overlaid) == nil)
        options.viewport = Viewport(width: 40, height: 40)
        #expect(try region(Self.grey()) == nil)
        options.viewport = Viewport(
            width: 40, height: 40, region: Viewport.Region(width: 150, height: 120, flipsVertically: true))
        #expect(try region(Self.grey()) == nil)
        // Beside the image there is nothing to be decoded: rendering says so.
        options.viewport = Viewport(width: 40, height: 40, region: Viewport.Region(x: 200, y: 0))
        #expect(try region(Self.grey()) == nil)
    }

    @Test("A frame that is not the region's, or too little of it, is no image, never a trap")
    func foreign() throws {
        let set = Self.grey()
        let rendering = try ImageRendering(set)
        var options = ImageRendering.Options()
        options.viewport = Viewport(
            width: 20, height: 20, region: Viewport.Region(x: 10, y: 10, width: 20, height: 20))
        let frame = try #require(
            NativeFrame(
                rows: 20, columns: 20, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: [UInt8](repeating: 1, count: 400)))
        for (left, top, size) in [(0, 0, 24), (12, 8, 20), (8, 12, 20), (0, 0, 20), (140, 0, 20), (3, 8, 40)] {
            options.region = FrameRegion(left: left, top: top, columns: size, rows: size)
            #expect(throws: RenderingError.noImage) { try rendering.render(frame, number: 1, options: options) }
        }
        options.region = FrameRegion(left: 10, top: 10, columns: 20, rows: 20)
        #expect(try rendering.render(frame, number: 1, options: options).bytes == frame.bytes)
    }
}
