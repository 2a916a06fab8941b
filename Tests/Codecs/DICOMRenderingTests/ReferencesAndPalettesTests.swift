import DICOMData
import DICOMPixels
import PixelCodecs
import TestSupport
import Testing

@testable import DICOMRendering

/// What is referred to, colours beside grey, and states of random values. PS3.3 §A.35.4, §C.7.6.19, §C.11.
@Suite("References, supplemental palettes and damaged states")
struct ReferencesAndPalettesTests {
    private typealias Fixtures = RenderingFixtures

    private static func selected(_ uid: String?, type: String = "IMAGE", frames: [Int] = []) -> DataSet {
        var item = DataSet()
        item.set(.valueType, string: type)
        if let uid {
            item.set(.referencedSOPSequence, items: [PresentationStateTests.reference(uid, frames: frames)])
        }
        return item
    }

    @Test("A selection of 1,000 images is read, one of 1,001 refused; what names no instance is passed over")
    func selections() throws {
        var set = DataSet()
        set.set(.contentSequence, items: (0..<1_000).map { Self.selected("1.\($0)") })
        #expect(try KeyObjects.references(set).count == 1_000)
        set.set(.contentSequence, items: (0..<1_001).map { Self.selected("1.\($0)") })
        #expect(throws: RenderingError.self) { try KeyObjects.references(set) }
        set.set(
            .contentSequence,
            items: [
                Self.selected(nil), Self.selected("../1"), Self.selected("1.1", type: "TEXT"), Self.selected("1.2"),
                Self.selected("1.2"), Self.selected("1.2", frames: [3, -1, 2]),
            ])
        #expect(
            try KeyObjects.references(set)
                == [ImageReference("1.2"), ImageReference("1.2", frames: [3, 2])])
        #expect(try KeyObjects.references(DataSet()).isEmpty)
    }

    @Test("PS3.3 §C.11.8: an item without references is for all, one with them for their frames, of several the union")
    func applicability() {
        var item = DataSet()
        #expect(Applicability(item).includes("1.1", frame: 9))
        item.set(.referencedImageSequence, items: [])
        #expect(!Applicability(item).includes("1.1", frame: 9))
        item.set(
            .referencedImageSequence,
            items: [
                PresentationStateTests.reference("1.1", frames: [2]),
                PresentationStateTests.reference("1.1", frames: [5]), PresentationStateTests.reference("1.2"),
                PresentationStateTests.reference("1.2", frames: [1]),
            ])
        let some = Applicability(item)
        #expect(some.includes("1.1", frame: 2) && some.includes("1.1", frame: 5) && !some.includes("1.1", frame: 3))
        #expect(some.includes("1.2", frame: 7))
    }

    @Test("PS3.3 §C.7.6.19: values from the first that the palette maps are colours, those below are grey")
    func supplement() throws {
        var set = Fixtures.image(rows: 1, columns: 4, allocated: 8, stored: 8)
        for (tag, data, entries) in [
            (Tag.redPaletteColorLookupTableDescriptor, Tag.redPaletteColorLookupTableData, [1, 2]),
            (.greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData, [3, 4]),
            (.bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData, [5, 6]),
        ] {
            set.set(tag, .US, ints: [2, 200, 16])
            set.set(data, .OW, bytes: entries.flatMap { [0, UInt8($0)] })
        }
        #expect(try Fixtures.shown([0, 199, 200, 255], set) == [0, 199, 200, 255])
        set.set(.pixelPresentation, .CS, string: "COLOR")
        #expect(try Fixtures.shown([0, 199, 200, 255], set) == [0, 0, 0, 199, 199, 199, 1, 3, 5, 2, 4, 6])
        let rendering = try ImageRendering(set)
        #expect(try rendering.pictureBytes(number: 1, viewport: nil) == 12)
        #expect(rendering.reduction(for: Viewport(width: 1, height: 1)) == 0)
    }

    private static let tags: [Tag] = {
        let graphic: [UInt16] = [
            0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0008, 0x0009, 0x0010, 0x0011, 0x0012, 0x0014, 0x0015,
            0x0021, 0x0022, 0x0023, 0x0024, 0x0041, 0x0042, 0x0052, 0x0053, 0x005A, 0x0060, 0x0062, 0x0066, 0x0100,
            0x0101, 0x0102, 0x0103, 0x0231, 0x0232, 0x0233, 0x0241, 0x0242, 0x0243, 0x0251,
            0x0252, 0x0253, 0x0254, 0x0255, 0x0257, 0x0284, 0x0285, 0x0401,
        ]
        let grey: [UInt16] = [
            0x1050, 0x1051, 0x1052, 0x1053, 0x1056, 0x3000, 0x3002, 0x3006, 0x3010, 0x3110, 0x6100, 0x6101, 0x6102,
            0x6110, 0x6112, 0x6114, 0x6120, 0x1101, 0x1102, 0x1103, 0x1201, 0x1202, 0x1203,
        ]
        return graphic.map { Tag(0x0070, $0) } + grey.map { Tag(0x0028, $0) }
            + [0x1600, 0x1602, 0x1604, 0x1606, 0x1608, 0x1610, 0x1612, 0x1620, 0x1622, 0x1623, 0x1624].map {
                Tag(0x0018, $0)
            } + [
                Tag(0x2050, 0x0010), Tag(0x2050, 0x0020), Tag(0x6000, 0x0010), Tag(0x6000, 0x3000), Tag(0x6000, 0x1001),
            ]
    }()

    private static let texts = [
        "", "Y", "1", "-1", "1e308", "nan", "90", "270", "PIXEL", "DISPLAY", "POLYLINE", "CIRCLE", "ELLIPSE", "POINT",
        "INTERPOLATED", "DASHED", "MAGNIFY", "TRUE SIZE", "AVG_SUB", "TID", "INVERSE", "1\\1", "9\\9", "-5\\70000",
        "text\r\nof two",
        "0.1\\0.2\\0.3\\0.4\\-1e9\\1e9\\5\\5", "RECTANGULAR\\BITMAP", "1\\1\\2",
    ]

    private static func damage(_ set: inout DataSet, _ generator: inout SeededGenerator, depth: Int = 0) {
        for _ in 0..<Int.random(in: 2...14, using: &generator) {
            guard let tag = tags.randomElement(using: &generator) else { continue }
            switch Int.random(in: 0..<3, using: &generator) {
            case 0:
                let vrs: [VR] = [.CS, .DS, .ST, .IS]
                set.set(
                    tag, vrs.randomElement(using: &generator), string: texts.randomElement(using: &generator) ?? "")
            case 1 where depth < 3:
                var item = DataSet()
                damage(&item, &generator, depth: depth + 1)
                let sequences: [Tag] = [
                    .graphicAnnotationSequence, .graphicObjectSequence, .textObjectSequence, .graphicLayerSequence,
                    .lineStyleSequence, .fillStyleSequence, .textStyleSequence,
                    .displayedAreaSelectionSequence, .softcopyVOILUTSequence, .maskSubtractionSequence,
                    .presentationLUTSequence, .modalityLUTSequence, .voilutSequence,
                ]
                set.set(sequences.randomElement(using: &generator) ?? tag, .SQ, items: [item])
            default:
                let vrs: [VR] = [.US, .SS, .SL, .FL, .FD, .OW, .UN]
                let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                set.set(tag, vrs.randomElement(using: &generator) ?? .UN, bytes: bytes)
            }
        }
    }

    @Test("A state of random values gives a picture or an error, never a trap", arguments: [UInt64(1), 2, 3, 4])
    func damagedStates(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var image = Fixtures.image(rows: 12, columns: 9, isSigned: seed % 2 == 0)
        image.set(.sopInstanceUID, string: "1.1")
        image.set(.numberOfFrames, int: 5)
        let frame = try Fixtures.frame(Array(0..<108), of: image)
        let classes = (1...3).map { "1.2.840.10008.5.1.4.1.1.11.\($0)" }
        for _ in 0..<400 {
            var state = PresentationStateTests.state()
            Self.damage(&state, &generator)
            guard
                let read = try? PresentationState(state, sopClassUID: classes.randomElement(using: &generator) ?? "")
            else { continue }
            var options = ImageRendering.Options()
            // Small pictures: a damaged area can be as large as it may.
            options.viewport = Viewport(width: 40, height: 30)
            let rendering = try ImageRendering(image, state: read)
            _ = try? rendering.subtraction(number: 2)
            _ = try? rendering.pictureBytes(number: 2, viewport: options.viewport)
            if let picture = try? rendering.render(frame, number: 2, options: options) {
                #expect(picture.bytes.count == picture.rows * picture.columns * picture.samplesPerPixel)
            }
        }
    }
}
