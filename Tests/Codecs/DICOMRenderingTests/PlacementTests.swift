import DICOMData
import PixelCodecs
import Testing

@testable import DICOMRendering

/// Size, region, flips and the shape of pixels. PS3.18 §8.3.5.1.3, PS3.3 §C.7.6.3.1.7.
@Suite("Viewport and resampling")
struct PlacementTests {
    private typealias Fixtures = RenderingFixtures

    private static func rendered(
        _ values: [Int], rows: Int, columns: Int, _ viewport: Viewport?, aspect: String? = nil
    ) throws -> RenderedImage {
        var set = Fixtures.image(rows: rows, columns: columns, allocated: 8, stored: 8)
        if let aspect { set.set(.pixelAspectRatio, string: aspect) }
        var options = ImageRendering.Options()
        options.viewport = viewport
        return try ImageRendering(set).render(Fixtures.frame(values, of: set), number: 1, options: options)
    }

    @Test("A smaller picture has the mean of the pixels that each of its pixels covers")
    func down() throws {
        let values = [0, 10, 100, 110, 20, 30, 120, 130]
        let half = try Self.rendered(values, rows: 2, columns: 4, Viewport(width: 2, height: 2))
        #expect((half.rows, half.columns) == (1, 2))
        #expect(half.bytes == [15, 115])
        // 3 pixels to 2: each covers one and a half.
        let part = try Self.rendered([0, 90, 30], rows: 1, columns: 3, Viewport(width: 2, height: 9))
        #expect(part.bytes == [30, 50])
    }

    @Test("A larger picture lies between the pixels, and never beyond them")
    func up() throws {
        let twice = try Self.rendered([0, 100], rows: 1, columns: 2, Viewport(width: 4, height: 2))
        #expect((twice.rows, twice.columns) == (2, 4))
        #expect(twice.bytes == [0, 25, 75, 100, 0, 25, 75, 100])
    }

    @Test("PS3.18 §8.3.5.1.3: a picture fits into the viewport and keeps its shape")
    func fits() throws {
        let values = [Int](repeating: 7, count: 200)
        let wide = try Self.rendered(values, rows: 10, columns: 20, Viewport(width: 100, height: 100))
        #expect((wide.rows, wide.columns) == (50, 100))
        let low = try Self.rendered(values, rows: 10, columns: 20, Viewport(width: 100, height: 5))
        #expect((low.rows, low.columns) == (5, 10))
        #expect(Set(low.bytes) == [7])
        let image = Fixtures.image(rows: 10, columns: 20, allocated: 8, stored: 8)
        #expect(try ImageRendering(image).pictureBytes(number: 1, viewport: Viewport(width: 9, height: 5)) == 9 * 5)
        let dot = try Self.rendered(values, rows: 1, columns: 200, Viewport(width: 1, height: 1))
        #expect((dot.rows, dot.columns) == (1, 1))
    }

    @Test("PS3.18 §8.3.5.1.3: a region is cut out, and turned over where its sides are negative")
    func regions() throws {
        let values = Array(0..<12)
        var region = Viewport.Region(x: 1, y: 1, width: 2, height: 2)
        func cut() throws -> [UInt8] {
            try Self.rendered(values, rows: 3, columns: 4, Viewport(width: 2, height: 2, region: region)).bytes
        }
        #expect(try cut() == [5, 6, 9, 10])
        region.flipsHorizontally = true
        #expect(try cut() == [6, 5, 10, 9])
        region.flipsVertically = true
        #expect(try cut() == [10, 9, 6, 5])
        // What reaches beyond the image ends at its edge.
        region = Viewport.Region(x: 2, y: 1, width: 100, height: 100)
        #expect(try cut() == [6, 7, 10, 11])
        region = Viewport.Region(x: 4, y: 0)
        #expect(throws: RenderingError.regionOutside) { try cut() }
    }

    @Test("Viewports that are none: sides of 0 or beyond the limit, regions of nothing")
    func badViewports() {
        #expect(Viewport(width: 0, height: 1) == nil)
        #expect(Viewport(width: Viewport.sideMax, height: 1) != nil)
        #expect(Viewport(width: Viewport.sideMax + 1, height: 1) == nil)
        #expect(Viewport(width: 1, height: 1, region: .init(width: 0)) == nil)
        #expect(Viewport(width: 1, height: 1, region: .init(x: -1)) == nil)
        #expect(Viewport(width: 1, height: 1, region: .init(x: .nan)) == nil)
    }

    @Test("PS3.3 §C.7.6.3.1.7: pixels twice as high as wide give a picture twice as high, and wide ones a wide one")
    func aspect() throws {
        let values = [10, 20, 30, 40]
        let high = try Self.rendered(values, rows: 2, columns: 2, nil, aspect: "2\\1")
        #expect((high.rows, high.columns) == (4, 2))
        let wide = try Self.rendered(values, rows: 2, columns: 2, nil, aspect: "1\\2")
        #expect((wide.rows, wide.columns) == (2, 4))
        let fitted = try Self.rendered(values, rows: 2, columns: 2, Viewport(width: 4, height: 4), aspect: "2\\1")
        #expect((fitted.rows, fitted.columns) == (4, 2))
        let absurd = try Self.rendered(values, rows: 2, columns: 2, nil, aspect: "1000\\1")
        #expect((absurd.rows, absurd.columns) == (2, 2))
        let none = try Self.rendered(values, rows: 2, columns: 2, nil, aspect: "0\\0")
        #expect(none.bytes == [10, 20, 30, 40])
    }

    @Test("A frame that was decoded at half its size gives the same region")
    func reduced() throws {
        let set = Fixtures.image(rows: 4, columns: 4, allocated: 8, stored: 8)
        let half = try #require(
            NativeFrame(
                rows: 2, columns: 2, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: [1, 2, 3, 4]))
        var options = ImageRendering.Options()
        options.viewport = Viewport(width: 1, height: 1, region: .init(x: 2, y: 0, width: 2, height: 2))
        let rendering = try ImageRendering(set)
        #expect(try rendering.render(half, number: 1, options: options).bytes == [2])
        #expect(rendering.reduction(for: Viewport(width: 2, height: 2)) == 1)
        #expect(rendering.reduction(for: Viewport(width: 3, height: 3)) == 0)
        #expect(rendering.reduction(for: Viewport(width: 1, height: 1)) == 2)
        #expect(rendering.reduction(for: nil) == 0)
    }
}
