import DICOMData

/// Which part of an image a presentation state shows, how large, and which side up. PS3.3 §C.10.4, §C.10.6.
struct DisplayedArea: Sendable, Equatable {
    /// The sides of what is shown, in pixels of the image; 0, 0 is its upper left corner. It may reach beyond the image.
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double
    /// The height of a pixel by its width; nil where nothing is said.
    var aspect: Double?
    /// Pixels of the picture for one of the image: of MAGNIFY; else 1. How large a millimetre is on a screen is not
    /// known here, so that TRUE SIZE is shown pixel for pixel.
    var magnification = 1.0

    /// The whole of an image.
    init(rows: Int, columns: Int) { (left, top, right, bottom) = (0, 0, Double(columns), Double(rows)) }

    /// Of an item of a Displayed Area Selection Sequence; nil for one whose corners are none, or beyond 65,535 pixels.
    init?(_ item: DataSet) {
        let (first, second) = (item.doubles(.displayedAreaTopLeft), item.doubles(.displayedAreaBottomRight))
        guard first.count == 2, second.count == 2, (first + second).allSatisfy({ $0.magnitude <= 65_535 }) else {
            return nil
        }
        // Upper left is after rotation and flip: either corner may be the smaller one.
        (left, right) = (min(first[0], second[0]) - 1, max(first[0], second[0]))
        (top, bottom) = (min(first[1], second[1]) - 1, max(first[1], second[1]))
        for tag in [Tag.presentationPixelSpacing, .presentationPixelAspectRatio] where aspect == nil {
            let numbers = item.doubles(tag)
            guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { continue }
            let ratio = numbers[0] / numbers[1]
            if (1 / 16...16).contains(ratio) { aspect = (ratio - 1).magnitude < 0.001 ? 1 : ratio }
        }
        if item.string(.presentationSizeMode) == "MAGNIFY",
            let ratio = item.double(.presentationPixelMagnificationRatio), (1 / 64...64).contains(ratio)
        {
            magnification = ratio
        }
    }
}

/// Turning by quarters, then turning over. PS3.3 §C.10.6.
struct SpatialTransformation: Sendable, Equatable {
    /// Quarters clockwise, 0...3.
    var quarters = 0
    /// Left becomes right, after the rotation.
    var flips = false

    init(quarters: Int = 0, flips: Bool = false) {
        self.quarters = quarters
        self.flips = flips
    }

    /// Of a presentation state; an angle that is no quarter is none.
    init(_ dataSet: DataSet) {
        let angle = dataSet.int(.imageRotation) ?? 0
        quarters = angle % 90 == 0 && (0...270).contains(angle) ? angle / 90 : 0
        flips = dataSet.string(.imageHorizontalFlip) == "Y"
    }

    var swapsSides: Bool { quarters % 2 == 1 }

    /// Where a place of a picture of this size lies once it is turned.
    func place(_ point: Coverage.Point, width: Double, height: Double) -> Coverage.Point {
        var turned: Coverage.Point
        switch quarters {
        case 1: turned = Coverage.Point(height - point.y, point.x)
        case 2: turned = Coverage.Point(width - point.x, height - point.y)
        case 3: turned = Coverage.Point(point.y, width - point.x)
        default: turned = point
        }
        if flips { turned.x = (swapsSides ? height : width) - turned.x }
        return turned
    }

    /// The picture turned.
    func applied(to image: RenderedImage) throws(RenderingError) -> RenderedImage {
        guard quarters != 0 || flips else { return image }
        let (rows, columns) = swapsSides ? (image.columns, image.rows) : (image.rows, image.columns)
        let samples = image.samplesPerPixel
        var bytes = [UInt8](repeating: 0, count: image.bytes.count)
        for row in 0..<rows {
            for column in 0..<columns {
                let across = flips ? columns - 1 - column : column
                let (from, at): (Int, Int) =
                    switch quarters {
                    case 1: (image.rows - 1 - across, row)
                    case 2: (image.rows - 1 - row, image.columns - 1 - across)
                    case 3: (across, image.columns - 1 - row)
                    default: (row, across)
                    }
                let source = (from * image.columns + at) * samples
                let target = (row * columns + column) * samples
                for sample in 0..<samples { bytes[target + sample] = image.bytes[source + sample] }
            }
        }
        guard let turned = RenderedImage(rows: rows, columns: columns, samplesPerPixel: samples, bytes: bytes) else {
            throw .tooLarge
        }
        return turned
    }
}

