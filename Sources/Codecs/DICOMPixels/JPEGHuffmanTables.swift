/// The Huffman tables of one class, four at most, laid out so that most codes are one look-up. ITU-T T.81 §C.2,
/// §F.2.2.3.
struct JPEGHuffmanTables {
    /// Codes up to this length are looked up at once.
    static let fastBits = 10

    /// Length << 8 | symbol by the next `fastBits` bits; 0 where the code is longer.
    private var fast = [UInt16](repeating: 0, count: 4 << fastBits)
    /// The greatest code of each length, -1 where there is none, and what to add to a code to get its place.
    private var greatest = [Int32](repeating: -1, count: 4 * 17)
    private var shift = [Int32](repeating: 0, count: 4 * 17)
    private var symbols = [UInt8](repeating: 0, count: 4 * 256)
    /// Symbols of each table; 0 for one that is not there.
    private(set) var counts = [Int](repeating: 0, count: 4)

    /// Where the tables lie, for the duration of a scan.
    struct Pointers {
        let fast: UnsafePointer<UInt16>
        let greatest: UnsafePointer<Int32>
        let shift: UnsafePointer<Int32>
        let symbols: UnsafePointer<UInt8>
        let counts: UnsafePointer<Int>
    }

    /// Takes one table, of 0...3. false where the lengths are those of no code.
    mutating func define(_ table: Int, lengths: ArraySlice<UInt8>, symbols listed: ArraySlice<UInt8>) -> Bool {
        guard (0..<4).contains(table), lengths.count == 16, listed.count <= 256 else { return false }
        var code = 0
        var place = 0
        for index in 0..<(1 << Self.fastBits) { fast[table << Self.fastBits + index] = 0 }
        for (index, count) in lengths.enumerated() {
            let length = index + 1
            let at = table * 17 + length
            shift[at] = Int32(place - code)
            guard code + Int(count) <= 1 << length, place + Int(count) <= listed.count else { return false }
            greatest[at] = count > 0 ? Int32(code + Int(count) - 1) : -1
            for symbol in listed.dropFirst(place).prefix(Int(count)) {
                symbols[table * 256 + place] = symbol
                if length <= Self.fastBits {
                    let first = code << (Self.fastBits - length)
                    for entry in first..<first + 1 << (Self.fastBits - length) {
                        fast[table << Self.fastBits + entry] = UInt16(length) << 8 | UInt16(symbol)
                    }
                }
                code += 1
                place += 1
            }
            code <<= 1
        }
        counts[table] = place
        return place == listed.count
    }

    func withPointers<Result>(_ body: (Pointers) -> Result) -> Result {
        fast.withUnsafeBufferPointer { fast in
            greatest.withUnsafeBufferPointer { greatest in
                shift.withUnsafeBufferPointer { shift in
                    symbols.withUnsafeBufferPointer { symbols in
                        counts.withUnsafeBufferPointer { counts in
                            guard let fast = fast.baseAddress, let greatest = greatest.baseAddress,
                                let shift = shift.baseAddress, let symbols = symbols.baseAddress,
                                let counts = counts.baseAddress
                            else { preconditionFailure("tables of a fixed size have an address") }
                            return body(
                                Pointers(
                                    fast: fast, greatest: greatest, shift: shift, symbols: symbols, counts: counts))
                        }
                    }
                }
            }
        }
    }

    /// Reads a DHT segment into the tables of class 0 (DC, lossless) and 1 (AC). false where it is none. §B.2.4.2.
    static func read(_ body: [UInt8], _ first: inout JPEGHuffmanTables, _ second: inout JPEGHuffmanTables) -> Bool {
        var rest = body[...]
        while !rest.isEmpty {
            guard rest.count >= 17, let head = rest.first else { return false }
            let lengths = rest[(rest.startIndex + 1)..<(rest.startIndex + 17)]
            let count = lengths.reduce(0) { $0 + Int($1) }
            let start = rest.startIndex + 17
            guard start + count <= rest.endIndex else { return false }
            let symbols = rest[start..<start + count]
            let table = Int(head & 15)
            switch head >> 4 {
            case 0: guard first.define(table, lengths: lengths, symbols: symbols) else { return false }
            case 1: guard second.define(table, lengths: lengths, symbols: symbols) else { return false }
            default: return false
            }
            rest = rest[(start + count)...]
        }
        return true
    }
}

