import DICOMData
import Testing

@testable import DICOMRendering

/// Lines, areas and letters in the style of their object, in place of their layer's. PS3.3 §C.10.5.1.3.
@Suite("Styles of graphics")
struct GraphicStyleTests {
    private typealias Fixtures = RenderingFixtures
    private typealias States = PresentationStateTests
    /// sRGB red; L*, a* and b* as they are stored.
    private static let red = [35_578, 53_661, 50_857]
    private static let black = [0, 0x8080, 0x8080]
    private static let white = [0xFFFF, 0x8080, 0x8080]

    /// A style of a colour, with more attributes.
    private static func style(_ colour: [Int]?, _ more: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var item = DataSet()
        if let colour { item.set(.patternOnColorCIELabValue, .US, ints: colour) }
        more(&item)
        return item
    }

    private static func dashes(_ pattern: UInt32) -> (inout DataSet) -> Void {
        { item in
            item.set(.lineDashingStyle, .CS, string: "DASHED")
            item.set(.linePattern, .UL, int: Int(pattern))
        }
    }

    /// A picture of `rows` lines of 32 pixels of grey 9 with one object, in a layer of grey 128.
    private static func shown(
        _ graphic: DataSet, _ style: DataSet?, rows: Int = 3
    ) throws -> RenderedImage {
        var image = Fixtures.image(rows: rows, columns: 32, allocated: 8, stored: 8)
        image.set(.sopInstanceUID, string: "1.1")
        var object = graphic
        if let style { object.set(.lineStyleSequence, .SQ, items: [style]) }
        var state = States.state()
        state.set(.graphicLayerSequence, .SQ, items: [States.layer("L", order: 1, grey: 0x8000)])
        state.set(.graphicAnnotationSequence, .SQ, items: [States.annotation([object])])
        return try States.shown([Int](repeating: 9, count: 32 * rows), image, state)
    }

    /// Through the whole of the second line of pixels.
    private static let across = States.graphic("POLYLINE", [0, 1.5, 32, 1.5])

    private static func middle(_ style: DataSet?) throws -> [UInt8] {
        Array(try shown(across, style).bytes[32..<64])
    }

    @Test("The colour of a style goes before the layer's; a style without one is none")
    func colour() throws {
        #expect(try Self.middle(nil).allSatisfy { $0 == 128 })
        #expect(try Self.middle(Self.style(Self.white)).allSatisfy { $0 == 255 })
        #expect(try Self.middle(Self.style(nil)).allSatisfy { $0 == 128 })
        #expect(try Self.middle(Self.style([1, 2])).allSatisfy { $0 == 128 })
        let picture = try Self.shown(Self.across, Self.style(Self.red))
        #expect(picture.samplesPerPixel == 3)
        let at = 3 * (32 + 16)
        #expect(picture.bytes[at] >= 253 && picture.bytes[at + 1] <= 6 && picture.bytes[at + 2] <= 6)
        #expect(Array(picture.bytes[0..<3]) == [9, 9, 9])
    }

    @Test("An opacity lets the image through; one out of its range is the nearest, and none is all")
    func opacity() throws {
        func line(_ opacity: Double) throws -> UInt8 {
            try Self.middle(Self.style(Self.white) { $0.set(.patternOnOpacity, .FL, doubles: [opacity]) })[16]
        }
        #expect(try line(1) == 255)
        #expect(try line(0) == 9)
        // 128 of 255 parts of white over 9: 132.5.
        #expect([132, 133].contains(try line(0.5)))
        #expect(try line(7) == 255)
        #expect(try line(-3) == 9)
        #expect(try line(.nan) == 255)
    }

