#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Draws graphics and texts of one layer into a coverage. PS3.3 §C.10.5.
struct GraphicDrawing: Sendable {
    /// Straight pieces between two points of a curve.
    private static let pieces = 16
    /// Straight pieces of a whole ellipse, at most.
    private static let roundPieces = 360

    let layout: DisplayedLayout
    /// Of lines, in pixels of the picture: thicker on large pictures, which are seen smaller.
    let lineWidth: Double
    /// Of text without a box.
    let textScale: Int
    /// Where the image begins in the total pixel matrix, in its pixels; nil where it is no tile of one.
    let tile: Coverage.Point?

    init(_ layout: DisplayedLayout, tile: Coverage.Point? = nil) {
        self.layout = layout
        self.tile = tile
        let side = max(layout.rows, layout.columns)
        lineWidth = Double(max(1, side / 768))
        textScale = max(1, side / 512)
    }

    /// A place in pixels of the picture.
    func place(_ point: Coverage.Point, _ units: GraphicAnnotation.Units) -> Coverage.Point {
        switch units {
        case .pixel: layout.place(pixel: point)
        case .display: layout.place(display: point)
        case .matrix:
            layout.place(pixel: Coverage.Point(point.x - (tile?.x ?? 0), point.y - (tile?.y ?? 0)))
        }
    }

    /// Whether it is known where in the picture these lie.
    func places(_ units: [GraphicAnnotation.Units?]) -> Bool { tile != nil || !units.contains(.matrix) }

    // MARK: Graphics

    /// What lies within the lines of an object that is filled.
    func fill(_ graphic: GraphicAnnotation.Graphic, on coverage: inout Coverage) throws(RenderingError) {
        if graphic.isFilled { try coverage.fill(outline(graphic)) }
    }

    /// The lines of an object as its layer has them.
    func line(_ graphic: GraphicAnnotation.Graphic, on coverage: inout Coverage) throws(RenderingError) {
        try line(outline(graphic), width: lineWidth, on: &coverage)
    }

    /// The lines of an object in a style of its own: the parts that are on, or those that are off.
    ///
    /// - Parameter shift: by how much they are moved, in pixels of the picture.
    func line(
        _ graphic: GraphicAnnotation.Graphic, _ style: GraphicLineStyle, isOn: Bool,
        shift: Coverage.Point = Coverage.Point(0, 0), on coverage: inout Coverage
    ) throws(RenderingError) {
        let width = width(style, graphic.units)
        let points = outline(graphic).map { Coverage.Point($0.x + shift.x, $0.y + shift.y) }
        guard style.pattern != nil, points.count > 1 else {
            if isOn { try line(points, width: width, on: &coverage) }
            return
        }
        var dashed = DashedLine(style, width: width)
        for (from, to) in zip(points, points.dropFirst()) {
            try dashed.draw(from, to, isOn: isOn, on: &coverage)
        }
    }

    func line(_ points: [Coverage.Point], width: Double, on coverage: inout Coverage) throws(RenderingError) {
        if points.count == 1 { try coverage.line(points[0], points[0], width: 2 * width + 1) }
        for (from, to) in zip(points, points.dropFirst()) { try coverage.line(from, to, width: width) }
    }

    /// Of a style's lines in pixels of the picture: a pixel at least, and a 32nd of its longer side at most, as a
    /// thickness in parts of the displayed area is easily meant otherwise.
    func width(_ style: GraphicLineStyle, _ units: GraphicAnnotation.Units) -> Double {
        guard let thickness = style.thickness else { return lineWidth }
        let origin = place(Coverage.Point(0, 0), units)
        func reach(_ point: Coverage.Point) -> Double {
            let end = place(point, units)
            return ((end.x - origin.x) * (end.x - origin.x) + (end.y - origin.y) * (end.y - origin.y)).squareRoot()
        }
        let scale = (reach(Coverage.Point(1, 0)) * reach(Coverage.Point(0, 1))).squareRoot()
        return max(1, min(thickest, thickness * scale))
    }

    /// Of a line, in pixels of the picture.
    var thickest: Double { max(lineWidth, Double(max(layout.rows, layout.columns)) / 32) }

    /// The points between which an object's lines go, in pixels of the picture; of a point one.
    func outline(_ graphic: GraphicAnnotation.Graphic) -> [Coverage.Point] {
        let points = graphic.points
        switch graphic.kind {
        case .point, .polyline: return points.map { place($0, graphic.units) }
        case .interpolated: return Self.curve(points).map { place($0, graphic.units) }
        case .circle:
            let (middle, edge) = (points[0], points[1])
            let radius = ((edge.x - middle.x) * (edge.x - middle.x) + (edge.y - middle.y) * (edge.y - middle.y))
                .squareRoot()
            return round(middle, Coverage.Point(radius, 0), Coverage.Point(0, radius), graphic)
        case .ellipse:
            // The ends of one axis, then of the other.
            let middle = Coverage.Point((points[0].x + points[1].x) / 2, (points[0].y + points[1].y) / 2)
            let major = Coverage.Point((points[1].x - points[0].x) / 2, (points[1].y - points[0].y) / 2)
            let minor = Coverage.Point((points[3].x - points[2].x) / 2, (points[3].y - points[2].y) / 2)
            return round(middle, major, minor, graphic)
        }
    }

