import DICOMData
import Testing

@testable import DICOMRendering

/// Shadows of lines and letters, and graphics that lie in a total pixel matrix. PS3.3 §C.10.5.
@Suite("Shadows, and graphics over tiles")
struct GraphicShadowTests {
    private typealias Fixtures = RenderingFixtures
    private typealias States = PresentationStateTests
    private static let black = [0, 0x8080, 0x8080]
    private static let white = [0xFFFF, 0x8080, 0x8080]
    private static let side = 64

    private static func shadow(
        _ item: inout DataSet, _ style: String, _ offset: (Double, Double), colour: [Int]? = black, opacity: Double = 1
    ) {
        item.set(.shadowStyle, .CS, string: style)
        item.set(.shadowOffsetX, .FL, doubles: [offset.0])
        item.set(.shadowOffsetY, .FL, doubles: [offset.1])
        if let colour { item.set(.shadowColorCIELabValue, .US, ints: colour) }
        item.set(.shadowOpacity, .FL, doubles: [opacity])
    }

    private static func image() -> DataSet {
        var image = Fixtures.image(rows: side, columns: side, allocated: 8, stored: 8)
        image.set(.sopInstanceUID, string: "1.1")
        return image
    }

    /// A picture of 64 x 64 pixels of grey 100 with one annotation.
    private static func shown(
        _ annotation: DataSet, _ image: DataSet = image(), number: Int = 1, rotation: Int = 0
    ) throws -> [UInt8] {
        var state = States.state()
        state.set(.graphicAnnotationSequence, .SQ, items: [annotation])
        if rotation != 0 { state.set(.imageRotation, .US, int: rotation) }
        return try States.shown(
            [Int](repeating: 100, count: side * side), image, state, number: number
        ).bytes
    }

    /// A white line across the middle of the picture, in line 32.
    private static func line(
        _ style: String, _ offset: (Double, Double), colour: [Int]? = black, opacity: Double = 1, rotation: Int = 0
    ) throws -> [UInt8] {
        var item = DataSet()
        item.set(.patternOnColorCIELabValue, .US, ints: white)
        shadow(&item, style, offset, colour: colour, opacity: opacity)
        var graphic = States.graphic("POLYLINE", [-9, 32.5, 80, 32.5])
        graphic.set(.lineStyleSequence, .SQ, items: [item])
        return try shown(States.annotation([graphic]), rotation: rotation)
    }

    private static func column(_ bytes: [UInt8], _ column: Int = 30) -> [UInt8] {
        (0..<side).map { bytes[$0 * side + column] }
    }

    @Test("PS3.3 §C.10.5.1.3.13.2: a normal shadow lies beside its line, by the offset, below the line")
    func normal() throws {
        let below = Self.column(try Self.line("NORMAL", (0, 3)))
        #expect(below[32] == 255 && below[35] == 0)
        #expect(below.enumerated().allSatisfy { $0.offset == 32 || $0.offset == 35 || $0.element == 100 })
        let above = Self.column(try Self.line("NORMAL", (5, -2)))
        #expect(above[32] == 255 && above[30] == 0 && above[34] == 100)
        // The line hides a shadow that lies under it.
        #expect(Self.column(try Self.line("NORMAL", (4, 0)))[32] == 255)
    }

    @Test("A shadow lies below its line whichever way the image is turned")
    func turned() throws {
        let bytes = try Self.line("NORMAL", (0, 3), rotation: 180)
        // Line 32 of the image is line 31 of the picture now.
        let column = Self.column(bytes)
        #expect(column[31] == 255 && column[34] == 0 && column[28] == 100)
        let upright = try Self.line("NORMAL", (3, 0), rotation: 90)
        let row = Array(upright[30 * Self.side..<31 * Self.side])
        #expect(row[31] == 255 && row[34] == 0 && row[28] == 100)
    }

    @Test("An outlined shadow lies around its line, as far as the offset is long")
    func outlined() throws {
        let column = Self.column(try Self.line("OUTLINED", (0, 1.5)))
        #expect(column[32] == 255)
        #expect(column[31] == 0 && column[33] == 0)
        #expect(column[29] == 100 && column[35] == 100)
        // No thicker than a 32nd of the side each way.
        let thick = Self.column(try Self.line("OUTLINED", (900, 900)))
        #expect(thick[30] == 0 && thick[28] == 100 && thick[36] == 100)
    }

    @Test("An opacity lets the image through; OFF, no colour and no offset are no shadow")
    func none() throws {
        // Black of half the opacity over 100.
        #expect([49, 50, 51].contains(Self.column(try Self.line("NORMAL", (0, 3), opacity: 0.5))[35]))
        for bytes in [
            try Self.line("OFF", (0, 3)), try Self.line("NORMAL", (0, 3), colour: nil),
            try Self.line("NORMAL", (0, .nan)), try Self.line("OUTLINED", (1e12, 0)),
        ] {
            let column = Self.column(bytes)
            #expect(column[32] == 255 && column.count { $0 == 100 } == Self.side - 1)
        }
    }

