/// Writes GIF of one picture or of several in a row: grey as it is, colour by a cube of 252. GIF89a.
package enum GIFEncoder {
    /// Levels of red, green and blue.
    private static let levels = (red: 6, green: 7, blue: 6)

    /// A whole file of one picture.
    package static func encode(_ image: RenderedImage) -> [UInt8] { head(image) + picture(image) + end }

    /// What stands before pictures of the size and the kind of one.
    ///
    /// - Parameter repeats: several pictures are shown one after another, again and again.
    package static func head(_ image: RenderedImage, repeats: Bool = false) -> [UInt8] {
        // A global table of 256 colours, 8 bits each.
        let screen = little(image.columns) + little(image.rows) + [0xF7, 0, 0]
        let head = Array("GIF89a".utf8) + screen + (image.samplesPerPixel == 1 ? greys : cube)
        return repeats ? head + [0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1, 0, 0, 0] : head
    }

    /// One picture, of the size of the first.
    ///
    /// - Parameter hundredths: of a second for which it is shown; nil where there is only one.
    package static func picture(_ image: RenderedImage, hundredths: Int? = nil) -> [UInt8] {
        let time = hundredths.map { [0x21, 0xF9, 4, 0] + little($0) + [0, 0] } ?? []
        let place: [UInt8] = [0x2C, 0, 0, 0, 0] + little(image.columns) + little(image.rows) + [0, 8]
        var blocks = Blocks()
        compress(image.samplesPerPixel == 1 ? image.bytes : indices(image), into: &blocks)
        return time + place + blocks.bytes
    }

    /// What ends a file.
    package static let end: [UInt8] = [0x3B]

    private static func little(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF)] }

    private static var greys: [UInt8] { (0..<256).flatMap { [UInt8($0), UInt8($0), UInt8($0)] } }

    private static var cube: [UInt8] {
        var colours: [UInt8] = []
        for red in 0..<levels.red {
            for green in 0..<levels.green {
                for blue in 0..<levels.blue {
                    colours += [
                        UInt8(red * 255 / (levels.red - 1)), UInt8(green * 255 / (levels.green - 1)),
                        UInt8(blue * 255 / (levels.blue - 1)),
                    ]
                }
            }
        }
        return colours + [UInt8](repeating: 0, count: 768 - colours.count)
    }

    /// The nearest colour of the cube for each pixel.
    private static func indices(_ image: RenderedImage) -> [UInt8] {
        func level(_ value: UInt8, _ count: Int) -> Int { (Int(value) * (count - 1) + 127) / 255 }
        return stride(from: 0, to: image.bytes.count, by: 3).map { at in
            let red = level(image.bytes[at], levels.red)
            let green = level(image.bytes[at + 1], levels.green)
            let blue = level(image.bytes[at + 2], levels.blue)
            return UInt8((red * levels.green + green) * levels.blue + blue)
        }
    }

    /// Codes of growing width in blocks of at most 255 bytes.
    private struct Blocks {
        private(set) var bytes: [UInt8] = []
        private var block: [UInt8] = []
        private var pending = 0
        private var bits = 0

        mutating func put(_ code: Int, width: Int) {
            pending |= code << bits
            bits += width
            while bits >= 8 {
                add(UInt8(pending & 0xFF))
                pending >>= 8
                bits -= 8
            }
        }

        mutating func end() {
            if bits > 0 { add(UInt8(pending & 0xFF)) }
            flush()
            bytes.append(0)
        }

        private mutating func add(_ byte: UInt8) {
            block.append(byte)
            if block.count == 255 { flush() }
        }

        private mutating func flush() {
            guard !block.isEmpty else { return }
            bytes.append(UInt8(block.count))
            bytes += block
            block.removeAll(keepingCapacity: true)
        }
    }

    /// Variable-length LZW; its table is cleared when 4,096 codes are in use. GIF89a Appendix F.
    private static func compress(_ pixels: [UInt8], into blocks: inout Blocks) {
        let (clear, end) = (256, 257)
        // Open addressing: string and byte to code, empty where the key is -1.
        var keys = [Int32](repeating: -1, count: 8_192)
        var codes = [Int32](repeating: 0, count: 8_192)
        var (next, width) = (258, 9)
        blocks.put(clear, width: width)
        guard var prefix = pixels.first.map(Int.init) else {
            blocks.put(end, width: width)
            return blocks.end()
        }
        for pixel in pixels.dropFirst() {
            let key = Int32(prefix << 8 | Int(pixel))
            var slot = Int((UInt32(bitPattern: key) &* 2_654_435_761) >> 19)
            while keys[slot] >= 0, keys[slot] != key { slot = (slot + 1) & 8_191 }
            if keys[slot] == key {
                prefix = Int(codes[slot])
                continue
            }
            blocks.put(prefix, width: width)
            if next < 4_096 {
                (keys[slot], codes[slot]) = (key, Int32(next))
                if next == 1 << width { width += 1 }
                next += 1
            } else {
                blocks.put(clear, width: width)
                keys = [Int32](repeating: -1, count: 8_192)
                (next, width) = (258, 9)
            }
            prefix = Int(pixel)
        }
        blocks.put(prefix, width: width)
        // The decoder has one more entry by now.
        if next == 1 << width, width < 12 { width += 1 }
        blocks.put(end, width: width)
        blocks.end()
    }
}
