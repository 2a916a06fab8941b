/// The packets of a tile: which code-blocks they add to, and what. ITU-T T.800 §B.9 to §B.12.
struct JPEG2000Packets {
    private let data: [UInt8]
    private let order: JPEG2000Codestream.Order
    private var components: [[JPEG2000Tile.Resolution]]
    private var position = 0

    /// Coding passes of a code-block at most, and bit planes of a sample. §B.10.5, §E.1.
    static let planesMax = 30

    init(
        data: [UInt8], order: JPEG2000Codestream.Order, components: [[JPEG2000Tile.Resolution]]
    ) {
        self.data = data
        self.order = order
        self.components = components
    }

    /// The components with their code-blocks filled. nil where the bytes end before the packets do, or contradict
    /// themselves.
    consuming func read() -> [[JPEG2000Tile.Resolution]]? {
        let levels = components.map(\.count).max() ?? 0
        switch order.progression {
        case 0:
            for layer in 0..<order.layers {
                for level in 0..<levels { guard readAll(level, layer) else { return nil } }
            }
        case 1:
            for level in 0..<levels {
                for layer in 0..<order.layers { guard readAll(level, layer) else { return nil } }
            }
        default:
            for packet in byPlace() {
                for layer in 0..<order.layers {
                    guard read(packet.component, packet.level, packet.precinct, layer) else { return nil }
                }
            }
        }
        return components
    }

    private mutating func readAll(_ level: Int, _ layer: Int) -> Bool {
        for component in components.indices where level < components[component].count {
            for precinct in 0..<components[component][level].count {
                guard read(component, level, precinct, layer) else { return false }
            }
        }
        return true
    }

    private struct Packet {
        let component: Int
        let level: Int
        let precinct: Int
        let place: (x: Int, y: Int)
    }

    /// Every precinct in the order of its place: by resolution (RPCL), by place (PCRL), by component (CPRL). §B.12.1.
    private func byPlace() -> [Packet] {
        var packets: [Packet] = []
        for (component, resolutions) in components.enumerated() {
            for (level, resolution) in resolutions.enumerated() {
                for (precinct, place) in resolution.places.enumerated() {
                    packets.append(Packet(component: component, level: level, precinct: precinct, place: place))
                }
            }
        }
        let kind = order.progression
        func key(_ packet: Packet) -> [Int] {
            let (x, y) = packet.place
            switch kind {
            case 2: return [packet.level, y, x, packet.component, packet.precinct]
            case 3: return [y, x, packet.component, packet.level, packet.precinct]
            default: return [packet.component, y, x, packet.level, packet.precinct]
            }
        }
        return packets.map { (key($0), $0) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    }

    /// One packet. §B.10.
    private mutating func read(_ component: Int, _ level: Int, _ precinct: Int, _ layer: Int) -> Bool {
        if order.hasStarts, position + 6 <= data.count, data[position] == 0xFF, data[position + 1] == 0x91 {
            position += 6
        }
        var bits = JPEG2000PacketBits(data, from: position)
        guard let isFilled = bits.next() else { return false }
        var added: [(band: Int, block: Int, length: Int)] = []
        if isFilled == 1 {
            for band in components[component][level].bands.indices {
                let count = components[component][level].bands[band].cells[precinct].blocks.count
                for block in 0..<count {
                    guard
                        let length = header(
                            &components[component][level].bands[band].cells[precinct], block, layer,
                            components[component][level].bands[band].planes, &bits)
                    else { return false }
                    if length >= 0 { added.append((band, block, length)) }
                }
            }
        }
        position = bits.end
        if order.hasEnds, position + 2 <= data.count, data[position] == 0xFF, data[position + 1] == 0x92 {
            position += 2
        }
        for add in added {
            guard add.length <= data.count - position else { return false }
            components[component][level].bands[add.band].cells[precinct].blocks[add.block].data +=
                data[position..<position + add.length]
            position += add.length
        }
        return true
    }

    /// What the header says of one code-block: the bytes it gets, -1 for none; nil where it cannot be.
    private func header(
        _ cell: inout JPEG2000Tile.Cell, _ index: Int, _ layer: Int, _ planes: Int, _ bits: inout JPEG2000PacketBits
    ) -> Int? {
        if cell.blocks[index].isIncluded {
            guard let bit = bits.next() else { return nil }
            if bit == 0 { return -1 }
        } else {
            guard let isIncluded = cell.inclusion.isBelow(layer + 1, index, &bits) else { return nil }
            if !isIncluded { return -1 }
            var zero = 0
            while true {
                guard let isBelow = cell.planes.isBelow(zero + 1, index, &bits), zero <= planes else { return nil }
                if isBelow { break }
                zero += 1
            }
            guard (0...Self.planesMax).contains(planes - zero) else { return nil }
            cell.blocks[index].isIncluded = true
            cell.blocks[index].zeroPlanes = zero
        }
        guard let passes = Self.passes(&bits) else { return nil }
        cell.blocks[index].passes += passes
        let possible = max(0, 3 * (planes - cell.blocks[index].zeroPlanes) - 2)
        guard cell.blocks[index].passes <= possible else { return nil }
        while true {
            guard let bit = bits.next() else { return nil }
            if bit == 0 { break }
            cell.blocks[index].lengthBits += 1
            guard cell.blocks[index].lengthBits <= 32 else { return nil }
        }
        let more = Int.bitWidth - 1 - passes.leadingZeroBitCount
        return bits.number(cell.blocks[index].lengthBits + more)
    }

    /// Table B.4.
    private static func passes(_ bits: inout JPEG2000PacketBits) -> Int? {
        guard let first = bits.next() else { return nil }
        if first == 0 { return 1 }
        guard let second = bits.next() else { return nil }
        if second == 0 { return 2 }
        guard let two = bits.number(2) else { return nil }
        if two < 3 { return 3 + two }
        guard let five = bits.number(5) else { return nil }
        if five < 31 { return 6 + five }
        return bits.number(7).map { 37 + $0 }
    }
}

/// Bits of a packet header: behind a byte of FF the next has seven. T.800 §B.10.1.
struct JPEG2000PacketBits {
    private let bytes: [UInt8]
    private var position: Int
    private var byte: UInt8 = 0
    private var left = 0

    init(_ bytes: [UInt8], from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    mutating func next() -> Int? {
        if left == 0 {
            guard position < bytes.count else { return nil }
            left = byte == 0xFF ? 7 : 8
            byte = bytes[position]
            position += 1
        }
        left -= 1
        return Int(byte >> UInt8(left) & 1)
    }

    mutating func number(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let bit = next() else { return nil }
            value = value << 1 | bit
        }
        return value
    }

    /// Where the header ends: on a byte, and not behind one of FF.
    var end: Int { byte == 0xFF ? min(position + 1, bytes.count) : position }
}
