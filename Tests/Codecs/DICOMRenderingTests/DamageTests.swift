import DICOMData
import DICOMPixels
import PixelCodecs
import TestSupport
import Testing

@testable import DICOMRendering

/// No data set and no frame traps: attributes, tables, overlays, shutters and functional groups of random values.
@Suite("Damaged descriptions of images")
struct DamageTests {
    private static let tags: [Tag] = {
        var tags: [Tag] = [
            .rows, .columns, .bitsAllocated, .bitsStored, .highBit, .pixelRepresentation, .samplesPerPixel,
            .photometricInterpretation, .numberOfFrames, .windowCenter, .windowWidth, .voilutFunction, .rescaleSlope,
            .rescaleIntercept, .pixelPaddingValue, .pixelAspectRatio, .pixelSpacing, .modalityLUTSequence,
            .voilutSequence, .presentationLUTShape, .lutDescriptor, .lutData,
        ]
        let palette: [UInt16] = [0x1101, 0x1102, 0x1103, 0x1201, 0x1202, 0x1203, 0x1221, 0x1222, 0x1223, 0x0121]
        let overlay: [UInt16] = [0x0010, 0x0011, 0x0015, 0x0050, 0x0051, 0x0100, 0x0102, 0x3000]
        for element in 0x1600...0x1623 { tags.append(Tag(0x0018, UInt16(element))) }
        for element in palette { tags.append(Tag(0x0028, element)) }
        for element in overlay { tags.append(Tag(0x6000, element)) }
        return tags
    }()

    private static let texts = [
        "", "0", "1", "-1", "8", "16", "1e308", "-1e400", "nan", "2\\2", "0\\0\\5", "MONOCHROME1", "MONOCHROME2",
        "PALETTE COLOR", "RGB", "YBR_FULL", "SIGMOID", "LINEAR_EXACT", "INVERSE", "RECTANGULAR\\CIRCULAR",
        "POLYGONAL\\BITMAP", "9223372036854775807", "-9223372036854775808", "1\\1\\2\\9\\9\\1",
    ]
    private static let vrs: [VR] = [.US, .SS, .UL, .SL, .OW, .OB, .UN, .UV, .SV, .FD]

    private static func damage(_ set: inout DataSet, _ generator: inout SeededGenerator, depth: Int = 0) {
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            guard let tag = tags.randomElement(using: &generator) else { continue }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: set.remove(tag)
            case 1:
                let vr: VR = Bool.random(using: &generator) ? .DS : .CS
                set.set(tag, vr, string: texts.randomElement(using: &generator) ?? "")
            case 2 where depth < 2:
                var item = DataSet()
                damage(&item, &generator, depth: depth + 1)
                let places: [Tag] = [
                    tag, .sharedFunctionalGroupsSequence, .perFrameFunctionalGroupsSequence, Tag(0x0028, 0x9132),
                    Tag(0x0028, 0x9145), Tag(0x0018, 0x9472), Tag(0x0028, 0x9110),
                ]
                set.set(places.randomElement(using: &generator) ?? tag, .SQ, items: [item])
            default:
                let count = Int.random(in: 0...40, using: &generator)
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                set.set(tag, vrs.randomElement(using: &generator) ?? .UN, bytes: bytes)
            }
        }
    }

    @Test("Damage of every attribute gives a picture or an error, never a trap", arguments: [UInt64(1), 2, 3, 4])
    func attributes(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var pictures = 0
        for _ in 0..<1_500 {
            var set = RenderingFixtures.image(
                rows: 4, columns: 5, allocated: Bool.random(using: &generator) ? 8 : 16, stored: 8,
                isSigned: Bool.random(using: &generator))
            Self.damage(&set, &generator)
            guard let rendering = try? ImageRendering(set), rendering.image.rows * rendering.image.columns <= 4_096
            else { continue }
            let image = rendering.image
            let size = image.bitsAllocated <= 8 ? 1 : image.bitsAllocated <= 16 ? 2 : image.bitsAllocated <= 32 ? 4 : 8
            let count = image.rows * image.columns * image.samplesPerPixel * size
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            guard
                let frame = NativeFrame(
                    rows: image.rows, columns: image.columns, samplesPerPixel: image.samplesPerPixel,
                    sampleBytes: size, bitsStored: image.bitsStored, isSigned: image.isSigned,
                    photometricInterpretation: image.photometricInterpretation, bytes: bytes)
            else { continue }
            var options = ImageRendering.Options()
            if Bool.random(using: &generator) {
                options.viewport = Viewport(
                    width: Int.random(in: 1...40, using: &generator), height: Int.random(in: 1...40, using: &generator),
                    region: .init(x: Double.random(in: 0...6, using: &generator), width: 1.5))
            }
            let number = Int.random(in: 1...3, using: &generator)
            _ = rendering.defaultWindow(of: frame, number: number)
            let picture = try? rendering.render(frame, number: number, cells: bytes, options: options)
            if let picture {
                pictures += 1
                #expect(picture.bytes.count == picture.rows * picture.columns * picture.samplesPerPixel)
            }
        }
        #expect(pictures > 100, "seed \(seed)")
    }

    @Test("A frame that is not of the image is refused")
    func otherFrame() throws {
        let set = RenderingFixtures.image(rows: 2, columns: 2, allocated: 8, stored: 8)
        let other = RenderingFixtures.image(rows: 3, columns: 2, allocated: 8, stored: 8)
        let frame = try RenderingFixtures.frame([0, 0, 0, 0, 0, 0], of: other)
        #expect(throws: RenderingError.noImage) { try ImageRendering(set).render(frame, number: 1) }
        #expect(throws: RenderingError.noImage) { try ImageRendering(DataSet()) }
    }

    @Test("Values that were left in the file are asked for by their paths, and put back where they were")
    func externalValues() throws {
        var set = RenderingFixtures.image(rows: 1, columns: 3, allocated: 8, stored: 8)
        let far = ExternalValue(offset: 1_000, length: 6)
        var table = DataSet()
        table.set(.lutDescriptor, .US, ints: [3, 0, 8])
        table[.lutData] = DataElement(.lutData, .OW, .external(far))
        set.set(.voilutSequence, items: [table])
        set[Tag(0x6002, 0x3000)] = DataElement(Tag(0x6002, 0x3000), .OW, .external(far))
        set[.pixelData] = DataElement(.pixelData, .OW, .external(far))
        let paths = ImageRendering.externalPaths(in: set)
        #expect(paths.map(\.description) == ["00283010.0.00283006", "60023000"])
        set.put([0, 0, 128, 0, 255, 0], at: try #require(paths.first))
        #expect(try RenderingFixtures.shown([0, 1, 2], set) == [0, 128, 255])
    }
}
