/// A frame of JPEG 2000 (Part 1) with the reversible transform, as native pixels. ITU-T T.800; PS3.5 §A.4.4.
///
/// Read are: any size, tiles and tile-parts, precincts, progression orders and quality layers, 1 to 4 components without
/// subsampling, the reversible component transform, SOP and EPH. Not read, so that such a frame is none: the irreversible
/// transform, regions of interest, packed packet headers, changes of progression, and code-blocks coded with selective
/// bypass, termination on each pass or vertically causal contexts.
package enum JPEG2000Frame {
    /// Samples of a frame at most. Decoding takes about sixteen bytes for each.
    package static let samplesMax = 1 << 25

    /// The samples of a frame, pixel by pixel, each of `sampleBytes` bytes in little endian (two's complement where the
    /// codestream has signed ones), the component transform undone; nil when the bytes are no such codestream, of another
    /// size, or cut short.
    package static func decoded(
        _ frame: [UInt8], rows: Int, columns: Int, samples: Int, sampleBytes: Int
    ) -> [UInt8]? {
        guard (1...4).contains(sampleBytes), rows > 0, columns > 0, (1...4).contains(samples),
            rows * columns <= samplesMax / samples, let codestream = JPEG2000Codestream(frame),
            codestream.size.width == columns, codestream.size.height == rows, codestream.components.count == samples,
            codestream.components.allSatisfy({ $0.precision <= 8 * sampleBytes })
        else { return nil }
        var planes = [[Int32]](repeating: [Int32](repeating: 0, count: rows * columns), count: samples)
        var visits = JPEG2000Tile.visitsMax
        for tile in codestream.tiles {
            guard let parts = JPEG2000Tile(tile, of: codestream, visitsLeft: &visits)?.decoded() else { return nil }
            for (plane, part) in parts.enumerated() {
                let area = tile.area
                for row in 0..<area.height {
                    let to = (area.y0 - codestream.size.y0 + row) * columns + area.x0 - codestream.size.x0
                    planes[plane].replaceSubrange(
                        to..<to + area.width, with: part[row * area.width..<(row + 1) * area.width])
                }
            }
        }
        var out = [UInt8](repeating: 0, count: rows * columns * samples * sampleBytes)
        for (place, plane) in planes.enumerated() {
            let component = codestream.components[place]
            let shift = component.isSigned ? 0 : Int32(truncatingIfNeeded: 1 << (component.precision - 1))
            let least = component.isSigned ? -(1 << (component.precision - 1)) : 0
            let most = (1 << (component.isSigned ? component.precision - 1 : component.precision)) - 1
            var at = place * sampleBytes
            for value in plane {
                let sample = min(max(Int(value) + Int(shift), least), most)
                for byte in 0..<sampleBytes { out[at + byte] = UInt8(truncatingIfNeeded: sample >> (8 * byte)) }
                at += samples * sampleBytes
            }
        }
        return out
    }
}

/// A part of the reference grid, or of what was made of it: from the first line and column to the one behind the last.
struct JPEG2000Area: Equatable {
    var x0: Int
    var y0: Int
    var x1: Int
    var y1: Int
    var width: Int { max(0, x1 - x0) }
    var height: Int { max(0, y1 - y0) }
    var isEmpty: Bool { x1 <= x0 || y1 <= y0 }

    func intersection(_ other: JPEG2000Area) -> JPEG2000Area {
        JPEG2000Area(x0: max(x0, other.x0), y0: max(y0, other.y0), x1: min(x1, other.x1), y1: min(y1, other.y1))
    }
    /// Every number halved so often and rounded up. T.800 §B.5.
    func divided(_ levels: Int) -> JPEG2000Area {
        func half(_ value: Int) -> Int { (value + (1 << levels) - 1) >> levels }
        return JPEG2000Area(x0: half(x0), y0: half(y0), x1: half(x1), y1: half(y1))
    }
}
