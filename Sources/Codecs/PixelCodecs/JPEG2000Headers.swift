/// What the main header of a JPEG 2000 codestream says before anything is decoded. ITU-T T.800 Annex A, T.814.
struct JPEG2000Headers {
    let rows: Int
    let columns: Int
    /// Where the image begins on the reference grid, 0...2^32 - 2. §B.2.
    let left: Int
    let top: Int
    /// Bits of each component and whether it is signed.
    let components: [(precision: Int, isSigned: Bool)]
    /// Every component has a sample at every place of the grid.
    let isFull: Bool
    let tiles: Int
    /// Decompositions: how often the size can be halved.
    private(set) var levels = 0
    /// Samples of a code-block, 1...2^26: of the smallest where precincts make those of some resolutions smaller. Tiles
    /// and components may say otherwise. §B.7.
    private(set) var blockSamples = 1
    /// Its code-blocks are of high throughput, or some may be: it says so of itself or of them. T.814 Annex A.
    private(set) var isHighThroughput: Bool
    /// Colour was transformed by the codestream (RCT or ICT) and comes back as RGB.
    private(set) var isTransformed = false
    /// The codestream is inside of a JP2 file, which frames should not be. PS3.5 §A.4.4.
    let isFile: Bool

    /// nil where there is no codestream with a usable SIZ and COD.
    init?(_ bytes: [UInt8]) {
        isFile = bytes.starts(with: [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20])
        guard let start = isFile ? Self.codestream(bytes) : 0, start + 44 <= bytes.count else { return nil }
        func word(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }
        func long(_ at: Int) -> Int { word(at) << 16 | word(at + 2) }
        guard word(start) == 0xFF4F, word(start + 2) == 0xFF51 else { return nil }
        let size = start + 4
        let count = word(size + 36)
        guard (1...16).contains(count), word(size) == 38 + 3 * count, size + 38 + 3 * count <= bytes.count else {
            return nil
        }
        let places = (0..<8).map { long(size + 4 + 4 * $0) }
        guard places[0] > places[2], places[1] > places[3], places[4] > 0, places[5] > 0, places[6] <= places[2],
            places[7] <= places[3]
        else { return nil }
        (left, top) = (places[2], places[3])
        columns = places[0] - places[2]
        rows = places[1] - places[3]
        // Each is below 2^33: their product may not fit.
        let across = (places[0] - places[6] + places[4] - 1) / places[4]
        let down = (places[1] - places[7] + places[5] - 1) / places[5]
        tiles = min(across, 1 << 31) * min(down, 1 << 31)
        var isFull = true
        var components: [(precision: Int, isSigned: Bool)] = []
        for index in 0..<count {
            let at = size + 38 + 3 * index
            components.append((Int(bytes[at] & 0x7F) + 1, bytes[at] & 0x80 != 0))
            isFull = isFull && bytes[at + 1] == 1 && bytes[at + 2] == 1
        }
        self.components = components
        self.isFull = isFull
        // Rsiz of Part 15.
        isHighThroughput = word(size + 2) & 0x4000 != 0
        var position = size + word(size)
        while position + 4 <= bytes.count {
            let marker = word(position)
            if marker == 0xFF90 { return nil }
            let length = word(position + 2)
            guard marker >= 0xFF00, length >= 2, position + 2 + length <= bytes.count else { return nil }
            isHighThroughput = isHighThroughput || marker == 0xFF50
            if marker == 0xFF52 {
                guard length >= 12 else { return nil }
                isTransformed = bytes[position + 8] != 0
                levels = Int(bytes[position + 9])
                isHighThroughput = isHighThroughput || bytes[position + 12] & 0x40 != 0
                blockSamples = Self.blockSamples(bytes[(position + 4)..<(position + 2 + length)], levels: levels)
                return
            }
            position += 2 + length
        }
        return nil
    }

    /// How often both sides can be halved, at most so often as is wanted, so that the first pixel of a region is still
    /// one: the origins of image and region are multiples then, and the smaller region lies where its place halved says.
    /// §B.5.
    func halvings(_ wanted: Int, of region: FrameRegion?) -> Int {
        let places = left | top | (region?.left ?? 0) | (region?.top ?? 0)
        return min(wanted, levels, places == 0 ? wanted : places.trailingZeroBitCount)
    }

    /// - Parameter coding: the parameters of COD, from Scod on: eight bytes and more. §A.6.1, Table A.20.
    private static func blockSamples(_ coding: ArraySlice<UInt8>, levels: Int) -> Int {
        let coding = Array(coding)
        guard coding.count >= 8 else { return 1 }
        let (wide, high) = (Int(coding[6] & 15) + 2, Int(coding[7] & 15) + 2)
        guard coding[0] & 1 == 1 else { return 1 << min(26, wide + high) }
        // A byte for each resolution; in all but the first a block is at most half as wide and high as its precinct.
        let exponents = coding.dropFirst(10).prefix(levels + 1).enumerated().map { resolution, precinct in
            let less = resolution == 0 ? 0 : 1
            return max(0, min(wide, Int(precinct & 15) - less)) + max(0, min(high, Int(precinct >> 4) - less))
        }
        return 1 << min(26, exponents.min() ?? 0)
    }

    /// Where the codestream begins in a JP2 file. T.800 §I.4.
    private static func codestream(_ bytes: [UInt8]) -> Int? {
        var position = 0
        var boxes = 0
        while position + 8 <= bytes.count, boxes < 64 {
            boxes += 1
            let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[position + $1]) }
            if bytes[(position + 4)..<(position + 8)].elementsEqual("jp2c".utf8) {
                return position + (length == 1 ? 16 : 8)
            }
            guard length >= 8 else { return nil }
            position += length
        }
        return nil
    }
}
