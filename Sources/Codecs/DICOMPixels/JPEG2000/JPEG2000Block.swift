/// The samples of one code-block, bit plane by bit plane. ITU-T T.800 Annex D.
struct JPEG2000BlockDecoder {
    private let width: Int
    private let height: Int
    private let orientation: Int
    /// Doubled, with the middle of what is not decided yet: some encoders leave out the last planes of a sample that is
    /// there already. §E.1.1.2.
    private var magnitudes: [Int32]
    /// Each with a border of one on each side.
    private var flags: [UInt8]
    /// Which of the eight around a sample are significant: a bit each.
    private var neighbours: [UInt8]
    private let contexts: [UInt8]
    private var bits: JPEG2000ArithmeticBits
    private let coding: JPEG2000Codestream.Coding

    private static let significant: UInt8 = 1
    private static let visited: UInt8 = 2
    private static let refined: UInt8 = 4
    private static let negative: UInt8 = 8
    private var stride: Int { width + 2 }

    private init(_ block: JPEG2000Tile.Block, orientation: Int, coding: JPEG2000Codestream.Coding) {
        width = block.area.width
        height = block.area.height
        self.orientation = orientation
        self.coding = coding
        magnitudes = [Int32](repeating: 0, count: width * height)
        flags = [UInt8](repeating: 0, count: (width + 2) * (height + 2))
        neighbours = flags
        contexts = Self.contexts[orientation]
        bits = JPEG2000ArithmeticBits(block.data)
    }

    /// The samples line by line; zero where nothing was told.
    static func samples(
        of block: JPEG2000Tile.Block, in band: JPEG2000Tile.Band, _ coding: JPEG2000Codestream.Coding
    ) -> [Int32] {
        var decoder = JPEG2000BlockDecoder(block, orientation: band.orientation, coding: coding)
        decoder.decode(passes: block.passes, planes: band.planes - block.zeroPlanes)
        for row in 0..<decoder.height {
            for column in 0..<decoder.width {
                let place = row * decoder.width + column
                let isNegative = decoder.flags[(row + 1) * decoder.stride + column + 1] & Self.negative != 0
                let magnitude = decoder.magnitudes[place] >> 1
                decoder.magnitudes[place] = isNegative ? -magnitude : magnitude
            }
        }
        return decoder.magnitudes
    }

    private mutating func decode(passes: Int, planes: Int) {
        var plane = planes - 1
        // The first plane has a cleanup pass alone.
        var kind = 2
        for _ in 0..<passes where plane >= 0 {
            switch kind {
            case 0: significance(plane)
            case 1: refinement(plane)
            default: cleanup(plane)
            }
            if coding.resetsContexts { bits.resetContexts() }
            kind += 1
            if kind == 3 {
                kind = 0
                plane -= 1
            }
        }
    }

    /// §D.3.1.
    private mutating func significance(_ plane: Int) {
        for top in Swift.stride(from: 0, to: height, by: 4) {
            for column in 0..<width {
                for row in top..<min(top + 4, height) {
                    let place = (row + 1) * stride + column + 1
                    guard neighbours[place] != 0, flags[place] & Self.significant == 0 else { continue }
                    if bits.next(Int(contexts[Int(neighbours[place])])) == 1 { begin(place, row, column, plane) }
                    flags[place] |= Self.visited
                }
            }
        }
    }

    /// §D.3.3.
    private mutating func refinement(_ plane: Int) {
        for top in Swift.stride(from: 0, to: height, by: 4) {
            for column in 0..<width {
                for row in top..<min(top + 4, height) {
                    let place = (row + 1) * stride + column + 1
                    let flag = flags[place]
                    guard flag & (Self.significant | Self.visited) == Self.significant else { continue }
                    let context = flag & Self.refined != 0 ? 16 : neighbours[place] != 0 ? 15 : 14
                    let half: Int32 = 1 << Int32(plane)
                    magnitudes[row * width + column] &+= bits.next(context) == 1 ? half : -half
                    flags[place] = flag | Self.refined
                }
            }
        }
    }

