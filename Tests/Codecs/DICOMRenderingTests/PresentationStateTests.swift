import DICOMData
import DICOMPixels
import PixelCodecs
import Testing

@testable import DICOMRendering

/// Images as a presentation state shows them. PS3.3 §A.33, §C.11; PS3.4 §N.2.
@Suite("Presentation states")
struct PresentationStateTests {
    private typealias Fixtures = RenderingFixtures
    static let grey = "1.2.840.10008.5.1.4.1.1.11.1"

    /// A state for the image `1.1`.
    static func state(_ images: [String] = ["1.1"]) -> DataSet {
        var series = DataSet()
        series.set(.referencedImageSequence, items: images.map { reference($0) })
        var state = DataSet()
        state.set(.referencedSeriesSequence, items: [series])
        return state
    }

    static func reference(_ uid: String, frames: [Int] = []) -> DataSet {
        var item = DataSet()
        item.set(.referencedSOPInstanceUID, string: uid)
        if !frames.isEmpty {
            item.set(.referencedFrameNumber, .IS, strings: frames.map { "\($0)" })
        }
        return item
    }

    private static func image(
        columns: Int, rows: Int = 1, stored: Int = 12, photometric: String = "MONOCHROME2"
    ) -> DataSet {
        var set = Fixtures.image(
            rows: rows, columns: columns, allocated: stored > 8 ? 16 : 8, stored: stored, photometric: photometric)
        set.set(.sopInstanceUID, string: "1.1")
        return set
    }

    static func shown(
        _ values: [Int], _ image: DataSet, _ state: DataSet, sopClass: String = grey, number: Int = 1,
        options: ImageRendering.Options = ImageRendering.Options()
    ) throws -> RenderedImage {
        let read = try PresentationState(state, sopClassUID: sopClass)
        return try ImageRendering(image, state: read).render(
            Fixtures.frame(values, of: image), number: number, options: options)
    }

    static func voi(_ center: Int, _ width: Int, _ images: [DataSet]? = nil) -> DataSet {
        var item = DataSet()
        if let images { item.set(.referencedImageSequence, items: images) }
        item.set(.windowCenter, .DS, string: "\(center)")
        item.set(.windowWidth, .DS, string: "\(width)")
        item.set(.voilutFunction, .CS, string: "LINEAR_EXACT")
        return item
    }

    static func graphic(_ type: String, _ points: [Double], units: String = "PIXEL", filled: Bool = false) -> DataSet {
        var item = DataSet()
        item.set(.graphicAnnotationUnits, .CS, string: units)
        item.set(.numberOfGraphicPoints, .US, int: points.count / 2)
        item.set(.graphicData, .FL, doubles: points)
        item.set(.graphicType, .CS, string: type)
        item.set(.graphicFilled, .CS, string: filled ? "Y" : "N")
        return item
    }

    static func annotation(_ graphics: [DataSet], texts: [DataSet] = [], layer: String = "L") -> DataSet {
        var item = DataSet()
        item.set(.graphicLayer, .CS, string: layer)
        if !graphics.isEmpty { item.set(.graphicObjectSequence, items: graphics) }
        if !texts.isEmpty { item.set(.textObjectSequence, items: texts) }
        return item
    }

    static func layer(_ name: String, order: Int, grey: Int? = nil, lab: [Int]? = nil) -> DataSet {
        var item = DataSet()
        item.set(.graphicLayer, .CS, string: name)
        item.set(.graphicLayerOrder, .IS, int: order)
        if let grey { item.set(.graphicLayerRecommendedDisplayGrayscaleValue, .US, int: grey) }
        if let lab { item.set(.graphicLayerRecommendedDisplayCIELabValue, .US, ints: lab) }
        return item
    }

    // MARK: Grey

    @Test("PS3.4 §N.2.1: what the state does not have is none: slope, window and polarity of the image are not applied")
    func overrides() throws {
        var image = Self.image(columns: 3, stored: 8, photometric: "MONOCHROME1")
        image.set(.rescaleSlope, string: "3")
        image.set(.rescaleIntercept, string: "9")
        image.set(.windowCenter, string: "5")
        image.set(.windowWidth, string: "1")
        #expect(try Self.shown([0, 77, 255], image, Self.state()).bytes == [0, 77, 255])
        var state = Self.state()
        state.set(.presentationLUTShape, .CS, string: "INVERSE")
        #expect(try Self.shown([0, 77, 255], image, state).bytes == [255, 178, 0])
    }

