import DICOMData
import PixelCodecs
import Testing

@testable import DICOMRendering

/// Palettes and colour. PS3.3 §C.7.6.3.1.2, §C.7.6.3.1.5, §C.7.9.
@Suite("Palettes and colour")
struct ColourTests {
    private typealias Fixtures = RenderingFixtures

    private static func palette(bits: Int, first: Int = 0, _ tables: [[Int]], asBytes: Bool = false) -> DataSet {
        var set = Fixtures.image(rows: 1, columns: 3, allocated: 8, stored: 8, photometric: "PALETTE COLOR")
        for (index, entries) in tables.enumerated() {
            set.set(Tag(0x0028, 0x1101 + UInt16(index)), .US, ints: [entries.count, first, bits])
            set.set(
                Tag(0x0028, 0x1201 + UInt16(index)), .OW,
                bytes: asBytes
                    ? entries.map { UInt8($0) } : entries.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        }
        return set
    }

    @Test("PS3.3 §C.7.6.3.1.5: entries of 16 bits are shown by their upper 8, those of 8 bits as they are")
    func entries() throws {
        let wide = Self.palette(bits: 16, first: 5, [[0x1200, 0xFF00], [0x3400, 0], [0x5600, 0x8000]])
        #expect(try Fixtures.shown([0, 6, 200], wide) == [0x12, 0x34, 0x56, 0xFF, 0, 0x80, 0xFF, 0, 0x80])
        let narrow = Self.palette(bits: 8, [[1, 2], [3, 4], [5, 6]], asBytes: true)
        #expect(try Fixtures.shown([0, 1, 2], narrow) == [1, 3, 5, 2, 4, 6, 2, 4, 6])
    }

    @Test("PS3.3 §C.7.9.2: discrete, linear and indirect segments")
    func segments() {
        // Two values, four steps to 300, and the discrete segment at byte 0 again.
        let words = [0, 2, 100, 200, 1, 4, 300, 2, 1, 0, 0]
        let bytes = words.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(
            PaletteTable.expanded(bytes, isBytes: false, count: 100) == [100, 200, 225, 250, 275, 300, 100, 200])
        #expect(PaletteTable.expanded(bytes, isBytes: false, count: 3) == [100, 200, 225])
        // Bytes: an offset is four of them.
        #expect(
            PaletteTable.expanded([0, 1, 10, 1, 2, 20, 2, 2, 0, 0, 0, 0], isBytes: true, count: 100)
                == [10, 15, 20, 10, 15, 20])
    }

    @Test("PS3.3 §C.7.9.2: damaged segments end the table: a linear one first, lengths and offsets beyond the end")
    func badSegments() {
        #expect(PaletteTable.expanded([1, 0, 5, 0, 9, 0], isBytes: false, count: 10) == [])
        #expect(PaletteTable.expanded([0, 0, 9, 0, 1, 0], isBytes: false, count: 10) == [])
        #expect(PaletteTable.expanded([2, 0, 255, 255, 255, 255, 255, 255], isBytes: false, count: 10) == [])
        #expect(PaletteTable.expanded([7, 0, 1, 0], isBytes: false, count: 10) == [])
        #expect(PaletteTable.expanded([], isBytes: true, count: 10) == [])
    }

    @Test("Empty segments that repeat each other end at the limit")
    func endlessSegments() {
        // Indirect segments that each repeat 65,535 empty discrete ones.
        let empty = [UInt8](repeating: 0, count: 4 * 65_536)
        let indirect: [UInt8] = [2, 0, 0xFF, 0xFF, 0, 0, 0, 0]
        let bytes = empty + (0..<10_000).flatMap { _ in indirect }
        #expect(PaletteTable.expanded(bytes, isBytes: false, count: 65_536) == [])
    }

    @Test("A palette without its tables is refused, and named")
    func noTables() throws {
        let set = Fixtures.image(rows: 1, columns: 1, allocated: 8, stored: 8, photometric: "PALETTE COLOR")
        #expect(throws: RenderingError.unsupported("PALETTE COLOR without its tables")) {
            try Fixtures.shown([0], set)
        }
    }

    private static func colour(_ photometric: String, bits: Int) -> DataSet {
        var set = Fixtures.image(
            rows: 1, columns: 2, allocated: bits > 16 ? 32 : bits > 8 ? 16 : 8, stored: bits, photometric: photometric)
        set.set(.samplesPerPixel, int: 3)
        set.set(.planarConfiguration, int: 0)
        return set
    }

    @Test("RGB goes through; of 12 bits the range is brought to 8; a window does nothing to it")
    func rgb() throws {
        var options = ImageRendering.Options()
        options.window = VOIWindow(center: 1, width: 1)
        let eight = Self.colour("RGB", bits: 8)
        #expect(try Fixtures.shown([1, 2, 3, 250, 251, 252], eight, options: options) == [1, 2, 3, 250, 251, 252])
        let twelve = Self.colour("RGB", bits: 12)
        #expect(try Fixtures.shown([0, 2048, 4095, 16, 32, 4095], twelve) == [0, 127, 255, 0, 1, 255])
        let wide = Self.colour("RGB", bits: 32)
        #expect(try Fixtures.shown([0, 0xFFFF_FFFF, 0x8000_0000, 1, 2, 3], wide) == [0, 255, 127, 0, 0, 0])
    }

    @Test("PS3.3 §C.7.6.3.1.2: YBR_FULL of grey is grey, also of more than 8 bits")
    func ybr() throws {
        #expect(
            try Fixtures.shown([100, 128, 128, 50, 128, 128], Self.colour("YBR_FULL", bits: 8))
                == [100, 100, 100, 50, 50, 50])
        #expect(throws: RenderingError.unsupported("YBR_PARTIAL_420")) {
            try Fixtures.shown([1, 2, 3, 4, 5, 6], Self.colour("YBR_PARTIAL_420", bits: 8))
        }
    }
}
