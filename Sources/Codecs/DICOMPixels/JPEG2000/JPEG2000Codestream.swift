/// The headers of a JPEG 2000 codestream and the bytes of its tiles. ITU-T T.800 Annex A.
struct JPEG2000Codestream {
    struct Component {
        let precision: Int
        let isSigned: Bool
    }

    /// COD and COC: how the samples of a component are coded. §A.6.1, §A.6.2.
    struct Coding {
        var levels = 0
        /// Exponents of the sides of a code-block.
        var blockWidth = 0
        var blockHeight = 0
        /// Contexts begin anew at each pass; each bit plane ends with a mark.
        var resetsContexts = false
        var hasMarks = false
        /// Exponents of the sides of precincts by resolution; 15 where none is given.
        var precincts: [(x: Int, y: Int)] = []
        func precinct(_ resolution: Int) -> (x: Int, y: Int) {
            resolution < precincts.count ? precincts[resolution] : (15, 15)
        }
    }

    /// COD: what is the same for all components.
    struct Order {
        var progression = 0
        var layers = 0
        var isTransformed = false
        var hasStarts = false
        var hasEnds = false
    }

    /// QCD and QCC without quantization: how many bits the subbands may have. §A.6.4, §A.6.5.
    struct Exponents {
        var guardBits = 0
        var values: [Int] = []
    }

    struct Tile {
        let area: JPEG2000Area
        var coding: [Coding]
        var order: Order
        var exponents: [Exponents]
        /// Of all tile-parts, one behind the other.
        var data: [UInt8] = []
    }

    /// Tiles of a frame at most.
    private static let tilesMax = 4_096

    let size: JPEG2000Area
    private(set) var components: [Component] = []
    private(set) var tiles: [Tile] = []