/// The bits of a scan, with bytes of 00 behind FF dropped. T.81 §F.2.2.5.
///
/// At a marker and at the end bits of 0 are given without end; `isOverrun` tells that some were taken. Whoever reads
/// looks at it once a line, so that the loop over a line needs no other check.
struct JPEGScanBits {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    private(set) var position: Int
    /// The low `count` bits are still to be read.
    private var buffer: UInt64 = 0
    private var count = 0
    /// How many of the bits in the buffer, the last ones, are not of the scan.
    private var padding = 0

    init(_ bytes: UnsafePointer<UInt8>, count: Int, from position: Int) {
        base = bytes
        end = count
        self.position = position
    }

    /// Bits beyond the end of the scan were taken.
    var isOverrun: Bool { count < padding }

    /// At least 32 bits are in the buffer behind this.
    @inline(__always) mutating func fill() {
        if count < 32 { refill() }
    }

    private mutating func refill() {
        if position + 4 <= end, padding == 0 {
            let word = UInt32(
                bigEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self))
            // No byte is FF: no byte of the complement is 0.
            if (~word &- 0x0101_0101) & word & 0x8080_8080 == 0 {
                buffer = buffer << 32 | UInt64(word)
                count += 32
                position += 4
                return
            }
        }
        while count <= 48 {
            var byte: UInt8 = 0
            if position < end, base[position] != 0xFF {
                byte = base[position]
                position += 1
            } else if position + 1 < end, base[position + 1] == 0 {
                byte = 0xFF
                position += 2
            } else {
                padding += 8
            }
            buffer = buffer << 8 | UInt64(byte)
            count += 8
        }
        if padding > 64 { padding = 64 }
    }

    /// The next `wanted` bits, 0...16; `fill` was called for them.
    @inline(__always) mutating func take(_ wanted: Int) -> Int {
        count &-= wanted
        return Int(truncatingIfNeeded: buffer &>> UInt64(truncatingIfNeeded: count)) & (1 &<< wanted &- 1)
    }

    /// The next symbol by a table of 0...3; -1 for bits that are no code. `fill` was called for 16 bits.
    @inline(__always) mutating func symbol(_ tables: JPEGHuffmanTables.Pointers, _ table: Int) -> Int {
        let bits = JPEGHuffmanTables.fastBits
        let next = Int(truncatingIfNeeded: buffer &>> UInt64(truncatingIfNeeded: count &- bits)) & (1 << bits - 1)
        let entry = tables.fast[table << bits | next]
        if entry != 0 {
            count &-= Int(entry >> 8)
            return Int(entry & 0xFF)
        }
        return longSymbol(tables, table)
    }

    private mutating func longSymbol(_ tables: JPEGHuffmanTables.Pointers, _ table: Int) -> Int {
        let next = Int(truncatingIfNeeded: buffer >> UInt64(count - 16)) & 0xFFFF
        for length in 1...16 {
            let code = next >> (16 - length)
            let at = table * 17 + length
            guard code <= Int(tables.greatest[at]) else { continue }
            let place = code + Int(tables.shift[at])
            guard place >= 0, place < tables.counts[table] else { return -1 }
            count -= length
            return Int(tables.symbols[table * 256 + place])
        }
        return -1
    }

    /// The number of `size` bits, 0...15, as JPEG spells it: a first bit of 0 means negative. T.81 §F.2.2.1 EXTEND.
    @inline(__always) mutating func number(_ size: Int) -> Int {
        guard size > 0 else { return 0 }
        let raw = take(size)
        return raw < 1 &<< (size &- 1) ? raw &- (1 &<< size) &+ 1 : raw
    }

    /// Drops the rest of the interval and takes the restart marker that has to follow, behind fill bytes if there are
    /// any. T.81 §F.2.1.3.1, §B.1.1.2.
    mutating func restart() -> Bool {
        guard !isOverrun else { return false }
        // What was read ahead is of the last byte, or the marker was not reached.
        guard count - padding < 8 else { return false }
        (buffer, count, padding) = (0, 0, 0)
        while position + 1 < end, base[position] == 0xFF, base[position + 1] == 0xFF { position += 1 }
        guard position + 1 < end, base[position] == 0xFF, (0xD0...0xD7).contains(base[position + 1]) else {
            return false
        }
        position += 2
        return true
    }
}
