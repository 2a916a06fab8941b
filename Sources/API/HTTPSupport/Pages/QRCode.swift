/// A text as a QR code symbol of model 2, in byte mode with error correction level M, of the smallest version that holds
/// it. ISO/IEC 18004:2015.
package struct QRCode: Sendable {
    /// Modules in a row, without the quiet zone: 21 to 57.
    package let size: Int
    /// Whether a module is dark, row by row.
    package private(set) var modules: [Bool]
    /// Modules that are no data.
    private var isFixed: [Bool]

    /// Blocks of one version at level M: error correction codewords of each block, then how many blocks of how many data
    /// codewords; those of a second group have one more. Table 9.
    private struct Blocks {
        let correction: Int
        let first: Int
        let words: Int
        let second: Int
    }
    /// Versions 1 to 10.
    private static let blocks: [Blocks] = [
        .init(correction: 10, first: 1, words: 16, second: 0), .init(correction: 16, first: 1, words: 28, second: 0),
        .init(correction: 26, first: 1, words: 44, second: 0), .init(correction: 18, first: 2, words: 32, second: 0),
        .init(correction: 24, first: 2, words: 43, second: 0), .init(correction: 16, first: 4, words: 27, second: 0),
        .init(correction: 18, first: 4, words: 31, second: 0), .init(correction: 22, first: 2, words: 38, second: 2),
        .init(correction: 22, first: 3, words: 36, second: 2), .init(correction: 26, first: 4, words: 43, second: 1),
    ]
    /// Centres of alignment patterns beside the first, at 6. Annex E.
    private static let alignments: [[Int]] = [
        [], [18], [22], [26], [30], [34], [22, 38], [24, 42], [26, 46], [28, 50],
    ]

    /// Nil for a text above 213 bytes of UTF-8.
    /// - Parameter mask: one of the eight data masks; nil for the one that reads best. §7.8.
    package init?(_ text: String, mask: Int? = nil) {
        let bytes = Array(text.utf8)
        let fitting = Self.blocks.firstIndex { blocks in
            let capacity = blocks.first * blocks.words + blocks.second * (blocks.words + 1)
            return bytes.count + (capacity > 213 ? 3 : 2) <= capacity
        }
        guard let fitting else { return nil }
        let version = fitting + 1
        size = 17 + 4 * version
        modules = [Bool](repeating: false, count: size * size)
        isFixed = modules
        drawPatterns(version)
        drawData(Self.codewords(bytes, version))
        if let mask {
            apply(mask)
            drawFormat(mask)
            return
        }
        var best = (mask: 0, penalty: Int.max)
        for mask in 0..<8 {
            var tried = self
            tried.apply(mask)
            tried.drawFormat(mask)
            let penalty = tried.penalty
            if penalty < best.penalty { best = (mask, penalty) }
        }
        apply(best.mask)
        drawFormat(best.mask)
    }

    package subscript(_ row: Int, _ column: Int) -> Bool { modules[row * size + column] }

    /// As SVG in a page, with its quiet zone of four modules, dark on light whatever the page's colours.
    package func html(label: String) -> HTML {
        var path = ""
        for row in 0..<size {
            var column = 0
            while column < size {
                guard self[row, column] else {
                    column += 1
                    continue
                }
                let start = column
                while column < size, self[row, column] { column += 1 }
                path += "M\(start + 4) \(row + 4)h\(column - start)v1h-\(column - start)z"
            }
        }
        return .element(
            "svg",
            [
                .init("xmlns", "http://www.w3.org/2000/svg"), .init("viewBox", "0 0 \(size + 8) \(size + 8)"),
                .init("role", "img"), .init("aria-label", label), .init("class", "symbol"),
                .init("shape-rendering", "crispEdges"),
            ],
            .element(
                "rect",
                [.init("width", "\(size + 8)"), .init("height", "\(size + 8)"), .init("fill", "#ffffff")]),
            .element("path", [.init("d", path), .init("fill", "#000000")]))
    }

    // MARK: Codewords

    /// Data and error correction of all blocks, in the order in which they are placed. §7.4, §7.5, §7.6.
    private static func codewords(_ bytes: [UInt8], _ version: Int) -> [UInt8] {
        let blocks = Self.blocks[version - 1]
        let capacity = blocks.first * blocks.words + blocks.second * (blocks.words + 1)
        var bits: [Bool] = []
        func append(_ value: Int, _ count: Int) {
            for shift in (0..<count).reversed() { bits.append(value >> shift & 1 == 1) }
        }
        append(4, 4)
        append(bytes.count, version < 10 ? 8 : 16)
        for byte in bytes { append(Int(byte), 8) }
        append(0, min(4, capacity * 8 - bits.count))
        append(0, (8 - bits.count % 8) % 8)
        var data = stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
        }
        var isFirst = true
        while data.count < capacity {
            data.append(isFirst ? 0xEC : 0x11)
            isFirst.toggle()
        }
        var parts: [[UInt8]] = []
        for index in 0..<(blocks.first + blocks.second) {
            let count = blocks.words + (index < blocks.first ? 0 : 1)
            parts.append(Array(data.prefix(count)))
            data.removeFirst(count)
        }
        let corrections = parts.map { correction($0, count: blocks.correction) }
        return interleaved(parts) + interleaved(corrections)
    }

    private static func interleaved(_ parts: [[UInt8]]) -> [UInt8] {
        (0..<(parts.map(\.count).max() ?? 0)).flatMap { index in
            parts.compactMap { index < $0.count ? $0[index] : nil }
        }
    }

    /// The rest of the data divided by the generator, in the field of 256 elements by 0x11D. Annex A.
    private static func correction(_ data: [UInt8], count: Int) -> [UInt8] {
        var generator: [UInt8] = [1]
        var root: UInt8 = 1
        for _ in 0..<count {
            var next = generator + [0]
            for (index, factor) in generator.enumerated() { next[index + 1] ^= product(factor, root) }
            generator = next
            root = product(root, 2)
        }
        var rest = [UInt8](repeating: 0, count: count)
        for byte in data {
            let factor = byte ^ rest.removeFirst()
            rest.append(0)
            for index in 0..<count { rest[index] ^= product(generator[index + 1], factor) }
        }
        return rest
    }

    private static func product(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var (a, b, result): (UInt8, UInt8, UInt8) = (a, b, 0)
        while b != 0 {
            if b & 1 == 1 { result ^= a }
            a = a << 1 ^ (a & 0x80 == 0 ? 0 : 0x1D)
            b >>= 1
        }
        return result
    }

    // MARK: Modules

    private mutating func fix(_ row: Int, _ column: Int, _ isDark: Bool) {
        guard (0..<size).contains(row), (0..<size).contains(column) else { return }
        modules[row * size + column] = isDark
        isFixed[row * size + column] = true
    }

    /// Finder, timing and alignment patterns, and the places of format and version. §6.3.
    private mutating func drawPatterns(_ version: Int) {
        for index in 0..<size {
            fix(6, index, index % 2 == 0)
            fix(index, 6, index % 2 == 0)
        }
        for (row, column) in [(3, 3), (3, size - 4), (size - 4, 3)] {
            for dy in -4...4 {
                for dx in -4...4 {
                    let distance = max(abs(dx), abs(dy))
                    fix(row + dy, column + dx, distance != 2 && distance != 4)
                }
            }
        }
        let centres = Self.alignments[version - 1].isEmpty ? [] : [6] + Self.alignments[version - 1]
        for row in centres {
            for column in centres {
                let isFinder =
                    (row == 6 && (column == 6 || column == size - 7)) || (row == size - 7 && column == 6)
                if isFinder { continue }
                for dy in -2...2 {
                    for dx in -2...2 { fix(row + dy, column + dx, max(abs(dx), abs(dy)) != 1) }
                }
            }
        }
        drawFormat(0)
        if version >= 7 { drawVersion(version) }
    }

    /// Level M and the mask, twice, with their own error correction. §7.9.
    private mutating func drawFormat(_ mask: Int) {
        var rest = mask
        for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9 & 1) * 0x537 }
        let bits = (mask << 10 | rest) ^ 0x5412
        func bit(_ index: Int) -> Bool { bits >> index & 1 == 1 }
        for index in 0..<6 { fix(index, 8, bit(index)) }
        fix(7, 8, bit(6))
        fix(8, 8, bit(7))
        fix(8, 7, bit(8))
        for index in 9..<15 { fix(8, 14 - index, bit(index)) }
        for index in 0..<8 { fix(8, size - 1 - index, bit(index)) }
        for index in 8..<15 { fix(size - 15 + index, 8, bit(index)) }
        fix(size - 8, 8, true)
    }

    /// §7.10.
    private mutating func drawVersion(_ version: Int) {
        var rest = version
        for _ in 0..<12 { rest = rest << 1 ^ (rest >> 11 & 1) * 0x1F25 }
        let bits = version << 12 | rest
        for index in 0..<18 {
            let isDark = bits >> index & 1 == 1
            fix(index / 3, size - 11 + index % 3, isDark)
            fix(size - 11 + index % 3, index / 3, isDark)
        }
    }

    /// In columns of two modules from the right, up and down. §7.7.3.
    private mutating func drawData(_ words: [UInt8]) {
        var index = 0
        var right = size - 1
        while right >= 1 {
            if right == 6 { right = 5 }
            for step in 0..<size {
                for column in [right, right - 1] {
                    let row = (right + 1) & 2 == 0 ? size - 1 - step : step
                    guard !isFixed[row * size + column], index < words.count * 8 else { continue }
                    modules[row * size + column] = words[index / 8] >> UInt8(7 - index % 8) & 1 == 1
                    index += 1
                }
            }
            right -= 2
        }
    }

    /// §7.8.2, table 10.
    private mutating func apply(_ mask: Int) {
        for row in 0..<size {
            for column in 0..<size where !isFixed[row * size + column] {
                let product = row * column
                let isFlipped =
                    switch mask {
                    case 0: (row + column) % 2 == 0
                    case 1: row % 2 == 0
                    case 2: column % 3 == 0
                    case 3: (row + column) % 3 == 0
                    case 4: (row / 2 + column / 3) % 2 == 0
                    case 5: product % 2 + product % 3 == 0
                    case 6: (product % 2 + product % 3) % 2 == 0
                    default: ((row + column) % 2 + product % 3) % 2 == 0
                    }
                if isFlipped { modules[row * size + column].toggle() }
            }
        }
    }

    /// §7.8.3, table 11: runs, blocks, what looks like a finder pattern, and the share of dark modules.
    private var penalty: Int {
        var sum = 0
        let lines =
            (0..<size).map { row in (0..<size).map { self[row, $0] } }
            + (0..<size).map { column in (0..<size).map { self[$0, column] } }
        let finder = [true, false, true, true, true, false, true]
        let light = [Bool](repeating: false, count: 4)
        for line in lines {
            var run = 0
            for (index, isDark) in line.enumerated() {
                run = index > 0 && line[index - 1] == isDark ? run + 1 : 1
                if run == 5 { sum += 3 } else if run > 5 { sum += 1 }
            }
            for start in 0...(size - 11) {
                let window = line[start..<start + 11]
                if window.elementsEqual(finder + light) || window.elementsEqual(light + finder) { sum += 40 }
            }
        }
        for row in 0..<(size - 1) {
            for column in 0..<(size - 1) {
                let isDark = self[row, column]
                if self[row, column + 1] == isDark, self[row + 1, column] == isDark, self[row + 1, column + 1] == isDark
                {
                    sum += 3
                }
            }
        }
        let dark = modules.count { $0 }
        return sum + abs(dark * 100 / modules.count - 50) / 5 * 10
    }
}