    // Of the main header.
    private var coding: [Coding?]
    private var order: Order?
    private var exponents: [Exponents?]

    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes[...])
        guard reader.word() == 0xFF4F, reader.word() == 0xFF51, var siz = reader.segment(), siz.skip(2) else {
            return nil
        }
        var places: [Int] = []
        for _ in 0..<8 {
            guard let place = siz.long() else { return nil }
            places.append(place)
        }
        guard let count = siz.word(), (1...4).contains(count), places[0] > places[2], places[1] > places[3],
            places[4] > 0, places[5] > 0, places[6] <= places[2], places[7] <= places[3],
            places[6] + places[4] > places[2], places[7] + places[5] > places[3]
        else { return nil }
        for _ in 0..<count {
            guard let depth = siz.byte(), siz.word() == 0x0101, depth & 0x7F < 31 else { return nil }
            components.append(Component(precision: Int(depth & 0x7F) + 1, isSigned: depth & 0x80 != 0))
        }
        size = JPEG2000Area(x0: places[2], y0: places[3], x1: places[0], y1: places[1])
        coding = [Coding?](repeating: nil, count: count)
        exponents = [Exponents?](repeating: nil, count: count)
        let across = (places[0] - places[6] + places[4] - 1) / places[4]
        let down = (places[1] - places[7] + places[5] - 1) / places[5]
        guard across <= Self.tilesMax, down <= Self.tilesMax, across * down <= Self.tilesMax,
            readMainHeader(&reader), let order
        else { return nil }
        let (codings, bits) = (coding.compactMap { $0 }, exponents.compactMap { $0 })
        guard codings.count == count, bits.count == count else { return nil }
        for row in 0..<down {
            for column in 0..<across {
                let (x, y) = (places[6] + column * places[4], places[7] + row * places[5])
                let whole = JPEG2000Area(x0: x, y0: y, x1: x + places[4], y1: y + places[5])
                tiles.append(
                    Tile(area: whole.intersection(size), coding: codings, order: order, exponents: bits))
            }
        }
        guard readTileParts(&reader) else { return nil }
    }

    /// Up to the first SOT, which is left to be read.
    private mutating func readMainHeader(_ reader: inout Reader) -> Bool {
        while let marker = reader.word() {
            if marker == 0xFF90 {
                reader.back(2)
                return true
            }
            guard var body = reader.segment() else { return false }
            switch marker {
            case 0xFF52:
                guard let read = Self.cod(&body) else { return false }
                order = read.0
                // COC stands, whichever of the two comes first.
                for place in coding.indices where coding[place] == nil || !isOwn.contains(place) {
                    coding[place] = read.1
                }
            case 0xFF53:
                guard let place = body.byte().map(Int.init), place < components.count, let style = body.byte(),
                    let read = Self.coding(&body, hasPrecincts: style & 1 == 1)
                else { return false }
                coding[place] = read
                isOwn.insert(place)
            case 0xFF5C:
                guard let read = Self.exponents(&body) else { return false }
                for place in exponents.indices where !isOwnExponent.contains(place) { exponents[place] = read }
            case 0xFF5D:
                guard let place = body.byte().map(Int.init), place < components.count,
                    let read = Self.exponents(&body)
                else { return false }
                exponents[place] = read
                isOwnExponent.insert(place)
            // RGN, POC, PPM.
            case 0xFF5E, 0xFF5F, 0xFF60: return false
            default: continue
            }
        }
        return false
    }
    private var isOwn: Set<Int> = []
    private var isOwnExponent: Set<Int> = []

    /// §A.4.2, §A.4.3.
    private mutating func readTileParts(_ reader: inout Reader) -> Bool {
        var found: Set<Int> = []
        while let marker = reader.word() {
            if marker == 0xFFD9 { break }
            let start = reader.position - 2
            guard marker == 0xFF90, var sot = reader.segment(), let index = sot.word(), let length = sot.long(),
                index < tiles.count
            else { return false }
            found.insert(index)
            var own: (codings: Set<Int>, exponents: Set<Int>) = ([], [])
            while let marker = reader.word(), marker != 0xFF93 {
                guard var body = reader.segment() else { return false }
                switch marker {
                case 0xFF52:
                    guard let read = Self.cod(&body) else { return false }
                    tiles[index].order = read.0
                    for place in components.indices where !own.codings.contains(place) {
                        tiles[index].coding[place] = read.1
                    }
                case 0xFF53:
                    guard let place = body.byte().map(Int.init), place < components.count, let style = body.byte(),
                        let read = Self.coding(&body, hasPrecincts: style & 1 == 1)
                    else { return false }
                    tiles[index].coding[place] = read
                    own.codings.insert(place)
                case 0xFF5C:
                    guard let read = Self.exponents(&body) else { return false }
                    for place in components.indices where !own.exponents.contains(place) {
                        tiles[index].exponents[place] = read
                    }
                case 0xFF5D:
                    guard let place = body.byte().map(Int.init), place < components.count,
                        let read = Self.exponents(&body)
                    else { return false }
                    tiles[index].exponents[place] = read
                    own.exponents.insert(place)
                // RGN, POC, PPT.
                case 0xFF5E, 0xFF5F, 0xFF61: return false
                default: continue
                }
            }
            // A length of 0 reaches to EOC.
            let end = length == 0 ? reader.end - 2 : start + length
            guard end >= reader.position, end <= reader.end, let data = reader.take(end - reader.position) else {
                return false
            }
            tiles[index].data += data
        }
        return found.count == tiles.count
    }

    private static func cod(_ body: inout Reader) -> (Order, Coding)? {
        guard let style = body.byte(), let progression = body.byte(), progression <= 4, let layers = body.word(),
            layers > 0, let transform = body.byte(), transform <= 1,
            let coding = coding(&body, hasPrecincts: style & 1 == 1)
        else { return nil }
        let order = Order(
            progression: Int(progression), layers: layers, isTransformed: transform == 1, hasStarts: style & 2 != 0,
            hasEnds: style & 4 != 0)
        return (order, coding)
    }

    private static func coding(_ body: inout Reader, hasPrecincts: Bool) -> Coding? {
        guard let levels = body.byte(), levels <= 32, let width = body.byte(), let height = body.byte(), width <= 8,
            height <= 8, width + height <= 8, let style = body.byte(), style & 0b1100_1101 == 0,
            body.byte() == 1
        else { return nil }
        var coding = Coding(
            levels: Int(levels), blockWidth: Int(width) + 2, blockHeight: Int(height) + 2,
            resetsContexts: style & 2 != 0, hasMarks: style & 0x20 != 0)
        guard hasPrecincts else { return coding }
        for resolution in 0...coding.levels {
            guard let size = body.byte(), resolution == 0 || (size & 15 > 0 && size >> 4 > 0) else { return nil }
            coding.precincts.append((Int(size & 15), Int(size >> 4)))
        }
        return coding
    }

    private static func exponents(_ body: inout Reader) -> Exponents? {
        guard let style = body.byte(), style & 31 == 0 else { return nil }
        var exponents = Exponents(guardBits: Int(style >> 5))
        while let value = body.byte() { exponents.values.append(Int(value >> 3)) }
        return exponents
    }

    /// Numbers in big endian.
    private struct Reader {
        private let bytes: ArraySlice<UInt8>
        private(set) var position: Int
        var end: Int { bytes.endIndex }

        init(bytes: ArraySlice<UInt8>) {
            self.bytes = bytes
            position = bytes.startIndex
        }

        mutating func byte() -> UInt8? {
            guard position < end else { return nil }
            defer { position += 1 }
            return bytes[position]
        }
        mutating func word() -> Int? {
            guard end - position >= 2 else { return nil }
            defer { position += 2 }
            return Int(bytes[position]) << 8 | Int(bytes[position + 1])
        }
        mutating func long() -> Int? {
            guard end - position >= 4, let high = word(), let low = word() else { return nil }
            return high << 16 | low
        }
        mutating func skip(_ count: Int) -> Bool { take(count) != nil }
        mutating func back(_ count: Int) { position -= count }
        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, end - position >= count else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }
        /// What a marker segment holds behind its length.
        mutating func segment() -> Reader? {
            guard let length = word(), length >= 2, let body = take(length - 2) else { return nil }
            return Reader(bytes: body)
        }
    }
}
