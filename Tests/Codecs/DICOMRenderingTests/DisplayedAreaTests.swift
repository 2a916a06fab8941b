import DICOMData
import DICOMPixels
import Testing

@testable import DICOMRendering

/// Which part of an image is shown, which side up. PS3.3 §C.10.4, §C.10.6.
@Suite("Displayed areas and spatial transformations")
struct DisplayedAreaTests {
    private typealias Point = Coverage.Point

    private static func item(_ first: [Int], _ second: [Int], mode: String = "SCALE TO FIT") -> DataSet {
        var item = DataSet()
        item.set(.displayedAreaTopLeft, .SL, ints: first)
        item.set(.displayedAreaBottomRight, .SL, ints: second)
        item.set(.presentationSizeMode, .CS, string: mode)
        return item
    }

    private static func image(_ rows: [[UInt8]]) throws -> RenderedImage {
        try #require(
            RenderedImage(
                rows: rows.count, columns: rows[0].count, samplesPerPixel: 1, bytes: rows.flatMap { $0 }))
    }

    private static func shown(
        _ area: DisplayedArea, _ turn: SpatialTransformation = SpatialTransformation(), aspect: Double = 1,
        viewport: Viewport? = nil
    ) throws -> [[UInt8]] {
        let layout = try DisplayedLayout(area, turn, aspect: aspect, viewport)
        let picture = try layout.picture(of: image([[1, 2, 3], [4, 5, 6]]))
        #expect(picture.rows == layout.rows && picture.columns == layout.columns)
        return stride(from: 0, to: picture.bytes.count, by: picture.columns).map {
            Array(picture.bytes[$0..<$0 + picture.columns])
        }
    }

    @Test("Corners that are none, or beyond 65,535, are no area")
    func badAreas() {
        #expect(DisplayedArea(DataSet()) == nil)
        #expect(DisplayedArea(Self.item([1], [3, 2])) == nil)
        #expect(DisplayedArea(Self.item([1, 1], [65_535, 1])) != nil)
        #expect(DisplayedArea(Self.item([1, 1], [65_536, 1])) == nil)
        #expect(DisplayedArea(Self.item([-2_147_483_648, 1], [2, 2])) == nil)
    }

    @Test(
        "A picture has at most 2^26 pixels: one of 8,192 is made, one of 8,193 refused; so is an area beside the image")
    func limits() throws {
        let most = try #require(DisplayedArea(Self.item([1, 1], [8_192, 8_192])))
        #expect(try DisplayedLayout(most, SpatialTransformation(), aspect: 1, nil).columns == 8_192)
        let more = try #require(DisplayedArea(Self.item([1, 1], [8_193, 8_192])))
        #expect(throws: RenderingError.tooLarge) {
            try DisplayedLayout(more, SpatialTransformation(), aspect: 1, nil)
        }
        // A viewport makes it small.
        let small = Viewport(width: 100, height: 100)
        #expect(try DisplayedLayout(more, SpatialTransformation(), aspect: 1, small).columns == 100)
        let beside = try #require(DisplayedArea(Self.item([10, 1], [12, 2])))
        #expect(throws: RenderingError.unsupported("a displayed area beside the image")) { try Self.shown(beside) }
    }

    @Test("PS3.3 §C.10.4: an area is its corners and what is between; what lies beside the image is black")
    func areas() throws {
        let part = try #require(DisplayedArea(Self.item([2, 1], [3, 2])))
        #expect(try Self.shown(part) == [[2, 3], [5, 6]])
        let beyond = try #require(DisplayedArea(Self.item([0, 2], [4, 3])))
        #expect(try Self.shown(beyond) == [[0, 4, 5, 6, 0], [0, 0, 0, 0, 0]])
        // Corners of a turned image are told as it is seen.
        let turned = try #require(DisplayedArea(Self.item([3, 2], [2, 1])))
        #expect(turned == part)
    }

    @Test("PS3.3 §C.10.6: the image is turned clockwise, then turned over")
    func turns() throws {
        let whole = DisplayedArea(rows: 2, columns: 3)
        #expect(try Self.shown(whole, .init(quarters: 1)) == [[4, 1], [5, 2], [6, 3]])
        #expect(try Self.shown(whole, .init(quarters: 2)) == [[6, 5, 4], [3, 2, 1]])
        #expect(try Self.shown(whole, .init(quarters: 3)) == [[3, 6], [2, 5], [1, 4]])
        #expect(try Self.shown(whole, .init(flips: true)) == [[3, 2, 1], [6, 5, 4]])
        #expect(try Self.shown(whole, .init(quarters: 1, flips: true)) == [[1, 4], [2, 5], [3, 6]])
        var state = DataSet()
        state.set(.imageRotation, .US, int: 270)
        state.set(.imageHorizontalFlip, .CS, string: "Y")
        #expect(SpatialTransformation(state) == .init(quarters: 3, flips: true))
        state.set(.imageRotation, .US, int: 45)
        #expect(SpatialTransformation(state).quarters == 0)
    }

    @Test("A place in the image goes where its pixel goes, however it is turned")
    func places() throws {
        let area = try #require(DisplayedArea(Self.item([0, 0], [4, 3])))
        for quarters in 0..<4 {
            for flips in [false, true] {
                let turn = SpatialTransformation(quarters: quarters, flips: flips)
                let layout = try DisplayedLayout(area, turn, aspect: 1, nil)
                // The middle of the pixel of value 6, the third of the second line.
                let place = layout.place(pixel: Point(2.5, 1.5))
                let shown = try Self.shown(area, turn)
                #expect(shown[Int(place.y)][Int(place.x)] == 6, "\(quarters) \(flips)")
            }
        }
        let layout = try DisplayedLayout(area, .init(quarters: 1), aspect: 1, nil)
        #expect(layout.place(display: Point(1, 0.5)) == Point(4, 2.5))
    }

    @Test("PS3.3 §C.10.4: MAGNIFY by its ratio, spacing by its aspect, a viewport before both")
    func sizes() throws {
        var item = Self.item([1, 1], [3, 2], mode: "MAGNIFY")
        item.set(.presentationPixelMagnificationRatio, .FL, double: 2)
        item.set(.presentationPixelAspectRatio, .IS, string: "2\\1")
        let area = try #require(DisplayedArea(item))
        let layout = try DisplayedLayout(area, SpatialTransformation(), aspect: area.aspect ?? 1, nil)
        #expect([layout.columns, layout.rows] == [6, 8])
        let turned = try DisplayedLayout(
            area, .init(quarters: 1), aspect: area.aspect ?? 1, Viewport(width: 40, height: 15))
        // 3 wide and 4 high, turned: 4 wide and 3 high, into 40 x 15.
        #expect([turned.columns, turned.rows] == [20, 15])
        item.set(.presentationPixelMagnificationRatio, .FL, double: 65)
        #expect(try #require(DisplayedArea(item)).magnification == 1)
        item.set(.presentationPixelMagnificationRatio, .FL, double: .nan)
        #expect(try #require(DisplayedArea(item)).magnification == 1)
    }
}