    /// §D.3.4.
    private mutating func cleanup(_ plane: Int) {
        var top = 0
        while top < height {
            for column in 0..<width {
                var row = top
                if top + 4 <= height, isQuiet(top, column) {
                    guard bits.next(17) == 1 else { continue }
                    row = top + (bits.next(18) << 1 | bits.next(18))
                    begin((row + 1) * stride + column + 1, row, column, plane)
                    row += 1
                }
                while row < min(top + 4, height) {
                    let place = (row + 1) * stride + column + 1
                    if flags[place] & (Self.significant | Self.visited) == 0,
                        bits.next(Int(contexts[Int(neighbours[place])])) == 1
                    {
                        begin(place, row, column, plane)
                    }
                    row += 1
                }
            }
            top += 4
        }
        if coding.hasMarks { for _ in 0..<4 { _ = bits.next(18) } }
        for place in flags.indices { flags[place] &= ~Self.visited }
    }

    /// Whether four samples in a column are insignificant, not visited, and among such.
    private func isQuiet(_ top: Int, _ column: Int) -> Bool {
        for row in top..<top + 4 {
            let place = (row + 1) * stride + column + 1
            if flags[place] & (Self.significant | Self.visited) != 0 || neighbours[place] != 0 { return false }
        }
        return true
    }

    /// Table D.1 for each set of significant neighbours: left, right, above, below, and the four corners.
    private static let contexts: [[UInt8]] = (0..<4).map { orientation in
        (0..<256).map { set in
            func count(_ bits: Int...) -> Int { bits.reduce(0) { $0 + (set >> $1 & 1) } }
            return context(count(0, 1), count(2, 3), count(4, 5, 6, 7), orientation)
        }
    }

    private static func context(_ across: Int, _ along: Int, _ diagonal: Int, _ orientation: Int) -> UInt8 {
        if orientation == 3 {
            let straight = UInt8(min(across + along, 2))
            switch diagonal {
            case 0: return straight
            case 1: return 3 + straight
            case 2: return straight > 0 ? 7 : 6
            default: return 8
            }
        }
        let (first, second) = orientation == 1 ? (along, across) : (across, along)
        if first == 2 { return 8 }
        if first == 1 { return second > 0 ? 7 : diagonal > 0 ? 6 : 5 }
        return UInt8(second > 0 ? 2 + second : min(diagonal, 2))
    }

    /// A sample becomes significant: its sign. Tables D.2 and D.3.
    private mutating func begin(_ place: Int, _ row: Int, _ column: Int, _ plane: Int) {
        func sign(_ place: Int) -> Int {
            let flag = flags[place]
            return flag & Self.significant == 0 ? 0 : flag & Self.negative == 0 ? 1 : -1
        }
        let across = min(max(sign(place - 1) + sign(place + 1), -1), 1)
        let along = min(max(sign(place - stride) + sign(place + stride), -1), 1)
        let context: Int
        switch (abs(across), across * along) {
        case (1, 1): context = 13
        case (1, 0): context = 12
        case (1, _): context = 11
        default: context = along == 0 ? 9 : 10
        }
        let isTurned = across < 0 || (across == 0 && along < 0)
        let bit = bits.next(context)
        magnitudes[row * width + column] = 3 << Int32(plane)
        flags[place] |= Self.significant | ((bit == 1) != isTurned ? Self.negative : 0)
        // It is the right one of its left neighbour, and so on.
        neighbours[place - 1] |= 2
        neighbours[place + 1] |= 1
        neighbours[place - stride] |= 8
        neighbours[place + stride] |= 4
        neighbours[place - stride - 1] |= 16
        neighbours[place - stride + 1] |= 32
        neighbours[place + stride - 1] |= 64
        neighbours[place + stride + 1] |= 128
    }
}

