/// How far lines, areas and letters cover each pixel of a picture, before they have a colour: one layer of graphics.
///
/// Places are in pixels of the picture, 0, 0 being its upper left corner and 0.5, 0.5 the middle of its first pixel.
/// Where shapes lie over each other the most counts. Work is limited: see ``workMax``.
struct Coverage: Sendable {
    struct Point: Sendable, Equatable {
        var x: Double
        var y: Double

        init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// Pixels and edges that are looked at for one picture: about a second.
    static let workMax = 1 << 26
    /// Where a filled area's edges cross lines of the picture.
    static let crossingsMax = 1 << 22
    /// Farther from the picture nothing is told apart.
    static let farthest = 1e7

    let rows: Int
    let columns: Int
    private(set) var values: [UInt8]
    /// Lines that something was drawn on.
    private var touched: Range<Int>?
    /// Of each of them the first such column, and the one behind the last.
    private var firsts: [Int]
    private var ends: [Int]
    private let workMax: Int
    private var work = 0

    init(rows: Int, columns: Int, workMax: Int = Coverage.workMax) {
        self.rows = rows
        self.columns = columns
        self.workMax = workMax
        values = [UInt8](repeating: 0, count: rows * columns)
        firsts = [Int](repeating: columns, count: rows)
        ends = [Int](repeating: 0, count: rows)
    }

    /// Whether so much was done that what can be drawn in a simpler way is drawn so.
    var isBusy: Bool { work > workMax / 4 }

    /// A line with round ends, smooth at its edges. Throws `.unsupported` beyond ``workMax``.
    mutating func line(_ from: Point, _ to: Point, width: Double) throws(RenderingError) {
        guard let a = Self.sane(from), let b = Self.sane(to) else { return }
        let reach = width / 2 + 0.5
        let (across, down) = (b.x - a.x, b.y - a.y)
        let length = (across * across + down * down).squareRoot()
        let lines = Self.cells(min(a.y, b.y) - reach, max(a.y, b.y) + reach, rows)
        try use(lines.count)
        for row in lines {
            let y = Double(row) + 0.5
            var (low, high) = (min(a.x, b.x) - reach, max(a.x, b.x) + reach)
            if length > 1e-9, down.magnitude > 1e-9 {
                // Where the line's two edges are met.
                let middle = a.x + (y - a.y) * across / down
                let half = (reach * length / down).magnitude
                (low, high) = (max(low, middle - half), min(high, middle + half))
            }
            let cells = Self.cells(low, high, columns)
            try use(cells.count)
            for column in cells {
                let x = Double(column) + 0.5
                var along = 0.0
                if length > 1e-9 {
                    along = max(0, min(1, ((x - a.x) * across + (y - a.y) * down) / (length * length)))
                }
                let (dx, dy) = (x - a.x - along * across, y - a.y - along * down)
                cover(row, column, reach - (dx * dx + dy * dy).squareRoot())
            }
        }
    }

    /// Pixels whose middle lies within the edges, by the even-odd rule. Throws `.unsupported` beyond the limits.
    mutating func fill(_ corners: [Point]) throws(RenderingError) {
        let corners = corners.compactMap(Self.sane)
        guard corners.count >= 3 else { return }
        var crossings: [Int: [Double]] = [:]
        var count = 0
        for (index, a) in corners.enumerated() {
            let b = corners[(index + 1) % corners.count]
            // Lines whose middle lies at or below the upper end and above the lower.
            let lines = Self.cells((min(a.y, b.y) - 0.5).rounded(.up), (max(a.y, b.y) - 0.5).rounded(.up), rows)
            try use(lines.count + 1)
            count += lines.count
            guard count <= Self.crossingsMax else { throw Self.tooMuch }
            for row in lines {
                crossings[row, default: []].append(a.x + (Double(row) + 0.5 - a.y) / (b.y - a.y) * (b.x - a.x))
            }
        }
        for (row, places) in crossings {
            let places = places.sorted()
            for index in stride(from: 0, to: places.count - 1, by: 2) {
                let cells = Self.cells(
                    (places[index] - 0.5).rounded(.up), (places[index + 1] - 0.5).rounded(.up), columns)
                try use(cells.count)
                for column in cells { cover(row, column, 1) }
            }
        }
    }

