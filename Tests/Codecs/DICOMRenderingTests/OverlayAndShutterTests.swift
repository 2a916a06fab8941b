import DICOMData
import DICOMPixels
import PixelCodecs
import Testing

@testable import DICOMRendering

/// What lies over an image. PS3.3 §C.9.2, §C.7.6.11.
@Suite("Overlays and shutters")
struct OverlayAndShutterTests {
    private typealias Fixtures = RenderingFixtures

    private static func plane(
        _ set: inout DataSet, group: UInt16 = 0x6000, rows: Int, columns: Int, origin: [Int], _ data: [UInt8]
    ) {
        set.set(Tag(group, 0x0010), .US, int: rows)
        set.set(Tag(group, 0x0011), .US, int: columns)
        set.set(Tag(group, 0x0050), .SS, ints: origin)
        set.set(Tag(group, 0x0100), .US, int: 1)
        set.set(Tag(group, 0x0102), .US, int: 0)
        set.set(Tag(group, 0x3000), .OW, bytes: data)
    }

    private static func shown(_ set: DataSet, frame: Int = 1, overlays: Bool = true) throws -> [UInt8] {
        let count = (set.int(.rows) ?? 0) * (set.int(.columns) ?? 0)
        var options = ImageRendering.Options()
        options.drawsOverlays = overlays
        return try ImageRendering(set).render(
            Fixtures.frame([Int](repeating: 9, count: count), of: set), number: frame, options: options
        ).bytes
    }

    @Test("PS3.3 §C.9.2: a plane lies where its origin says, its first pixel the lowest bit, and ends with the image")
    func planes() throws {
        var set = Fixtures.image(rows: 2, columns: 3, allocated: 8, stored: 8)
        Self.plane(&set, rows: 2, columns: 2, origin: [1, 2], [0b1001, 0])
        #expect(try Self.shown(set) == [9, 255, 9, 9, 9, 255])
        #expect(try Self.shown(set, overlays: false) == [9, 9, 9, 9, 9, 9])
        Self.plane(&set, group: 0x601E, rows: 9, columns: 1, origin: [0, 1], [0xFF, 0xFF])
        #expect(try Self.shown(set) == [255, 255, 9, 255, 9, 255])
    }

    @Test("PS3.3 §C.9.3: frames of an overlay belong to the frames of the image from its origin on")
    func frames() throws {
        var set = Fixtures.image(rows: 1, columns: 2, allocated: 8, stored: 8)
        set.set(.numberOfFrames, int: 3)
        Self.plane(&set, rows: 1, columns: 2, origin: [1, 1], [0b1001, 0])
        set.set(Tag(0x6000, 0x0015), .IS, int: 2)
        set.set(Tag(0x6000, 0x0051), .US, int: 2)
        #expect(try Self.shown(set, frame: 1) == [9, 9])
        #expect(try Self.shown(set, frame: 2) == [255, 9])
        #expect(try Self.shown(set, frame: 3) == [9, 255])
    }

    @Test("PS3.5 §8.1.2: a plane in a bit that the samples leave unused is drawn from the stored cells")
    func unusedBits() throws {
        var set = Fixtures.image(rows: 1, columns: 3, allocated: 16, stored: 12)
        set.set(.windowCenter, string: "0")
        set.set(.windowWidth, string: "10000")
        Self.plane(&set, rows: 1, columns: 3, origin: [1, 1], [])
        set.set(Tag(0x6000, 0x0100), .US, int: 16)
        set.set(Tag(0x6000, 0x0102), .US, int: 14)
        let rendering = try ImageRendering(set)
        #expect(rendering.wantsCells)
        let cells: [UInt8] = [0, 0x40, 0, 0x20, 0, 0xC0]
        let frame = try Fixtures.frame([0, 0, 0], of: set)
        let plain = try rendering.render(frame, number: 1).bytes[0]
        #expect(try rendering.render(frame, number: 1, cells: cells).bytes == [255, plain, 255])
        #expect(try rendering.render(frame, number: 1, cells: []).bytes == [plain, plain, plain])
        // A bit of the samples themselves is no plane.
        set.set(Tag(0x6000, 0x0102), .US, int: 11)
        #expect(try ImageRendering(set).wantsCells == false)
    }