    @Test("A thickness is in the object's units; at least a pixel and no thicker than a 32nd of the picture's side")
    func thickness() throws {
        func width(_ thickness: Double, units: GraphicAnnotation.Units = .pixel, side: Int = 320) throws -> Double {
            let layout = try DisplayedLayout(
                DisplayedArea(rows: side, columns: side), SpatialTransformation(quarters: 1), aspect: 1, nil)
            let item = Self.style(Self.white) { $0.set(.lineThickness, .FL, doubles: [thickness]) }
            return GraphicDrawing(layout).width(try #require(GraphicLineStyle(item)), units)
        }
        #expect(try width(4) == 4)
        #expect(try width(0.25) == 1)
        #expect(try width(50) == 10)
        #expect(abs(try width(1.0 / 64, units: .display) - 5) < 0.01)
        #expect(try width(1, units: .display) == 10)
        // What is no thickness is that of the layer's lines.
        for bad in [0, -1, Double.nan, .infinity, 1e12] { #expect(try width(bad) == 1, "\(bad)") }
        let thick = try Self.shown(
            States.graphic("POLYLINE", [-9, 32, 41, 32]),
            Self.style(Self.white) { $0.set(.lineThickness, .FL, doubles: [2]) }, rows: 64)
        #expect((0..<64).map { thick.bytes[$0 * 32 + 16] }.count { $0 > 200 } == 2)
    }

    @Test("A dashed line is on where its pattern is, from the highest bit on, each a line's width long")
    func dashes() throws {
        let line = try Self.middle(Self.style(Self.white, Self.dashes(0xFF00_FF00)))
        for (column, value) in line.enumerated() {
            // The pixels beside an end are its round ends.
            let place = column % 16
            if place < 7 { #expect(value == 255, "\(column)") }
            if (9..<15).contains(place) { #expect(value == 9, "\(column)") }
        }
        // 00FFH are equal dashes.
        let equal = try Self.middle(Self.style(Self.white, Self.dashes(0x00FF)))
        #expect(equal[1..<7].allSatisfy { $0 == 9 } && equal[8..<16].allSatisfy { $0 == 255 })
        #expect(equal[17..<23].allSatisfy { $0 == 9 } && equal[24..<32].allSatisfy { $0 == 255 })
        #expect(try Self.middle(Self.style(Self.white, Self.dashes(0))).allSatisfy { $0 == 9 })
        #expect(try Self.middle(Self.style(Self.white, Self.dashes(.max))).allSatisfy { $0 == 255 })
        // SOLID, and a dashed one without a pattern, have none.
        for word in ["SOLID", "DASHED"] {
            let solid = Self.style(Self.white) { $0.set(.lineDashingStyle, .CS, string: word) }
            #expect(try Self.middle(solid).allSatisfy { $0 == 255 }, "\(word)")
        }
    }

    @Test("What is off has a colour where the style gives one")
    func off() throws {
        var style = Self.style(Self.white, Self.dashes(0xFFFF_0000))
        style.set(.patternOffColorCIELabValue, .US, ints: Self.black)
        let line = try Self.middle(style)
        #expect(line[2..<14].allSatisfy { $0 == 255 })
        #expect(line[18..<30].allSatisfy { $0 == 0 })
    }

    @Test("A pattern goes on from line to line of one object")
    func corners() throws {
        // Two lines of eight pixels each, as one of sixteen.
        let graphic = States.graphic("POLYLINE", [0, 1.5, 12, 1.5, 24, 1.5, 32, 1.5])
        let whole = try Self.middle(Self.style(Self.white, Self.dashes(0xFF00_FF00)))
        let parts = try Self.shown(graphic, Self.style(Self.white, Self.dashes(0xFF00_FF00))).bytes[32..<64]
        for (column, value) in parts.enumerated() where !(10..<14).contains(column) && !(22..<26).contains(column) {
            #expect(value == whole[column], "\(column)")
        }
    }

    @Test("A filled object is filled in its layer's grey, within lines of its style")
    func filled() throws {
        let graphic = States.graphic("POLYLINE", [4.5, 4.5, 20.5, 4.5, 20.5, 12.5, 4.5, 12.5, 4.5, 4.5], filled: true)
        let picture = try Self.shown(graphic, Self.style(Self.white), rows: 16)
        #expect(picture.bytes[8 * 32 + 12] == 128)
        #expect(picture.bytes[4 * 32 + 12] == 255)
        #expect(picture.bytes[8 * 32 + 28] == 9)
    }

    @Test("PS3.3 §C.10.5.1.3.14: what is filled has the colour and opacity of its fill style; a stippled one has none")
    func fills() throws {
        func inside(_ more: (inout DataSet) -> Void = { _ in }, filled: Bool = true) throws -> [UInt8] {
            var graphic = States.graphic(
                "POLYLINE", [4.5, 4.5, 20.5, 4.5, 20.5, 12.5, 4.5, 12.5, 4.5, 4.5], filled: filled)
            graphic.set(.fillStyleSequence, .SQ, items: [Self.style(Self.white, more)])
            let picture = try Self.shown(graphic, nil, rows: 16)
            return [picture.bytes[8 * 32 + 12], picture.bytes[4 * 32 + 12]]
        }
        // Its lines are the layer's.
        #expect(try inside() == [255, 128])
        #expect(try inside({ $0.set(.patternOnOpacity, .FL, doubles: [0]) }) == [9, 128])
        #expect(try inside({ $0.set(.fillMode, .CS, string: "STIPPELED") }) == [128, 128])
        #expect(try inside(filled: false) == [9, 128])
    }

    @Test("PS3.3 §C.10.5.1.3.12: letters have the colour of their text style and stand where it puts them in their box")
    func texts() throws {
        typealias Seen = (rows: [Int], columns: [Int], grey: UInt8)
        /// Where of 64 x 64 pixels there are letters, and their greatest grey.
        func letters(_ vertical: String, horizontal: String = "LEFT") throws -> Seen {
            var image = Fixtures.image(rows: 64, columns: 64, allocated: 8, stored: 8)
            image.set(.sopInstanceUID, string: "1.1")
            var text = DataSet()
            text.set(.unformattedTextValue, .ST, string: "H")
            text.set(.boundingBoxAnnotationUnits, .CS, string: "PIXEL")
            text.set(.boundingBoxTopLeft, .FL, doubles: [2, 2])
            text.set(.boundingBoxBottomRight, .FL, doubles: [10, 62])
            var style = DataSet()
            style.set(.textColorCIELabValue, .US, ints: Self.white)
            style.set(.verticalAlignment, .CS, string: vertical)
            style.set(.horizontalAlignment, .CS, string: horizontal)
            text.set(.textStyleSequence, .SQ, items: [style])
            var state = States.state()
            state.set(.graphicLayerSequence, .SQ, items: [States.layer("L", order: 1, grey: 0x8000)])
            state.set(.graphicAnnotationSequence, .SQ, items: [States.annotation([], texts: [text])])
            let bytes = try States.shown([Int](repeating: 9, count: 4_096), image, state).bytes
            let seen = bytes.indices.filter { bytes[$0] > 9 }
            return (seen.map { $0 / 64 }, seen.map { $0 % 64 }, bytes.max() ?? 0)
        }
        let (top, middle, bottom) = (try letters("TOP"), try letters("CENTER"), try letters("BOTTOM"))
        #expect([top.grey, middle.grey, bottom.grey] == [255, 255, 255])
        let firsts = [top, middle, bottom].compactMap { $0.rows.min() }
        #expect(firsts.count == 3 && firsts[0] < 20 && (20..<45).contains(firsts[1]) && firsts[2] >= 45)
        #expect((bottom.rows.max() ?? 64) < 62)
        let (left, right) = (try letters("TOP"), try letters("TOP", horizontal: "RIGHT"))
        #expect((left.columns.min() ?? 0) < (right.columns.min() ?? 0))
    }

    @Test("Dashes of lines that are long, far away or along the picture's edge end, or are refused; none is a trap")
    func limits() throws {
        let style = try #require(GraphicLineStyle(Self.style(Self.white, Self.dashes(0xAAAA_AAAA))))
        var dashed = DashedLine(style, width: 1)
        var coverage = Coverage(rows: 8, columns: 8)
        for place in [1e9, -1e9, 6e13, .infinity, .nan] {
            try dashed.draw(.init(-place, 4.5), .init(place, 4.5), isOn: true, on: &coverage)
            try dashed.draw(.init(place, place), .init(place, place), isOn: true, on: &coverage)
        }
        #expect(coverage.values.contains { $0 > 0 })
        // Each part that is gone along is work, also where nothing of it is seen.
        var small = Coverage(rows: 2, columns: 1_000, workMax: 500)
        #expect(throws: RenderingError.unsupported("so much graphics")) {
            try dashed.draw(.init(0, -1.9), .init(1_000, -1.9), isOn: true, on: &small)
        }
    }
}