/// The bits of an arithmetic codeword. Behind its end it goes on with bytes of FF. ITU-T T.800 Annex C.
struct JPEG2000ArithmeticBits {
    private let bytes: [UInt8]
    private var position = 0
    private var code: UInt32 = 0
    private var interval: UInt32 = 0x8000
    private var left = 0
    private var states = [UInt8](repeating: 0, count: 19)
    private var likely = [UInt8](repeating: 0, count: 19)

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        resetContexts()
        code = UInt32(byte(0)) << 16
        readByte()
        code <<= 7
        left -= 7
    }

    /// Table D.7.
    mutating func resetContexts() {
        for context in 0..<19 { (states[context], likely[context]) = (0, 0) }
        states[0] = 4
        states[17] = 3
        states[18] = 46
    }

    private func byte(_ place: Int) -> UInt8 { place < bytes.count ? bytes[place] : 0xFF }

    /// §C.3.4.
    private mutating func readByte() {
        if byte(position) == 0xFF {
            if byte(position + 1) > 0x8F {
                code &+= 0xFF00
                left = 8
            } else {
                position += 1
                code &+= UInt32(byte(position)) << 9
                left = 7
            }
        } else {
            position += 1
            code &+= UInt32(byte(position)) << 8
            left = 8
        }
    }

    /// The next decision in a context, 0 to 18. §C.3.2.
    mutating func next(_ context: Int) -> Int {
        let state = Self.table[Int(states[context])]
        let estimate = UInt32(state.estimate)
        var bit = likely[context]
        interval &-= estimate
        let isLow = code >> 16 < estimate
        if !isLow {
            code &-= estimate << 16
            if interval & 0x8000 != 0 { return Int(bit) }
        }
        // The smaller part is the less likely one, whichever of the two it is called.
        if (interval < estimate) != isLow {
            bit = 1 - bit
            if state.turns { likely[context] = 1 - likely[context] }
            states[context] = state.onLess
        } else {
            states[context] = state.onMore
        }
        if isLow { interval = estimate }
        repeat {
            if left == 0 { readByte() }
            interval <<= 1
            code <<= 1
            left -= 1
        } while interval & 0x8000 == 0
        return Int(bit)
    }

    /// Table C.2.
    private static let table: [(estimate: UInt16, onMore: UInt8, onLess: UInt8, turns: Bool)] = [
        (0x5601, 1, 1, true), (0x3401, 2, 6, false), (0x1801, 3, 9, false), (0x0AC1, 4, 12, false),
        (0x0521, 5, 29, false), (0x0221, 38, 33, false), (0x5601, 7, 6, true), (0x5401, 8, 14, false),
        (0x4801, 9, 14, false), (0x3801, 10, 14, false), (0x3001, 11, 17, false), (0x2401, 12, 18, false),
        (0x1C01, 13, 20, false), (0x1601, 29, 21, false), (0x5601, 15, 14, true), (0x5401, 16, 14, false),
        (0x5101, 17, 15, false), (0x4801, 18, 16, false), (0x3801, 19, 17, false), (0x3401, 20, 18, false),
        (0x3001, 21, 19, false), (0x2801, 22, 19, false), (0x2401, 23, 20, false), (0x2201, 24, 21, false),
        (0x1C01, 25, 22, false), (0x1801, 26, 23, false), (0x1601, 27, 24, false), (0x1401, 28, 25, false),
        (0x1201, 29, 26, false), (0x1101, 30, 27, false), (0x0AC1, 31, 28, false), (0x09C1, 32, 29, false),
        (0x08A1, 33, 30, false), (0x0521, 34, 31, false), (0x0441, 35, 32, false), (0x02A1, 36, 33, false),
        (0x0221, 37, 34, false), (0x0141, 38, 35, false), (0x0111, 39, 36, false), (0x0085, 40, 37, false),
        (0x0049, 41, 38, false), (0x0025, 42, 39, false), (0x0015, 43, 40, false), (0x0009, 44, 41, false),
        (0x0005, 45, 42, false), (0x0001, 45, 43, false), (0x5601, 46, 46, false),
    ]
}