    @Test("PS3.3 §C.11.8: slope of the state, then the window of the item that is for the image and the frame")
    func windows() throws {
        let image = Self.image(columns: 3)
        var state = Self.state()
        state.set(.rescaleSlope, string: "2")
        state.set(.rescaleIntercept, string: "-1000")
        state.set(
            .softcopyVOILUTSequence, .SQ,
            items: [
                Self.voi(0, 2, [Self.reference("9.9")]), Self.voi(5_000, 2, [Self.reference("1.1", frames: [2])]),
                Self.voi(0, 200, [Self.reference("1.1")]),
            ])
        #expect(try Self.shown([450, 500, 551], image, state).bytes == [0, 128, 255])
        #expect(try Self.shown([450, 500, 551], image, state, number: 2).bytes == [0, 0, 0])
        // A caller's own window goes before it.
        var options = ImageRendering.Options()
        options.window = VOIWindow(center: 0, width: 1e-3, function: .linearExact)
        #expect(try Self.shown([450, 499, 501], image, state, options: options).bytes == [0, 0, 255])
        #expect(
            try ImageRendering(image, state: PresentationState(state, sopClassUID: Self.grey))
                .needsDefaultWindow(number: 1) == false)
    }

    @Test("PS3.3 §C.11.1, §C.11.2, §C.11.4: modality LUT, VOI LUT and presentation LUT one behind the other")
    func tables() throws {
        let image = Self.image(columns: 4, stored: 8)
        var state = Self.state()
        state.set(.modalityLUTSequence, items: [Fixtures.table(first: 0, bits: 8, [10, 20, 30, 40])])
        var item = DataSet()
        item.set(
            .voilutSequence, items: [Fixtures.table(first: 10, bits: 8, [Int](repeating: 0, count: 10) + [51, 102])])
        state.set(.softcopyVOILUTSequence, .SQ, items: [item])
        // 10, 20, 30, 40 by the first table; 0, 51, 102, 102 by the second: 0, a fifth, two fifths.
        #expect(try Self.shown([0, 1, 2, 9], image, state).bytes == [0, 51, 102, 102])
        // Six entries: black has the first, a fifth the second.
        state.set(
            .presentationLUTSequence, .SQ,
            items: [Fixtures.table(first: 0, bits: 12, [4_095, 819, 0, 0, 0, 0])])
        #expect(try Self.shown([0, 1, 2, 9], image, state).bytes == [255, 51, 0, 0])
    }

    @Test("PS3.3 §C.11.13: pseudo-colour has black for the first entry of its palette and white for the last")
    func pseudoColour() throws {
        let image = Self.image(columns: 3, stored: 8)
        var state = Self.state()
        for (tag, data, entries) in [
            (Tag.redPaletteColorLookupTableDescriptor, Tag.redPaletteColorLookupTableData, [0, 100, 255]),
            (.greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData, [0, 0, 7]),
            (.bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData, [9, 0, 0]),
        ] {
            state.set(tag, .US, ints: [3, 0, 8])
            state.set(data, .OW, bytes: entries.flatMap { [UInt8($0), 0] })
        }
        let sopClass = "1.2.840.10008.5.1.4.1.1.11.3"
        let picture = try Self.shown([0, 128, 255], image, state, sopClass: sopClass)
        #expect(picture.bytes == [0, 0, 9, 100, 0, 0, 255, 7, 0])
        #expect(throws: RenderingError.unsupported("a palette that is not in the state")) {
            try PresentationState(Self.state(), sopClassUID: sopClass)
        }
        #expect(throws: RenderingError.self) { try PresentationState(state, sopClassUID: "1.2.3") }
    }

    @Test("PS3.6 Annex B: a palette that the state names alone is the well-known one; tables that it has come first")
    func namedPalettes() throws {
        let image = Self.image(columns: 4, stored: 8)
        let sopClass = "1.2.840.10008.5.1.4.1.1.11.3"
        // Of 0, 100, 200 and 255.
        let known: [(uid: String, colours: [UInt8])] = [
            ("1.2.840.10008.1.5.1", [0, 0, 0, 200, 0, 0, 255, 144, 36, 255, 255, 255]),
            ("1.2.840.10008.1.5.2", [0, 0, 0, 73, 55, 199, 255, 144, 32, 255, 255, 255]),
            ("1.2.840.10008.1.5.3", [0, 0, 0, 44, 0, 196, 255, 152, 88, 255, 255, 255]),
            ("1.2.840.10008.1.5.4", [0, 0, 0, 128, 128, 224, 208, 144, 0, 255, 255, 255]),
            ("1.2.840.10008.1.5.5", [255, 0, 255, 255, 100, 155, 255, 200, 55, 255, 255, 0]),
        ]
        for (uid, colours) in known {
            var state = Self.state()
            state.set(.paletteColorLookupTableUID, .UI, string: uid)
            let picture = try Self.shown([0, 100, 200, 255], image, state, sopClass: sopClass)
            #expect(picture.bytes == colours, "\(uid)")
        }
        for (tag, data) in [
            (Tag.redPaletteColorLookupTableDescriptor, Tag.redPaletteColorLookupTableData),
            (.greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData),
            (.bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData),
        ] {
            var state = Self.state()
            state.set(.paletteColorLookupTableUID, .UI, string: known[0].uid)
            // One table alone is no palette.
            state.set(tag, .US, ints: [1, 0, 8])
            state.set(data, .OW, bytes: [7, 0])
            #expect(try Self.shown([0, 100, 200, 255], image, state, sopClass: sopClass).bytes == known[0].colours)
        }
        var unknown = Self.state()
        unknown.set(.paletteColorLookupTableUID, .UI, string: "1.2.840.10008.1.5.9")
        #expect(throws: RenderingError.unsupported("a palette that is not in the state")) {
            try PresentationState(unknown, sopClassUID: sopClass)
        }
    }

    @Test("PS3.6 Annex B: each well-known palette has 256 colours")
    func wholePalettes() throws {
        #expect(WellKnownPalette.segments.count == 8)
        for (uid, colours) in WellKnownPalette.segments {
            let counts = colours.map { PaletteTable.expanded($0, isBytes: true, count: 300).count }
            #expect(counts == [256, 256, 256], "\(uid)")
            #expect(WellKnownPalette.table(uid) != nil)
        }
    }

    // MARK: Shutters and overlays

    @Test(
        "PS3.3 §C.11.7: the shutter of the state covers, that of the image does not; overlays are shown where activated"
    )
    func shutterAndOverlays() throws {
        var image = Self.image(columns: 3, stored: 8)
        image.set(.shutterShape, .CS, string: "RECTANGULAR")
        for tag in [Tag.shutterLeftVerticalEdge, .shutterRightVerticalEdge, .shutterUpperHorizontalEdge] {
            image.set(tag, .IS, int: 1)
        }
        image.set(.shutterLowerHorizontalEdge, .IS, int: 1)
        image.set(Tag(0x6000, 0x0010), .US, int: 1)
        image.set(Tag(0x6000, 0x0011), .US, int: 3)
        image.set(Tag(0x6000, 0x0050), .SS, ints: [1, 1])
        image.set(Tag(0x6000, 0x3000), .OW, bytes: [0b100, 0])
        var state = Self.state()
        #expect(try Self.shown([9, 9, 9], image, state).bytes == [9, 9, 9])
        state.set(.overlayActivationLayer(0x6000), .CS, string: "L")
        state.set(.graphicLayerSequence, .SQ, items: [Self.layer("L", order: 1, grey: 0x8000)])
        #expect(try Self.shown([9, 9, 9], image, state).bytes == [9, 9, 128])
        state.set(.shutterShape, .CS, string: "RECTANGULAR")
        for (tag, edge) in [
            (Tag.shutterLeftVerticalEdge, 2), (.shutterRightVerticalEdge, 3), (.shutterUpperHorizontalEdge, 1),
            (.shutterLowerHorizontalEdge, 1),
        ] { state.set(tag, .IS, int: edge) }
        state.set(.shutterPresentationValue, .US, int: 0x4000)
        #expect(try Self.shown([9, 9, 9], image, state).bytes == [64, 9, 128])
        // A bitmap of the state's own.
        state.set(.shutterShape, .CS, string: "BITMAP")
        state.set(.shutterOverlayGroup, .US, int: 0x6002)
        state.set(Tag(0x6002, 0x0010), .US, int: 1)
        state.set(Tag(0x6002, 0x0011), .US, int: 3)
        state.set(Tag(0x6002, 0x0050), .SS, ints: [1, 1])
        state.set(Tag(0x6002, 0x3000), .OW, bytes: [0b010, 0])
        #expect(try Self.shown([9, 9, 9], image, state).bytes == [9, 64, 128])
    }

    // MARK: Graphics

    @Test("PS3.3 §C.10.5.1.2: a polyline in pixels and in parts of the area lies where its points are")
    func polylines() throws {
        let image = Self.image(columns: 4, rows: 3, stored: 8)
        let plain = [Int](repeating: 9, count: 12)
        var state = Self.state()
        state.set(
            .graphicAnnotationSequence, .SQ,
            items: [Self.annotation([Self.graphic("POLYLINE", [0.5, 1.5, 3.5, 1.5])])])
        let line: [UInt8] = [9, 9, 9, 9, 255, 255, 255, 255, 9, 9, 9, 9]
        #expect(try Self.shown(plain, image, state).bytes == line)
        state.set(
            .graphicAnnotationSequence, .SQ,
            items: [Self.annotation([Self.graphic("POLYLINE", [0, 0.5, 1, 0.5], units: "DISPLAY")])])
        #expect(try Self.shown(plain, image, state).bytes == line)
        // Turned by a quarter the line in pixels goes with the image, the one in parts stays.
        state.set(.imageRotation, .US, int: 90)
        let turned = try Self.shown(plain, image, state)
        #expect([turned.rows, turned.columns] == [4, 3])
        // Through the middle between the second and the third line of four.
        #expect(turned.bytes == [9, 9, 9, 132, 132, 132, 132, 132, 132, 9, 9, 9])
    }

    @Test("PS3.3 §C.10.5.1.2: filled polylines, circles and ellipses; what has too few points is left out")
    func shapes() throws {
        let image = Self.image(columns: 21, rows: 21, stored: 8)
        let plain = [Int](repeating: 0, count: 441)
        func area(_ graphic: DataSet) throws -> [UInt8] {
            var state = Self.state()
            state.set(.graphicAnnotationSequence, .SQ, items: [Self.annotation([graphic])])
            return try Self.shown(plain, image, state).bytes
        }
        let circle = try area(Self.graphic("CIRCLE", [10.5, 10.5, 16.5, 10.5], filled: true))
        for row in 0..<21 {
            for column in 0..<21 {
                let distance = Double((row - 10) * (row - 10) + (column - 10) * (column - 10)).squareRoot()
                let value = circle[row * 21 + column]
                if distance <= 5.9 { #expect(value >= 250) }
                if distance >= 7.1 { #expect(value == 0) }
            }
        }
        let open = try area(Self.graphic("CIRCLE", [10.5, 10.5, 10.5, 16.5]))
        #expect(open[10 * 21 + 10] == 0 && open[10 * 21 + 16] >= 250 && open[4 * 21 + 10] >= 250)
        let ellipse = try area(Self.graphic("ELLIPSE", [2.5, 10.5, 18.5, 10.5, 10.5, 7.5, 10.5, 13.5]))
        #expect(ellipse[10 * 21 + 2] >= 250 && ellipse[7 * 21 + 10] >= 250 && ellipse[4 * 21 + 10] == 0)
        let point = try area(Self.graphic("POINT", [10.5, 10.5]))
        #expect(point.count { $0 > 0 } == 9 && point[10 * 21 + 10] == 255)
        let curve = try area(Self.graphic("INTERPOLATED", [1.5, 10.5, 10.5, 5.5, 19.5, 10.5]))
        #expect(curve[10 * 21 + 1] >= 200 && curve[5 * 21 + 10] >= 200 && curve[10 * 21 + 19] >= 200)
        for bad in [
            Self.graphic("CIRCLE", [1, 1]), Self.graphic("ELLIPSE", [1, 1, 2, 2, 3, 3]),
            Self.graphic("POLYLINE", [1, 1]),
            Self.graphic("OTHER", [1, 1, 5, 5]), Self.graphic("POLYLINE", [1, 1, 5, 5], units: "MATRIX"),
            Self.graphic("POLYLINE", [1, 1, .nan, 5]), Self.graphic("POLYLINE", [0, 5, 1.1e9, 5]),
            Self.graphic("POINT", []),
        ] { #expect(try area(bad).allSatisfy { $0 == 0 }) }
        // More points named than there are: those that there are.
        var lying = Self.graphic("POLYLINE", [0.5, 0.5, 20.5, 0.5])
        lying.set(.numberOfGraphicPoints, .US, int: 65_535)
        #expect(try area(lying).prefix(21).allSatisfy { $0 == 255 })
    }

    @Test("PS3.3 §C.10.7: layers are drawn in their order, in their grey or colour; of another image none are")
    func layers() throws {
        let image = Self.image(columns: 2, stored: 8)
        func line(_ layer: String, _ images: [DataSet]? = nil) -> DataSet {
            var item = Self.annotation([Self.graphic("POLYLINE", [0.5, 0.5, 1.5, 0.5])], layer: layer)
            if let images { item.set(.referencedImageSequence, items: images) }
            return item
        }
        var state = Self.state()
        state.set(
            .graphicLayerSequence, .SQ,
            items: [Self.layer("TOP", order: 2, grey: 0x2000), Self.layer("LOW", order: 1, grey: 0xFFFF)])
        state.set(.graphicAnnotationSequence, .SQ, items: [line("TOP"), line("LOW")])
        #expect(try Self.shown([9, 9], image, state).bytes == [32, 32])
        state.set(.graphicAnnotationSequence, .SQ, items: [line("TOP", [Self.reference("1.2")])])
        #expect(try Self.shown([9, 9], image, state).bytes == [9, 9])
        // A colour makes the picture one of three samples.
        state.set(.graphicLayerSequence, .SQ, items: [Self.layer("C", order: 1, lab: [35_578, 53_661, 50_857])])
        state.set(.graphicAnnotationSequence, .SQ, items: [line("C")])
        let picture = try Self.shown([9, 9], image, state)
        #expect(picture.samplesPerPixel == 3)
        #expect(picture.bytes[0] >= 253 && picture.bytes[1] <= 6 && picture.bytes[2] <= 6)
    }

    @Test(
        "PS3.3 §C.10.5.1.1: text is as large as its box lets it be, where it is justified; a line leads to its anchor")
    func texts() throws {
        let image = Self.image(columns: 40, rows: 30, stored: 8)
        func text(_ words: String, _ justification: String, box: [Double], anchor: [Double]? = nil) -> DataSet {
            var item = DataSet()
            item.set(.unformattedTextValue, .ST, string: words)
            item.set(.boundingBoxAnnotationUnits, .CS, string: "PIXEL")
            item.set(.boundingBoxTopLeft, .FL, doubles: Array(box[0..<2]))
            item.set(.boundingBoxBottomRight, .FL, doubles: Array(box[2..<4]))
            item.set(.boundingBoxTextHorizontalJustification, .CS, string: justification)
            if let anchor {
                item.set(.anchorPointAnnotationUnits, .CS, string: "PIXEL")
                item.set(.anchorPoint, .FL, doubles: anchor)
                item.set(.anchorPointVisibility, .CS, string: "Y")
            }
            return item
        }
        func shown(_ text: DataSet) throws -> [[UInt8]] {
            var state = Self.state()
            state.set(.graphicAnnotationSequence, .SQ, items: [Self.annotation([], texts: [text])])
            let bytes = try Self.shown([Int](repeating: 0, count: 1_200), image, state).bytes
            return stride(from: 0, to: 1_200, by: 40).map { Array(bytes[$0..<$0 + 40]) }
        }
        func columns(_ rows: [[UInt8]]) -> [Int] { (0..<40).filter { at in rows.contains { $0[at] > 0 } } }
        // A box of 23 x 23: I is three of five pixels wide, in a scale of 2 where it stands in twice eleven lines.
        #expect(columns(try shown(text("I", "LEFT", box: [0, 0, 23, 23]))) == [2, 3, 4, 5, 6, 7])
        #expect(columns(try shown(text("I", "RIGHT", box: [0, 0, 23, 23]))) == [15, 16, 17, 18, 19, 20])
        #expect(columns(try shown(text("I", "CENTER", box: [0, 0, 23, 23]))) == [8, 9, 10, 11, 12, 13])
        // Two lines of a scale of 1, the second twelve below the first.
        let two = try shown(text("-\r\n-", "LEFT", box: [0, 0, 5, 23]))
        #expect((0..<30).filter { two[$0].contains { $0 > 0 } } == [5, 17])
        let anchored = try shown(text("-", "LEFT", box: [0, 0, 5, 11], anchor: [30.5, 5.5]))
        #expect(anchored[5][6...30].allSatisfy { $0 == 255 })
    }

    @Test(
        "Beyond the limits a state is refused, at them it is read: images, layers, annotations, objects, points, text")
    func limits() throws {
        func reads(_ change: (inout DataSet) -> Void) -> Bool {
            var state = Self.state()
            change(&state)
            return (try? PresentationState(state, sopClassUID: Self.grey)) != nil
        }
        for (count, isRead) in [(1_000, true), (1_001, false)] {
            #expect(reads { $0 = Self.state((0..<count).map { "1.\($0)" }) } == isRead)
        }
        for (count, isRead) in [(256, true), (257, false)] {
            #expect(
                reads {
                    $0.set(.graphicLayerSequence, .SQ, items: (0..<count).map { Self.layer("\($0)", order: $0) })
                } == isRead)
        }
        for (count, isRead) in [(1_024, true), (1_025, false)] {
            let items = [DataSet](repeating: Self.annotation([]), count: count)
            #expect(reads { $0.set(.graphicAnnotationSequence, .SQ, items: items) } == isRead)
        }
        for (count, isRead) in [(4_096, true), (4_097, false)] {
            let objects = [DataSet](repeating: Self.graphic("POINT", [1, 1]), count: count)
            #expect(reads { $0.set(.graphicAnnotationSequence, .SQ, items: [Self.annotation(objects)]) } == isRead)
        }
        for (count, isRead) in [(32_768, true), (32_769, false)] {
            var line = Self.graphic("POLYLINE", [Double](repeating: 1, count: 2 * count))
            let other = Self.graphic("POLYLINE", [Double](repeating: 1, count: 65_536))
            line.remove(.numberOfGraphicPoints)
            #expect(
                reads { $0.set(.graphicAnnotationSequence, .SQ, items: [Self.annotation([line, other])]) } == isRead)
        }
        // Line ends are characters: a text of nothing else but one letter has as many lines.
        for (count, isRead) in [(65_533, true), (65_534, false)] {
            var text = DataSet()
            text.set(.unformattedTextValue, .UT, string: "a" + String(repeating: "\n", count: count) + "b")
            text.set(.anchorPointAnnotationUnits, .CS, string: "PIXEL")
            text.set(.anchorPoint, .FL, doubles: [1, 1])
            let item = Self.annotation([], texts: [text])
            // Two letters, and a line more than there are line ends.
            #expect(reads { $0.set(.graphicAnnotationSequence, .SQ, items: [item]) } == isRead)
        }
    }

    @Test("Graphics, text and frame numbers that are too much to be brought from the file are not taken for none")
    func leftInTheFile() throws {
        let much = ExternalValue(offset: 400, length: 1 << 20)
        var line = Self.graphic("POLYLINE", [1, 1, 2, 2])
        line[.graphicData] = DataElement(.graphicData, .FL, .external(much))
        var text = DataSet()
        text[.unformattedTextValue] = DataElement(.unformattedTextValue, .ST, .external(much))
        for item in [Self.annotation([line]), Self.annotation([], texts: [text])] {
            var state = Self.state()
            state.set(.graphicAnnotationSequence, .SQ, items: [item])
            #expect(throws: RenderingError.self) { try PresentationState(state, sopClassUID: Self.grey) }
        }
        var state = Self.state()
        state.set(.graphicAnnotationSequence, .SQ, items: [Self.annotation([line])])
        #expect(ImageRendering.externalPaths(in: state).count == 1)
        line[.graphicData] = DataElement(
            .graphicData, .FL, .external(ExternalValue(offset: 400, length: (1 << 20) + 8)))
        state.set(.graphicAnnotationSequence, .SQ, items: [Self.annotation([line])])
        #expect(ImageRendering.externalPaths(in: state).isEmpty)
        // Frame 0 is none, and not every frame.
        #expect(ImageReference(Self.reference("1.1", frames: [0, -1])) == nil)
        #expect(ImageReference(Self.reference("1.1", frames: [0, 2]))?.frames == [2])
        var all = Self.reference("1.1")
        all.setEmpty(.referencedFrameNumber, .IS)
        #expect(ImageReference(all)?.frames == [])
        all[.referencedFrameNumber] = DataElement(.referencedFrameNumber, .IS, .external(much))
        #expect(ImageReference(all) == nil)
    }
}
