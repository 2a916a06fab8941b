import DICOMData

/// How the lines of one graphic object look, in place of what its layer says. PS3.3 §C.10.5.1.3.13.
struct GraphicLineStyle: Sendable, Equatable {
    /// Bits of a pattern, after which it begins again.
    static let patternBits = 32
    /// A thicker line is none that anybody wanted.
    private static let thickest = 1e9

    /// Of a solid line, and of the parts of a dashed one that are on.
    var on: GraphicPaint
    /// Of the parts of a dashed line that are off; nil where nothing is drawn there.
    var off: GraphicPaint?
    /// In the units of the object; nil for that of the layer's lines.
    var thickness: Double?
    /// Which parts of a dashed line are on, from its beginning: the highest bit first, each as long as the line is
    /// wide. nil for a solid line. One of 16 bits, as the standard's own example of equal dashes (00FFH), repeats.
    var pattern: UInt32?
    /// nil for none.
    var shadow: GraphicShadow?

    /// Of an item of a Line Style Sequence; nil for one without a colour.
    init?(_ item: DataSet) {
        guard let on = GraphicPaint(item, .patternOnColorCIELabValue, .patternOnOpacity) else { return nil }
        self.on = on
        shadow = GraphicShadow(item)
        thickness = item.double(.lineThickness).flatMap { $0 > 0 && $0 <= Self.thickest ? $0 : nil }
        guard item.string(.lineDashingStyle) == "DASHED" else { return }
        pattern = item.int(.linePattern).flatMap { UInt32(exactly: $0) }.map { $0 <= 0xFFFF ? $0 << 16 | $0 : $0 }
        if pattern != nil { off = GraphicPaint(item, .patternOffColorCIELabValue, .patternOffOpacity) }
    }

    /// Whether a part of a dashed line is on, from 0.
    func isOn(_ part: Int) -> Bool {
        guard let pattern else { return true }
        return pattern >> UInt32(Self.patternBits - 1 - part % Self.patternBits) & 1 == 1
    }
}

/// Goes along the lines of one object, part by part of their pattern. PS3.3 §C.10.5.1.3.13.1.
struct DashedLine: Sendable {
    let style: GraphicLineStyle
    /// Of the line and of a part of its pattern, in pixels of the picture; 1 or more.
    let width: Double
    /// Where on the pattern the next line begins, in pixels.
    private var phase = 0.0

    private var period: Double { Double(GraphicLineStyle.patternBits) * width }

    init(_ style: GraphicLineStyle, width: Double) {
        self.style = style
        self.width = width
    }

    /// Draws the parts of a line that are on, or those that are off. What lies beside the picture is passed over at
    /// once. Throws `.unsupported` beyond the coverage's limits.
    mutating func draw(
        _ from: Coverage.Point, _ to: Coverage.Point, isOn: Bool, on coverage: inout Coverage
    ) throws(RenderingError) {
        let (across, down) = (to.x - from.x, to.y - from.y)
        let length = (across * across + down * down).squareRoot()
        guard length.isFinite, length > 0 else { return }
        defer { phase = (phase + length).truncatingRemainder(dividingBy: period) }
        guard let seen = Self.seen(from, across, down, coverage, margin: 2 * width) else { return }
        // From where it comes into the picture on: small numbers, however far away it began.
        let first = Coverage.Point(from.x + across * seen.lowerBound, from.y + down * seen.lowerBound)
        let begun = (phase + seen.lowerBound * length).truncatingRemainder(dividingBy: period)
        let end = (seen.upperBound - seen.lowerBound) * length
        func point(_ way: Double) -> Coverage.Point {
            Coverage.Point(first.x + across * way / length, first.y + down * way / length)
        }
        var at = 0.0
        while at < end {
            // What is not drawn is gone along too.
            try coverage.use(1)
            let place = (begun + at).truncatingRemainder(dividingBy: period)
            let part = min(GraphicLineStyle.patternBits - 1, Int(place / width))
            // As many parts as look alike.
            var count = 1
            while count < GraphicLineStyle.patternBits, style.isOn(part + count) == style.isOn(part) { count += 1 }
            let left = Double(part + count) * width - place
            let next = min(end, at + max(left, width / 1_024))
            if style.isOn(part) == isOn {
                // Ends are round and reach half a width farther; where the line itself goes on they may.
                let inset = min(width / 2, (next - at) / 2)
                try coverage.line(
                    point(at > 0 ? at + inset : at), point(next < end ? next - inset : next), width: width)
            }
            at = next
        }
    }

    /// The part of a line, 0...1, that can touch the picture; nil for none.
    private static func seen(
        _ from: Coverage.Point, _ across: Double, _ down: Double, _ coverage: Coverage, margin: Double
    ) -> ClosedRange<Double>? {
        var (low, high) = (0.0, 1.0)
        for (start, way, side) in [
            (from.x, across, Double(coverage.columns)), (from.y, down, Double(coverage.rows)),
        ] {
            if way == 0 {
                guard start >= -margin, start <= side + margin else { return nil }
                continue
            }
            let (a, b) = ((-margin - start) / way, (side + margin - start) / way)
            (low, high) = (max(low, min(a, b)), min(high, max(a, b)))
        }
        return low <= high ? low...high : nil
    }
}