    private func round(
        _ middle: Coverage.Point, _ major: Coverage.Point, _ minor: Coverage.Point,
        _ graphic: GraphicAnnotation.Graphic
    ) -> [Coverage.Point] {
        (0...Self.roundPieces).map { step in
            let angle = Double(step % Self.roundPieces) / Double(Self.roundPieces) * 2 * Double.pi
            let (along, beside) = (cos(angle), sin(angle))
            return place(
                Coverage.Point(
                    middle.x + along * major.x + beside * minor.x, middle.y + along * major.y + beside * minor.y),
                graphic.units)
        }
    }

    /// A smooth line through points: a Catmull-Rom spline, closed where it ends where it began. How it bends between
    /// them the standard leaves open.
    static func curve(_ points: [Coverage.Point]) -> [Coverage.Point] {
        guard points.count > 2 else { return points }
        let isClosed = points.first == points.last
        let last = points.count - 1
        var out = [points[0]]
        for index in 0..<last {
            let before = index > 0 ? points[index - 1] : isClosed ? points[last - 1] : points[0]
            let (from, to) = (points[index], points[index + 1])
            let after = index + 2 <= last ? points[index + 2] : isClosed ? points[1] : to
            for step in 1...pieces {
                let t = Double(step) / Double(pieces)
                func bend(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> Double {
                    let (first, second) = ((c - a) * t, (2 * a - 5 * b + 4 * c - d) * t * t)
                    let third = (3 * b - a - 3 * c + d) * t * t * t
                    return b + (first + second + third) / 2
                }
                out.append(
                    step == pieces
                        ? to
                        : Coverage.Point(bend(before.x, from.x, to.x, after.x), bend(before.y, from.y, to.y, after.y)))
            }
        }
        return out
    }

    // MARK: Text

    /// The line from a text to its anchor, or the point that it stands beside, where the anchor is visible.
    func anchor(_ text: GraphicAnnotation.Text, on coverage: inout Coverage) throws(RenderingError) {
        guard let own = text.anchor, own.isVisible else { return }
        let anchor = place(own.point, own.units)
        guard let box = text.box.map({ area($0) }) else {
            try coverage.line(anchor, anchor, width: 2 * lineWidth + 1)
            return
        }
        // From the nearest place of the box.
        let from = Coverage.Point(
            max(box.left, min(box.left + box.wide, anchor.x)), max(box.top, min(box.top + box.high, anchor.y)))
        try coverage.line(from, anchor, width: lineWidth)
    }

    /// Pixels of a stroke of a text's letters.
    func letterScale(_ text: GraphicAnnotation.Text) -> Int {
        guard let box = text.box.map({ area($0) }) else { return textScale }
        let columns = text.lines.map { $0.unicodeScalars.count }.max() ?? 0
        return Self.scale(columns: columns, lines: text.lines.count, box.wide, box.high)
    }

    /// Letters stand upright whichever way the image is turned. A text is as large as its box lets it be; one without a
    /// box stands beside its anchor.
    ///
    /// - Parameter shift: by how much they are moved, in pixels of the picture.
    func letters(
        _ text: GraphicAnnotation.Text, shift: Coverage.Point = Coverage.Point(0, 0), on coverage: inout Coverage
    ) throws(RenderingError) {
        let columns = text.lines.map { $0.unicodeScalars.count }
        let scale = letterScale(text)
        var (left, top) = (0.0, 0.0)
        var width = Typeface.size(columns: columns.max() ?? 0, lines: text.lines.count, scale: scale).width
        if let box = text.box.map({ area($0) }) {
            width = Int(min(box.wide, 65_535))
            let height = Typeface.size(columns: 1, lines: text.lines.count, scale: scale).height
            let space = max(0, box.high - Double(height))
            let above =
                switch text.alignment {
                case .top: 0.0
                case .center: space / 2
                case .bottom: space
                }
            (left, top) = (box.left, box.top + above)
        } else if let own = text.anchor {
            let anchor = place(own.point, own.units)
            (left, top) = (anchor.x + 4 * lineWidth, anchor.y)
        }
        (left, top) = (left + shift.x, top + shift.y)
        guard left.magnitude <= Coverage.farthest, top.magnitude <= Coverage.farthest else { return }
        for (index, line) in text.lines.enumerated() {
            let own = Typeface.size(columns: columns[index], lines: 1, scale: scale).width
            let space = max(0, width - own)
            let indent =
                switch text.justification {
                case .left: 0
                case .center: space / 2
                case .right: space
                }
            try coverage.text(
                line, left: Int(left.rounded()) + indent,
                top: Int(top.rounded()) + (Typeface.rise + index * Typeface.lineHeight) * scale, scale: scale)
        }
    }

    /// A text's box as it is seen.
    private func area(
        _ box: (units: GraphicAnnotation.Units, first: Coverage.Point, second: Coverage.Point)
    ) -> (left: Double, top: Double, wide: Double, high: Double) {
        let (first, second) = (place(box.first, box.units), place(box.second, box.units))
        return (
            min(first.x, second.x), min(first.y, second.y), (first.x - second.x).magnitude,
            (first.y - second.y).magnitude
        )
    }

    /// The largest letters of which a text fits into a box; of a scale of 1 where none do.
    private static func scale(columns: Int, lines: Int, _ wide: Double, _ high: Double) -> Int {
        let size = Typeface.size(columns: columns, lines: lines, scale: 1)
        let most = min(wide / Double(max(1, size.width)), high / Double(max(1, size.height)))
        return max(1, Int(min(64, most)))
    }
}
