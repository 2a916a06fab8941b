import DICOMData
import PixelCodecs

/// The colours of PALETTE COLOR: a table for each of red, green and blue, whole or in segments. PS3.3 §C.7.6.3.1.5,
/// §C.7.9.
struct PaletteTable: Sendable, Equatable {
    /// Segments that are read of one table.
    static let segmentsMax = 1 << 17

    private let tables: [LookUpTable]

    /// Of red, green and blue; nil for another number of tables.
    init?(_ tables: [LookUpTable]) {
        guard tables.count == 3 else { return nil }
        self.tables = tables
    }

    /// nil when a table is absent or unusable.
    init?(_ dataSet: DataSet, isSigned: Bool) {
        let places: [(descriptor: Tag, data: Tag, segmented: Tag)] = [
            (
                .redPaletteColorLookupTableDescriptor, .redPaletteColorLookupTableData,
                .segmentedRedPaletteColorLookupTableData
            ),
            (
                .greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData,
                .segmentedGreenPaletteColorLookupTableData
            ),
            (
                .bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData,
                .segmentedBluePaletteColorLookupTableData
            ),
        ]
        var tables: [LookUpTable] = []
        for place in places {
            if let table = LookUpTable(
                dataSet, descriptor: place.descriptor, data: place.data, isSigned: isSigned)
            {
                tables.append(table)
                continue
            }
            guard let head = LookUpTable.Descriptor(dataSet, place.descriptor, isSigned: isSigned),
                let bytes = dataSet.bytes(place.segmented),
                let table = LookUpTable(
                    firstMapped: head.firstMapped,
                    entries: Self.expanded(bytes, isBytes: head.bits <= 8, count: head.count), bits: head.bits)
            else { return nil }
            tables.append(table)
        }
        self.tables = tables
    }

    /// The entries of a segmented table, at most `count`: discrete, linear and indirect segments. What is damaged ends
    /// the table where it stands. PS3.3 §C.7.9.2.
    ///
    /// - Parameter isBytes: opcodes, lengths and values are bytes, and an offset is four of them; else they are words.
    static func expanded(_ bytes: [UInt8], isBytes: Bool, count: Int) -> [UInt16] {
        let cells = isBytes ? bytes.map(UInt16.init) : words(bytes, max: bytes.count / 2)
        var entries: [UInt16] = []
        entries.reserveCapacity(count)
        var position = 0
        // Segments may be empty and repeated without end.
        var left = segmentsMax
        while position + 2 <= cells.count, entries.count < count, cells[position] <= 2, left > 0 {
            left -= 1
            if cells[position] < 2 {
                guard let next = segment(cells, at: position, count, &entries) else { break }
                position = next
                continue
            }
            // Segments that stand elsewhere are repeated; an indirect one among them is not followed.
            let width = isBytes ? 4 : 2
            guard position + 2 + width <= cells.count else { break }
            var offset = 0
            for index in (0..<width).reversed() {
                offset = offset << (isBytes ? 8 : 16) | Int(cells[position + 2 + index])
            }
            var from = isBytes ? offset : offset / 2
            for _ in 0..<min(left, Int(cells[position + 1])) where entries.count < count {
                guard from + 2 <= cells.count, cells[from] < 2, let next = segment(cells, at: from, count, &entries)
                else { break }
                left -= 1
                from = next
            }
            position += 2 + width
        }
        return entries
    }

    /// One discrete or linear segment; where the next one is, nil where the cells end too early.
    private static func segment(
        _ cells: [UInt16], at position: Int, _ count: Int, _ entries: inout [UInt16]
    ) -> Int? {
        let length = Int(cells[position + 1])
        if cells[position] == 0 {
            guard position + 2 + length <= cells.count else { return nil }
            entries += cells[position + 2..<position + 2 + min(length, count - entries.count)]
            return position + 2 + length
        }
        guard position + 3 <= cells.count, let last = entries.last else { return nil }
        let (from, to) = (Int(last), Int(cells[position + 2]))
        for step in 0..<min(length, count - entries.count) {
            let change = Double((to - from) * (step + 1)) / Double(length)
            entries.append(UInt16(from + Int(change.rounded())))
        }
        return position + 3
    }

    /// The first value that is a colour.
    var firstMapped: Int { tables.map(\.firstMapped).max() ?? 0 }

    /// Red, green and blue of each pattern that a frame's samples can have, entries of more than 8 bits by their upper 8.
    func colours(of frame: NativeFrame) -> [[UInt8]] {
        let bits = min(16, frame.bitsStored)
        return tables.map { table in
            (0..<1 << bits).map { pattern in
                let isNegative = frame.isSigned && pattern >> (bits - 1) == 1
                return Self.byte(table.value(isNegative ? pattern - 1 << bits : pattern), table)
            }
        }
    }

    private static func byte(_ entry: UInt16, _ table: LookUpTable) -> UInt8 {
        UInt8(truncatingIfNeeded: table.bits > 8 ? entry >> UInt16(table.bits - 8) : entry)
    }

    /// Grey of 8 bits in RGB: black has the first entry, white the last. PS3.3 §A.33.3, PS3.4 §N.2.3.
    func applied(toGrey grey: [UInt8]) -> [UInt8] {
        let colours = tables.map { table in
            (0..<256).map { Self.byte(table.entries[($0 * (table.entries.count - 1) + 127) / 255], table) }
        }
        var out = [UInt8](repeating: 0, count: 3 * grey.count)
        for (index, level) in grey.enumerated() {
            for sample in 0..<3 { out[3 * index + sample] = colours[sample][Int(level)] }
        }
        return out
    }

    /// A frame of one sample a pixel in RGB.
    func applied(to frame: NativeFrame) -> [UInt8] {
        let count = frame.rows * frame.columns
        let mask = 1 << min(16, frame.bitsStored) - 1
        let colours = colours(of: frame)
        var out = [UInt8](repeating: 0, count: 3 * count)
        for index in 0..<count {
            let low = Int(frame.bytes[index * frame.sampleBytes])
            let high = frame.sampleBytes > 1 ? Int(frame.bytes[index * frame.sampleBytes + 1]) << 8 : 0
            let pattern = (low | high) & mask
            for sample in 0..<3 { out[3 * index + sample] = colours[sample][pattern] }
        }
        return out
    }
}
