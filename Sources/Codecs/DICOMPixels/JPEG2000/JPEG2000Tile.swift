/// One tile: its components as resolutions, subbands, precincts and code-blocks, filled by its packets.
/// ITU-T T.800 Annex B.
struct JPEG2000Tile {
    /// One code-block: where it lies in its subband, and what the packets gave of it.
    struct Block {
        let area: JPEG2000Area
        var isIncluded = false
        var zeroPlanes = 0
        var lengthBits = 3
        var passes = 0
        var data: [UInt8] = []
    }

    /// The code-blocks of one subband in one precinct.
    struct Cell {
        var blocks: [Block]
        var inclusion: JPEG2000TagTree
        var planes: JPEG2000TagTree
    }

    struct Band {
        let area: JPEG2000Area
        /// 0 LL, 1 HL, 2 LH, 3 HH.
        let orientation: Int
        /// Bit planes that its samples may have.
        let planes: Int
        var cells: [Cell]
    }

    struct Resolution {
        let area: JPEG2000Area
        /// Precincts in a line and in all.
        let across: Int
        let count: Int
        /// Where in the reference grid each precinct is first met. §B.12.1.3.
        var places: [(x: Int, y: Int)]
        var bands: [Band]
    }

    /// Precincts and code-blocks of a tile at most: both are what a small codestream could ask for.
    private static let precinctsMax = 1 << 17
    private static let blocksMax = 1 << 19
    /// Code-blocks of a frame at most, each counted once for every quality layer: a packet of one byte may pass over all
    /// of its precinct.
    static let visitsMax = 1 << 24

    private let tile: JPEG2000Codestream.Tile
    private var components: [[Resolution]] = []

    /// nil where the tile is cut into more than can be kept or than is left of ``visitsMax``, or says too little of its
    /// subbands.
    init?(_ tile: JPEG2000Codestream.Tile, of codestream: JPEG2000Codestream, visitsLeft: inout Int) {
        self.tile = tile
        let blocks = min(Self.blocksMax, visitsLeft / tile.order.layers)
        var left = (precincts: Self.precinctsMax, blocks: blocks)
        for component in codestream.components.indices {
            var resolutions: [Resolution] = []
            for level in 0...tile.coding[component].levels {
                guard let made = resolution(level, of: component, &left) else { return nil }
                resolutions.append(made)
            }
            components.append(resolutions)
        }
        visitsLeft -= (blocks - left.blocks) * tile.order.layers
    }

    /// The samples of each component, line by line, without the level shift. nil where the packets are cut short or
    /// contradict themselves.
    func decoded() -> [[Int32]]? {
        guard let filled = JPEG2000Packets(data: tile.data, order: tile.order, components: components).read() else {
            return nil
        }
        var planes: [[Int32]] = []
        for (place, resolutions) in filled.enumerated() {
            guard let plane = JPEG2000Wavelet.synthesised(resolutions, tile.coding[place]) else { return nil }
            planes.append(plane)
        }
        guard tile.order.isTransformed else { return planes }
        guard planes.count >= 3, planes[0].count == planes[1].count, planes[0].count == planes[2].count else {
            return nil
        }
        // §G.2.2.
        for at in planes[0].indices {
            let (y, u, v) = (planes[0][at], planes[1][at], planes[2][at])
            let green = y &- ((u &+ v) >> 2)
            (planes[0][at], planes[1][at], planes[2][at]) = (v &+ green, green, u &+ green)
        }
        return planes
    }

    /// §B.5 to §B.7.
    private func resolution(
        _ level: Int, of component: Int, _ left: inout (precincts: Int, blocks: Int)
    ) -> Resolution? {
        let coding = tile.coding[component]
        let exponents = tile.exponents[component]
        let depth = coding.levels - level
        let area = tile.area.divided(depth)
        let size = coding.precinct(level)
        let (firstX, firstY) = (area.x0 >> size.x, area.y0 >> size.y)
        let across = area.isEmpty ? 0 : ((area.x1 + (1 << size.x) - 1) >> size.x) - firstX
        let down = area.isEmpty ? 0 : ((area.y1 + (1 << size.y) - 1) >> size.y) - firstY
        guard across * down <= left.precincts else { return nil }
        left.precincts -= across * down
        var places: [(Int, Int)] = []
        for row in 0..<down {
            for column in 0..<across {
                places.append(
                    (
                        Self.place(column, firstX, area.x0, size.x, depth, tile.area.x0),
                        Self.place(row, firstY, area.y0, size.y, depth, tile.area.y0)
                    ))
            }
        }
        var bands: [Band] = []
        let halving = level == 0 ? 0 : 1
        for orientation in level == 0 ? 0...0 : 1...3 {
            let index = level == 0 ? 0 : 3 * (level - 1) + orientation
            guard index < exponents.values.count else { return nil }
            let band = Self.band(tile.area, orientation, level == 0 ? depth : depth + 1)
            var cells: [Cell] = []
            for row in 0..<down {
                for column in 0..<across {
                    let (x, y) = (firstX + column, firstY + row)
                    let (sideX, sideY) = (size.x - halving, size.y - halving)
                    let cell = JPEG2000Area(x0: x << sideX, y0: y << sideY, x1: (x + 1) << sideX, y1: (y + 1) << sideY)
                        .intersection(band)
                    guard
                        let made = Self.cell(
                            cell, min(coding.blockWidth, sideX), min(coding.blockHeight, sideY), &left.blocks)
                    else { return nil }
                    cells.append(made)
                }
            }
            bands.append(
                Band(
                    area: band, orientation: orientation,
                    planes: exponents.guardBits + exponents.values[index] - 1, cells: cells))
        }
        return Resolution(area: area, across: across, count: across * down, places: places, bands: bands)
    }

