/// The reversible wavelet, undone. ITU-T T.800 Annex F.
enum JPEG2000Wavelet {
    /// The samples of a component from its subbands, line by line; nil where a code-block lies outside of its subband.
    static func synthesised(
        _ resolutions: [JPEG2000Tile.Resolution], _ coding: JPEG2000Codestream.Coding
    ) -> [Int32]? {
        guard let first = resolutions.first, let low = first.bands.first else { return nil }
        var samples = samples(of: low, coding)
        for resolution in resolutions.dropFirst() {
            let details = resolution.bands.map { self.samples(of: $0, coding) }
            samples = joined(samples, details, resolution.area)
            synthesise(&samples, resolution.area)
        }
        return samples
    }

    private static func samples(
        of band: JPEG2000Tile.Band, _ coding: JPEG2000Codestream.Coding
    ) -> [Int32] {
        var samples = [Int32](repeating: 0, count: band.area.width * band.area.height)
        for cell in band.cells {
            for block in cell.blocks where block.passes > 0 {
                let part = JPEG2000BlockDecoder.samples(of: block, in: band, coding)
                let (width, left) = (block.area.width, block.area.x0 - band.area.x0)
                for row in 0..<block.area.height {
                    let to = (block.area.y0 - band.area.y0 + row) * band.area.width + left
                    samples.replaceSubrange(to..<to + width, with: part[row * width..<(row + 1) * width])
                }
            }
        }
        return samples
    }

    /// The four subbands as one: a sample stands at an even place where it is of the low half. §F.3.3.
    private static func joined(_ low: [Int32], _ details: [[Int32]], _ area: JPEG2000Area) -> [Int32] {
        var out = [Int32](repeating: 0, count: area.width * area.height)
        let bands = [low] + details
        for half in 0..<4 {
            let (x, y) = (half & 1, half >> 1)
            // The first even or odd place, and how many there are.
            let (startX, startY) = (area.x0 + (area.x0 ^ x) & 1, area.y0 + (area.y0 ^ y) & 1)
            let width = startX < area.x1 ? (area.x1 - startX + 1) / 2 : 0
            let height = startY < area.y1 ? (area.y1 - startY + 1) / 2 : 0
            guard half < bands.count, bands[half].count == width * height else { continue }
            for row in 0..<height {
                var at = (startY - area.y0 + 2 * row) * area.width + startX - area.x0
                for column in 0..<width {
                    out[at] = bands[half][row * width + column]
                    at += 2
                }
            }
        }
        return out
    }

    /// Lines first, then columns. §F.3.2.
    private static func synthesise(_ samples: inout [Int32], _ area: JPEG2000Area) {
        let (width, height) = (area.width, area.height)
        guard width > 0, height > 0 else { return }
        var line = [Int32](repeating: 0, count: max(width, height))
        for row in 0..<height {
            for column in 0..<width { line[column] = samples[row * width + column] }
            lift(&line, width, startsOdd: area.x0 & 1 == 1)
            for column in 0..<width { samples[row * width + column] = line[column] }
        }
        for column in 0..<width {
            for row in 0..<height { line[row] = samples[row * width + column] }
            lift(&line, height, startsOdd: area.y0 & 1 == 1)
            for row in 0..<height { samples[row * width + column] = line[row] }
        }
    }

    /// One line, mirrored at its ends. §F.3.8, equations F-5 and F-6.
    private static func lift(_ line: inout [Int32], _ count: Int, startsOdd: Bool) {
        if count == 1 {
            if startsOdd { line[0] >>= 1 }
            return
        }
        func mirrored(_ at: Int) -> Int { at < 0 ? -at : at >= count ? 2 * (count - 1) - at : at }
        var at = startsOdd ? 1 : 0
        while at < count {
            let sum = line[mirrored(at - 1)] &+ line[mirrored(at + 1)] &+ 2
            line[at] = line[at] &- (sum >> 2)
            at += 2
        }
        at = startsOdd ? 0 : 1
        while at < count {
            let sum = line[mirrored(at - 1)] &+ line[mirrored(at + 1)]
            line[at] = line[at] &+ (sum >> 1)
            at += 2
        }
    }
}