    @Test("PS3.3 §C.7.6.11: a rectangle is seen with its edges, the rest has the presentation value")
    func rectangle() throws {
        var set = Fixtures.image(rows: 3, columns: 4, allocated: 8, stored: 8)
        set.set(Tag(0x0018, 0x1600), .CS, string: "RECTANGULAR")
        for (element, value) in [(0x1602, 2), (0x1604, 3), (0x1606, 1), (0x1608, 2)] as [(UInt16, Int)] {
            set.set(Tag(0x0018, element), .IS, int: value)
        }
        set.set(Tag(0x0018, 0x1622), .US, int: 0x8000)
        #expect(try Self.shown(set) == [128, 9, 9, 128, 128, 9, 9, 128, 128, 128, 128, 128])
    }

    @Test("PS3.3 §C.7.6.11: a circle and a polygon; of two shapes what both show is seen")
    func circleAndPolygon() throws {
        var set = Fixtures.image(rows: 3, columns: 3, allocated: 8, stored: 8)
        set.set(Tag(0x0018, 0x1600), .CS, string: "CIRCULAR")
        set.set(Tag(0x0018, 0x1610), .IS, string: "2\\2")
        set.set(Tag(0x0018, 0x1612), .IS, int: 1)
        #expect(try Self.shown(set) == [0, 9, 0, 9, 9, 9, 0, 9, 0])
        // Rows 0 to 2, without the last.
        set.set(Tag(0x0018, 0x1600), .CS, string: "CIRCULAR\\POLYGONAL")
        set.set(Tag(0x0018, 0x1620), .IS, string: "0\\0\\0\\9\\2\\9\\2\\0")
        #expect(try Self.shown(set) == [0, 9, 0, 0, 0, 0, 0, 0, 0])
        set.set(Tag(0x0018, 0x1600), .CS, string: "POLYGONAL")
        #expect(try Self.shown(set) == [9, 9, 9, 0, 0, 0, 0, 0, 0])
    }

    @Test("PS3.3 §C.7.6.15: a bitmap covers where its plane has a 1, and is not drawn as an overlay")
    func bitmap() throws {
        var set = Fixtures.image(rows: 1, columns: 3, allocated: 8, stored: 8)
        Self.plane(&set, rows: 1, columns: 3, origin: [1, 1], [0b101, 0])
        set.set(Tag(0x0018, 0x1600), .CS, string: "BITMAP")
        set.set(Tag(0x0018, 0x1623), .US, int: 0x6000)
        set.set(Tag(0x0018, 0x1622), .US, int: 0x1000)
        #expect(try Self.shown(set) == [16, 9, 16])
        #expect(try Self.shown(set, overlays: false) == [16, 9, 16])
    }

    @Test("A polygon of several parts is seen in each of them; a shape that is named again is the same one")
    func parts() throws {
        var set = Fixtures.image(rows: 1, columns: 9, allocated: 8, stored: 8)
        // Two teeth that the row crosses: columns 2 to 4 and 6 to 8.
        set.set(Tag(0x0018, 0x1600), .CS, string: "POLYGONAL\\POLYGONAL\\POLYGONAL")
        set.set(Tag(0x0018, 0x1620), .IS, string: "0\\2\\9\\2\\9\\8\\0\\8\\0\\6\\8\\6\\8\\4\\0\\4")
        let picture = try ImageRendering(set).render(
            Fixtures.frame([Int](repeating: 9, count: 9), of: set), number: 1)
        #expect(picture.bytes == [0, 9, 9, 9, 0, 9, 9, 9, 0])
    }

    @Test("Shutters without their numbers cover nothing")
    func badShutters() throws {
        var set = Fixtures.image(rows: 1, columns: 2, allocated: 8, stored: 8)
        set.set(Tag(0x0018, 0x1600), .CS, string: "RECTANGULAR\\CIRCULAR\\POLYGONAL\\OTHER")
        set.set(Tag(0x0018, 0x1620), .IS, string: "1\\1\\2")
        #expect(try Self.shown(set) == [9, 9])
    }
}