    /// Letters from an upper left corner, each pixel of the typeface `scale` wide and high.
    mutating func text(_ text: String, left: Int, top: Int, scale: Int) throws(RenderingError) {
        var x = left
        for scalar in text.unicodeScalars {
            guard x < columns else { break }
            let glyph = Typeface.glyph(scalar)
            for (row, bits) in glyph.enumerated() where bits != 0 {
                let y = top + (row - Typeface.rise) * scale
                for column in 0..<5 where bits >> UInt8(4 - column) & 1 == 1 {
                    try square(left: x + column * scale, top: y, side: scale)
                }
            }
            x += Typeface.advance * scale
        }
    }

    private mutating func square(left: Int, top: Int, side: Int) throws(RenderingError) {
        let lines = max(0, top)..<max(max(0, top), min(rows, top + side))
        let cells = max(0, left)..<max(max(0, left), min(columns, left + side))
        try use(lines.count * cells.count + 1)
        for row in lines { for column in cells { cover(row, column, 1) } }
    }

    /// Puts a colour over the picture where it is covered, of an opacity of 0 to 1, and empties the coverage.
    mutating func blend(
        _ colour: PresentationColour, opacity: Double = 1, onto image: inout RenderedImage
    ) throws(RenderingError) {
        guard let touched, image.rows == rows, image.columns == columns else { return }
        self.touched = nil
        let samples = image.samplesPerPixel
        let shown = samples == 1 ? [colour.grey] : [colour.red, colour.green, colour.blue]
        for row in touched where firsts[row] < ends[row] {
            let cells = row * columns + firsts[row]..<row * columns + ends[row]
            (firsts[row], ends[row]) = (columns, 0)
            try use(cells.count)
            for at in cells where values[at] > 0 {
                let part = opacity < 1 ? Int(Double(values[at]) * max(0, opacity) + 0.5) : Int(values[at])
                values[at] = 0
                for sample in 0..<samples {
                    let old = Int(image.bytes[at * samples + sample])
                    let new = old * (255 - part) + Int(shown[sample]) * part
                    image.bytes[at * samples + sample] = UInt8((new + 127) / 255)
                }
            }
        }
    }

    private mutating func cover(_ row: Int, _ column: Int, _ part: Double) {
        guard part > 0 else { return }
        let value = UInt8(min(255, part * 255 + 0.5))
        let at = row * columns + column
        if value > values[at] { values[at] = value }
        firsts[row] = min(firsts[row], column)
        ends[row] = max(ends[row], column + 1)
        guard let old = touched else {
            touched = row..<row + 1
            return
        }
        if !old.contains(row) { touched = min(row, old.lowerBound)..<max(row + 1, old.upperBound) }
    }

    /// Counts work towards the limit.
    mutating func use(_ count: Int) throws(RenderingError) {
        work += count
        guard work <= workMax else { throw Self.tooMuch }
    }

    private static let tooMuch = RenderingError.unsupported("so much graphics")

    /// nil for what is no place.
    private static func sane(_ point: Point) -> Point? {
        guard point.x.isFinite, point.y.isFinite else { return nil }
        return Point(max(-farthest, min(farthest, point.x)), max(-farthest, min(farthest, point.y)))
    }

    /// The cells of a line of `count` from one place to before another.
    private static func cells(_ low: Double, _ high: Double, _ count: Int) -> Range<Int> {
        let first = Int(max(0, min(Double(count), low.rounded(.down))))
        return first..<max(first, Int(max(0, min(Double(count), high.rounded(.up)))))
    }
}
