import Testing

@testable import DICOMRendering

/// Lines, areas and letters as parts of pixels. PS3.3 §C.10.5.
@Suite("Graphics as pixels")
struct CoverageTests {
    private typealias Point = Coverage.Point

    @Test("Limits: work up to the limit is done, one more is refused; so is what lies beside the picture")
    func limits() throws {
        // Three lines that the line or its edges can touch, and the four cells of each.
        var coverage = Coverage(rows: 5, columns: 4, workMax: 15)
        try coverage.line(Point(0.5, 2.5), Point(3.5, 2.5), width: 1)
        #expect(throws: RenderingError.unsupported("so much graphics")) {
            try coverage.line(Point(0.5, 2.5), Point(0.5, 2.5), width: 1)
        }
        var tight = Coverage(rows: 5, columns: 4, workMax: 14)
        #expect(throws: RenderingError.unsupported("so much graphics")) {
            try tight.line(Point(0.5, 2.5), Point(3.5, 2.5), width: 1)
        }
    }

    @Test("Places that are no numbers, far away or beside the picture draw nothing there and never trap")
    func far() throws {
        var coverage = Coverage(rows: 3, columns: 3)
        for bad in [Double.nan, .infinity, -.infinity, 1e300, -1e300] {
            try coverage.line(Point(bad, 1), Point(1, bad), width: 1)
            try coverage.fill([Point(bad, 0), Point(9, bad), Point(bad, bad)])
        }
        var clean = Coverage(rows: 3, columns: 3)
        try clean.line(Point(-50, -9), Point(70, -9), width: 1)
        try clean.line(Point(-50, 40), Point(-40, -40), width: 3)
        try clean.fill([Point(10, 0), Point(20, 0), Point(20, 9)])
        try clean.text("far", left: 9, top: -40, scale: 1)
        #expect(clean.values == [UInt8](repeating: 0, count: 9))
        // One from far left to far right is seen all the way.
        var long = Coverage(rows: 3, columns: 3)
        try long.line(Point(-1e6, 1.5), Point(1e6, 1.5), width: 1)
        #expect(long.values == [0, 0, 0, 255, 255, 255, 0, 0, 0])
    }

    @Test("A line through the middles of pixels covers them whole; one between two rows covers each by a half")
    func lines() throws {
        var coverage = Coverage(rows: 3, columns: 5)
        try coverage.line(Point(1.5, 1.5), Point(3.5, 1.5), width: 1)
        #expect(coverage.values == [0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0])
        var between = Coverage(rows: 2, columns: 3)
        try between.line(Point(-5, 1), Point(8, 1), width: 1)
        #expect(between.values == [UInt8](repeating: 128, count: 6))
        var diagonal = Coverage(rows: 3, columns: 3)
        try diagonal.line(Point(0.5, 0.5), Point(2.5, 2.5), width: 1)
        // Beside the diagonal the middle is 0.7071 away: 0.2929 of 255 is 74.7.
        #expect(diagonal.values == [255, 75, 0, 75, 255, 75, 0, 75, 255])
    }

    @Test("An area holds the pixels whose middle lies in it, by the even-odd rule")
    func areas() throws {
        var coverage = Coverage(rows: 4, columns: 4)
        try coverage.fill([Point(1, 1), Point(3, 1), Point(3, 3), Point(1, 3)])
        #expect(coverage.values.map { $0 == 255 ? 1 : 0 } == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0])
        // A square around a square, in one line: the inner one is a hole.
        var ring = Coverage(rows: 5, columns: 5)
        try ring.fill([
            Point(0, 0), Point(5, 0), Point(5, 5), Point(0, 5), Point(0, 0), Point(1, 1), Point(4, 1), Point(4, 4),
            Point(1, 4), Point(1, 1),
        ])
        #expect(ring.values[12] == 0)
        #expect(ring.values.count { $0 == 255 } == 16)
    }

    @Test("Where shapes lie over each other the most counts; a colour is laid over by its part, and the layer is empty")
    func blend() throws {
        var coverage = Coverage(rows: 1, columns: 3)
        try coverage.line(Point(0.5, 0.5), Point(0.5, 0.5), width: 1)
        try coverage.line(Point(2, 0.5), Point(2, 0.5), width: 1)
        try coverage.line(Point(2, 0.5), Point(2, 0.5), width: 1)
        #expect(coverage.values == [255, 128, 128])
        var image = try #require(RenderedImage(rows: 1, columns: 3, samplesPerPixel: 1, bytes: [10, 0, 100]))
        try coverage.blend(PresentationColour(grey: 200), onto: &image)
        // 200 * 128 / 255 is 100.39; (100 * 127 + 200 * 128) / 255 is 150.2.
        #expect(image.bytes == [200, 100, 150])
        #expect(coverage.values == [0, 0, 0])
    }

    @Test("Letters are five pixels wide and seven high, accents stand above them; what has no letter is a box")
    func letters() throws {
        var coverage = Coverage(rows: 7, columns: 11)
        try coverage.text("LI", left: 0, top: 0, scale: 1)
        let rows = stride(from: 0, to: 77, by: 11).map { row in
            coverage.values[row..<row + 11].map { $0 == 255 ? "#" : "." }.joined()
        }
        #expect(
            rows == [
                "#......###.", "#.......#..", "#.......#..", "#.......#..", "#.......#..", "#.......#..", "#####..###.",
            ])
        #expect(Typeface.glyph("Ä") != Typeface.glyph("A"))
        #expect(Array(Typeface.glyph("Ä")[2...]) == Array(Typeface.glyph("A")[2...]))
        #expect(Typeface.glyph("é")[4...] == Typeface.glyph("e")[4...])
        #expect(Typeface.glyph("山") == Typeface.glyph("\u{1F600}"))
        #expect(Typeface.size(columns: 2, lines: 1, scale: 3).width == 33)
        for value in 0x20...0x7E {
            let scalar = try #require(Unicode.Scalar(UInt32(value)))
            #expect(Typeface.glyph(scalar) != Typeface.glyph("山"), "\(value)")
            #expect(Typeface.glyph(scalar).count == Typeface.rows)
        }
        for scalar in "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ".unicodeScalars {
            #expect(Typeface.glyph(scalar) != Typeface.glyph("山"), "\(scalar)")
        }
    }

    @Test("Every sheet of letters has nine rows of as many cells as letters")
    func sheets() {
        for sheet in GlyphArt.sheets {
            #expect(sheet.rows.count == 9)
            #expect(sheet.rows.allSatisfy { $0.utf8.count == sheet.letters.unicodeScalars.count * 6 - 1 })
        }
    }

    @Test("PS3.3 §C.10.7.1.1: L* of 0, 100 and the middle of both axes are black, white and grey; red is red")
    func colours() {
        #expect(PresentationColour(lightness: 0, a: 0x8080, b: 0x8080) == PresentationColour(grey: 0))
        #expect(PresentationColour(lightness: 0xFFFF, a: 0x8080, b: 0x8080) == .white)
        #expect(PresentationColour(pValue: 0x8000) == PresentationColour(grey: 128))
        #expect(PresentationColour(pValue: -5) == PresentationColour(grey: 0))
        // sRGB red is L* 54.29, a* 80.80, b* 69.89 at D50.
        let red = PresentationColour(
            lightness: Int(54.29 / 100 * 65_535), a: Int((80.80 + 128) / 255 * 65_535),
            b: Int((69.89 + 128) / 255 * 65_535))
        #expect(red.red >= 253 && red.green <= 6 && red.blue <= 6)
        #expect(!red.isGrey)
    }
}