    /// Where a precinct begins in the reference grid: the first one where the tile does, unless it begins there by itself.
    private static func place(
        _ number: Int, _ first: Int, _ start: Int, _ side: Int, _ depth: Int, _ tileStart: Int
    ) -> Int {
        let whole = (first + number) << (side + depth)
        return number > 0 || start & ((1 << side) - 1) == 0 ? whole : tileStart
    }

    /// §B.5, equation B-15.
    private static func band(_ area: JPEG2000Area, _ orientation: Int, _ depth: Int) -> JPEG2000Area {
        let half = depth > 0 ? 1 << (depth - 1) : 0
        let (x, y) = (orientation & 1 == 1 ? half : 0, orientation & 2 == 2 ? half : 0)
        return JPEG2000Area(x0: area.x0 - x, y0: area.y0 - y, x1: area.x1 - x, y1: area.y1 - y).divided(depth)
    }

    private static func cell(_ area: JPEG2000Area, _ width: Int, _ height: Int, _ left: inout Int) -> Cell? {
        guard !area.isEmpty else {
            return Cell(blocks: [], inclusion: JPEG2000TagTree(0, 0), planes: JPEG2000TagTree(0, 0))
        }
        let (x0, y0) = (area.x0 >> width, area.y0 >> height)
        let across = ((area.x1 + (1 << width) - 1) >> width) - x0
        let down = ((area.y1 + (1 << height) - 1) >> height) - y0
        guard across * down <= left else { return nil }
        left -= across * down
        var blocks: [Block] = []
        for row in y0..<y0 + down {
            for column in x0..<x0 + across {
                let block = JPEG2000Area(
                    x0: column << width, y0: row << height, x1: (column + 1) << width, y1: (row + 1) << height)
                blocks.append(Block(area: block.intersection(area)))
            }
        }
        return Cell(
            blocks: blocks, inclusion: JPEG2000TagTree(across, down), planes: JPEG2000TagTree(across, down))
    }
}

/// A tag tree: numbers of a grid, told by what their neighbours have in common. T.800 §B.10.2.
struct JPEG2000TagTree {
    private struct Node {
        var value = 0
        var low = 0
        var parent: Int?
        var isKnown = false
    }
    private var nodes: [Node] = []

    init(_ width: Int, _ height: Int) {
        guard width > 0, height > 0 else { return }
        var (w, h, start) = (width, height, 0)
        while true {
            nodes += [Node](repeating: Node(), count: w * h)
            if w * h == 1 { return }
            let (nextW, next) = ((w + 1) / 2, start + w * h)
            for row in 0..<h {
                for column in 0..<w { nodes[start + row * w + column].parent = next + row / 2 * nextW + column / 2 }
            }
            (w, h, start) = (nextW, (h + 1) / 2, next)
        }
    }

    /// Whether the number of a leaf is below a bound; nil when the bits end.
    mutating func isBelow(_ bound: Int, _ leaf: Int, _ bits: inout JPEG2000PacketBits) -> Bool? {
        var path: [Int] = []
        var node: Int? = leaf
        while let index = node {
            path.append(index)
            node = nodes[index].parent
        }
        var low = 0
        for index in path.reversed() {
            nodes[index].low = max(nodes[index].low, low)
            while nodes[index].low < bound, !nodes[index].isKnown {
                guard let bit = bits.next() else { return nil }
                if bit == 1 {
                    nodes[index].isKnown = true
                    nodes[index].value = nodes[index].low
                } else {
                    nodes[index].low += 1
                }
            }
            low = nodes[index].low
        }
        return nodes[leaf].isKnown && nodes[leaf].value < bound
    }
}