/// From the pixels of an image to those of the picture of its displayed area.
struct DisplayedLayout: Sendable, Equatable {
    /// Pixels of a picture: fewer than of an image by itself, as a small image can have a large area.
    static let pixelsMax = 1 << 26

    private let area: DisplayedArea
    private let transformation: SpatialTransformation
    /// Before it is turned.
    private let flatColumns: Int
    private let flatRows: Int

    /// As wide and high as the picture is.
    var columns: Int { transformation.swapsSides ? flatRows : flatColumns }
    var rows: Int { transformation.swapsSides ? flatColumns : flatRows }

    /// - Parameters:
    ///   - aspect: height of a pixel by its width.
    ///   - viewport: what the picture fits into; its region is not looked at.
    ///
    /// Throws `.tooLarge`.
    init(
        _ area: DisplayedArea, _ transformation: SpatialTransformation, aspect: Double, _ viewport: Viewport?
    ) throws(RenderingError) {
        self.area = area
        self.transformation = transformation
        var (wide, high) = (area.right - area.left, (area.bottom - area.top) * aspect)
        if let viewport {
            let (width, height) =
                transformation.swapsSides
                ? (viewport.height, viewport.width) : (viewport.width, viewport.height)
            let scale = min(Double(width) / wide, Double(height) / high)
            wide = min(Double(width), wide * scale)
            high = min(Double(height), high * scale)
        } else {
            if aspect < 1 { (wide, high) = (wide / aspect, area.bottom - area.top) }
            (wide, high) = (wide * area.magnification, high * area.magnification)
        }
        guard wide <= 65_500, high <= 65_500 else { throw .tooLarge }
        flatColumns = max(1, Int(wide.rounded()))
        flatRows = max(1, Int(high.rounded()))
        guard flatColumns * flatRows <= Self.pixelsMax else { throw .tooLarge }
    }

    private var across: Double { Double(flatColumns) / (area.right - area.left) }
    private var down: Double { Double(flatRows) / (area.bottom - area.top) }

    /// A place in pixels of the image, 0, 0 being its upper left corner. PS3.3 §C.10.5.1.2 PIXEL.
    func place(pixel point: Coverage.Point) -> Coverage.Point {
        transformation.place(
            Coverage.Point((point.x - area.left) * across, (point.y - area.top) * down),
            width: Double(flatColumns), height: Double(flatRows))
    }

    /// A place in parts of the displayed area as it is seen. PS3.3 §C.10.5.1.2 DISPLAY.
    func place(display point: Coverage.Point) -> Coverage.Point {
        Coverage.Point(point.x * Double(columns), point.y * Double(rows))
    }

    /// The picture of the area: what lies beside the image is black. Throws `.unsupported` where nothing of the image
    /// is in it.
    func picture(of image: RenderedImage) throws(RenderingError) -> RenderedImage {
        let (left, right) = (max(0, area.left), min(Double(image.columns), area.right))
        let (top, bottom) = (max(0, area.top), min(Double(image.rows), area.bottom))
        guard right > left, bottom > top else { throw .unsupported("a displayed area beside the image") }
        // The part of the picture that the image takes, in whole pixels.
        let x = min(flatColumns - 1, Int(((left - area.left) * across).rounded()))
        let y = min(flatRows - 1, Int(((top - area.top) * down).rounded()))
        let columns = max(1, min(flatColumns, Int(((right - area.left) * across).rounded())) - x)
        let rows = max(1, min(flatRows, Int(((bottom - area.top) * down).rounded())) - y)
        let inner = try Resampling.resampled(
            image,
            Placement(x: left, y: top, width: right - left, height: bottom - top, columns: columns, rows: rows))
        guard columns < flatColumns || rows < flatRows else { return try transformation.applied(to: inner) }
        let samples = image.samplesPerPixel
        var bytes = [UInt8](repeating: 0, count: flatColumns * flatRows * samples)
        for row in 0..<rows {
            let target = ((y + row) * flatColumns + x) * samples
            let source = row * columns * samples
            bytes.replaceSubrange(
                target..<target + columns * samples, with: inner.bytes[source..<source + columns * samples])
        }
        guard
            let whole = RenderedImage(rows: flatRows, columns: flatColumns, samplesPerPixel: samples, bytes: bytes)
        else { throw .tooLarge }
        return try transformation.applied(to: whole)
    }
}

extension Placement {
    /// The pixels of a frame from a place on, as a picture of this size.
    init(x: Double, y: Double, width: Double, height: Double, columns: Int, rows: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.columns = columns
        self.rows = rows
    }
}
