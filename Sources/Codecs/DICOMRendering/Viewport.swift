/// How large a picture may become, and of which part of the image it is. PS3.18 §8.3.5.1.3.
package struct Viewport: Sendable, Equatable {
    /// A side in pixels at most, so that a picture has 2^26.
    package static let sideMax = 8_192

    /// A part of the image in its pixels; 0, 0 is its upper left corner.
    package struct Region: Sendable, Equatable {
        package var x: Double
        package var y: Double
        /// nil: to the right edge.
        package var width: Double?
        /// nil: to the lower edge.
        package var height: Double?
        package var flipsHorizontally: Bool
        package var flipsVertically: Bool

        package init(
            x: Double = 0, y: Double = 0, width: Double? = nil, height: Double? = nil, flipsHorizontally: Bool = false,
            flipsVertically: Bool = false
        ) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
            self.flipsHorizontally = flipsHorizontally
            self.flipsVertically = flipsVertically
        }
    }

    /// What the picture fits into, touching it in one direction, 1...``sideMax``.
    package var width: Int
    package var height: Int
    package var region: Region

    /// nil for sides out of range, and for a region that is no region: numbers that are none, beyond 1e6 or negative.
    package init?(width: Int, height: Int, region: Region = Region()) {
        let sides = 1...Self.sideMax
        let size = 0.0...1e6
        guard sides.contains(width), sides.contains(height), size.contains(region.x), size.contains(region.y),
            region.width.map({ $0 > 0 && size.contains($0) }) ?? true,
            region.height.map({ $0 > 0 && size.contains($0) }) ?? true
        else { return nil }
        self.width = width
        self.height = height
        self.region = region
    }
}

/// From which pixels a picture is made, and how large it is.
struct Placement: Equatable {
    /// In pixels of the frame.
    var x: Double
    var y: Double
    var width: Double
    var height: Double
    var columns: Int
    var rows: Int
    var flipsHorizontally = false
    var flipsVertically = false

    /// - Parameters:
    ///   - rows, columns: of the whole image, in whose pixels a region is.
    ///   - frameRows, frameColumns: as decoded, which may be smaller.
    ///   - aspect: height of a pixel by its width.
    init(
        rows: Int, columns: Int, frameRows: Int, frameColumns: Int, aspect: Double, _ viewport: Viewport?
    ) throws(RenderingError) {
        let region = viewport?.region ?? Viewport.Region()
        let left = min(region.x, Double(columns))
        let top = min(region.y, Double(rows))
        let right = min(Double(columns), left + (region.width ?? Double(columns)))
        let bottom = min(Double(rows), top + (region.height ?? Double(rows)))
        guard right - left >= 0.01, bottom - top >= 0.01 else { throw .regionOutside }
        // As wide and high as it is seen, in widths of a pixel.
        var (wide, high) = (right - left, (bottom - top) * aspect)
        if let viewport {
            let scale = min(Double(viewport.width) / wide, Double(viewport.height) / high)
            wide = min(Double(viewport.width), wide * scale)
            high = min(Double(viewport.height), high * scale)
        } else if aspect < 1 {
            // No pixel is lost: what is too low for its width becomes wider.
            (wide, high) = (wide / aspect, bottom - top)
        }
        guard wide <= 65_500, high <= 65_500 else { throw .tooLarge }
        self.columns = max(1, Int(wide.rounded()))
        self.rows = max(1, Int(high.rounded()))
        guard self.columns * self.rows <= ImageRendering.pixelsMax else { throw .tooLarge }
        let (across, down) = (Double(frameColumns) / Double(columns), Double(frameRows) / Double(rows))
        (x, y) = (left * across, top * down)
        (width, height) = ((right - left) * across, (bottom - top) * down)
        flipsHorizontally = region.flipsHorizontally
        flipsVertically = region.flipsVertically
    }
}
