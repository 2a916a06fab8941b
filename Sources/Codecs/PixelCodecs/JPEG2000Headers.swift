/// What the main header of a JPEG 2000 codestream says before anything is decoded. ITU-T T.800 Annex A, T.814.
struct JPEG2000Headers {
    let rows: Int
    let columns: Int
    /// Bits of each component and whether it is signed.
    let components: [(precision: Int, isSigned: Bool)]
    /// Every component has a sample at every place of the grid.
    let isFull: Bool
    let tiles: Int
    /// Decompositions: how often the size can be halved.
    private(set) var levels = 0
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
        var position = size + word(size)
        while position + 4 <= bytes.count {
            let marker = word(position)
            if marker == 0xFF90 { return nil }
            let length = word(position + 2)
            guard marker >= 0xFF00, length >= 2, position + 2 + length <= bytes.count else { return nil }
            if marker == 0xFF52 {
                guard length >= 12 else { return nil }
                isTransformed = bytes[position + 8] != 0
                levels = Int(bytes[position + 9])
                return
            }
            position += 2 + length
        }
        return nil
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