    @Test("Letters have shadows too, in the units of their anchor, else of their box")
    func letters() throws {
        func text(_ style: String, _ offset: (Double, Double), units: String = "PIXEL") throws -> [UInt8] {
            var item = DataSet()
            item.set(.textColorCIELabValue, .US, ints: Self.white)
            Self.shadow(&item, style, offset)
            var text = DataSet()
            text.set(.unformattedTextValue, .ST, string: "I")
            let scale = units == "PIXEL" ? 1 : 1.0 / Double(Self.side)
            text.set(.boundingBoxAnnotationUnits, .CS, string: units)
            text.set(.boundingBoxTopLeft, .FL, doubles: [10 * scale, 10 * scale])
            text.set(.boundingBoxBottomRight, .FL, doubles: [30 * scale, 30 * scale])
            text.set(.textStyleSequence, .SQ, items: [item])
            return try Self.shown(States.annotation([], texts: [text]))
        }
        func places(_ bytes: [UInt8], _ grey: UInt8) -> Set<Int> { Set(bytes.indices.filter { bytes[$0] == grey }) }
        let plain = try text("OFF", (0, 0))
        let strokes = places(plain, 255)
        #expect(!strokes.isEmpty && places(plain, 0).isEmpty)
        let beside = try text("NORMAL", (20, 3))
        #expect(places(beside, 255) == strokes)
        #expect(places(beside, 0) == Set(strokes.map { $0 + 3 * Self.side + 20 }))
        let parts = try text("NORMAL", (20.0 / 64, 3.0 / 64), units: "DISPLAY")
        #expect(places(parts, 0) == places(beside, 0))
        let around = try text("OUTLINED", (1, 0))
        #expect(places(around, 255) == strokes)
        let edge = places(around, 0)
        #expect(
            strokes.allSatisfy { at in [-1, 1].allSatisfy { edge.contains(at + $0) || strokes.contains(at + $0) } })
        #expect(
            edge.allSatisfy { at in
                [-Self.side, 0, Self.side].contains { line in
                    [-1, 0, 1].contains { strokes.contains(at + line + $0) }
                }
            })
    }

    // MARK: Tiles

    /// Two lines of three tiles of 64 x 64, the last of each less wide.
    private static func tiled(_ kind: String = "TILED_FULL") -> DataSet {
        var image = image()
        image.set(.numberOfFrames, int: 12)
        image.set(.totalPixelMatrixColumns, .UL, int: 3 * side - 5)
        image.set(.totalPixelMatrixRows, .UL, int: 2 * side)
        image.set(.dimensionOrganizationType, .CS, string: kind)
        return image
    }

    private static let mark = States.annotation([States.graphic("POINT", [64 + 20.5, 64 + 40.5], units: "MATRIX")])

    @Test("PS3.3 §C.10.5: MATRIX is pixels of the total pixel matrix; a tile shows what lies in it")
    func matrix() throws {
        for number in 1...12 {
            let bytes = try Self.shown(Self.mark, Self.tiled(), number: number)
            // The fifth of six, for each of two optical paths.
            let isMarked = number == 5 || number == 11
            #expect(bytes.contains { $0 > 100 } == isMarked, "\(number)")
            if isMarked { #expect(bytes[40 * Self.side + 20] == 255) }
        }
    }

    @Test("Tiles say themselves where they lie, and count on in a concatenation")
    func positions() throws {
        var position = DataSet()
        position.set(.columnPositionInTotalImagePixelMatrix, .SL, int: 64 + 11)
        position.set(.rowPositionInTotalImagePixelMatrix, .SL, int: 64 + 31)
        var group = DataSet()
        group.set(.planePositionSlideSequence, .SQ, items: [position])
        var sparse = Self.tiled("TILED_SPARSE")
        sparse.set(.perFrameFunctionalGroupsSequence, .SQ, items: [group])
        #expect(try Self.shown(Self.mark, sparse)[10 * Self.side + 10] == 255)
        var continued = Self.tiled()
        continued.set(.concatenationFrameOffsetNumber, .UL, int: 3)
        #expect(try ImageRendering(continued).tileOrigin(number: 2) == Coverage.Point(64, 64))
        continued.set(.concatenationFrameOffsetNumber, .SV, int: -1)
        #expect(try ImageRendering(continued).tileOrigin(number: 2) == nil)
    }

    @Test("What lies in a matrix that an image has not, or whose tiles it does not place, is not drawn")
    func unplaced() throws {
        var text = DataSet()
        text.set(.unformattedTextValue, .ST, string: "H")
        text.set(.anchorPointAnnotationUnits, .CS, string: "MATRIX")
        text.set(.anchorPoint, .FL, doubles: [20, 20])
        text.set(.anchorPointVisibility, .CS, string: "Y")
        let both = States.annotation(
            [States.graphic("POINT", [20.5, 20.5], units: "MATRIX"), States.graphic("POINT", [50.5, 50.5])],
            texts: [text])
        for image in [Self.image(), Self.tiled("TILED_SPARSE")] {
            let bytes = try Self.shown(both, image)
            #expect(bytes[20 * Self.side + 20] == 100)
            #expect(bytes[50 * Self.side + 50] == 255)
            #expect(bytes.indices.filter { bytes[$0] != 100 }.allSatisfy { $0 / Self.side > 45 })
        }
        #expect(try Self.shown(both, Self.tiled())[20 * Self.side + 20] == 255)
        for (columns, rows) in [(0, 1), (-1, 5)] {
            var image = Self.tiled()
            image.set(.totalPixelMatrixColumns, .SV, int: columns)
            image.set(.totalPixelMatrixRows, .SV, int: rows)
            #expect(try ImageRendering(image).tileOrigin(number: 1) == nil)
        }
        var vast = Self.tiled()
        vast.set(.totalPixelMatrixColumns, .SV, int: .max)
        #expect(try ImageRendering(vast).tileOrigin(number: 3) == Coverage.Point(128, 0))
    }
}
