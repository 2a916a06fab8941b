import DICOMData

/// The shadow of an object's lines or of a text's letters. PS3.3 §C.10.5.1.3.13.2.
struct GraphicShadow: Sendable, Equatable {
    /// An offset beyond this is none.
    private static let farthest = 1e9

    var paint: GraphicPaint
    /// It lies around what it is of, as far as the offset is long; else beside it.
    var isOutline: Bool
    /// To the right and down, in the units of the object, or of the text's anchor.
    var offset: Coverage.Point

    /// Of an item of a Line Style or Text Style Sequence; nil for OFF, and for one without a colour or an offset.
    init?(_ item: DataSet) {
        switch item.string(.shadowStyle) {
        case "NORMAL": isOutline = false
        case "OUTLINED": isOutline = true
        default: return nil
        }
        guard let paint = GraphicPaint(item, .shadowColorCIELabValue, .shadowOpacity),
            let x = item.double(.shadowOffsetX), let y = item.double(.shadowOffsetY), x.magnitude <= Self.farthest,
            y.magnitude <= Self.farthest
        else { return nil }
        self.paint = paint
        offset = Coverage.Point(x, y)
    }
}

/// Draws what casts a shadow where the shadow lies. It is drawn before what it is of.
extension GraphicDrawing {
    /// Characters of a text that has a shadow around it, which is drawn many times. A longer one has none.
    private static let outlinedMax = 1_024

    /// Of an object's lines in a style of their own.
    func shadow(
        _ shadow: GraphicShadow, of graphic: GraphicAnnotation.Graphic, _ style: GraphicLineStyle,
        on coverage: inout Coverage
    ) throws(RenderingError) {
        let shift = shift(shadow, graphic.units)
        guard shadow.isOutline else {
            try line(graphic, style, isOn: true, shift: shift, on: &coverage)
            return
        }
        // No thicker than a line can be.
        let reach = min(Self.length(shift), thickest)
        try line(outline(graphic), width: width(style, graphic.units) + 2 * reach, on: &coverage)
    }

    /// Of a text's letters; around them no farther than two of their strokes.
    func shadow(
        _ shadow: GraphicShadow, of text: GraphicAnnotation.Text, on coverage: inout Coverage
    ) throws(RenderingError) {
        guard let units = text.anchor?.units ?? text.box?.units else { return }
        let shift = shift(shadow, units)
        guard shadow.isOutline else {
            try letters(text, shift: shift, on: &coverage)
            return
        }
        guard text.lines.reduce(0, { $0 + $1.unicodeScalars.count }) <= Self.outlinedMax else { return }
        let stroke = Double(letterScale(text))
        let reach = min(Self.length(shift), 2 * stroke)
        for radius in reach > stroke ? [reach, stroke] : [reach] {
            for (x, y) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
                try letters(text, shift: Coverage.Point(Double(x) * radius, Double(y) * radius), on: &coverage)
            }
        }
    }

    /// A shadow's offset in pixels of the picture, to the right and down whichever way the image is turned.
    private func shift(_ shadow: GraphicShadow, _ units: GraphicAnnotation.Units) -> Coverage.Point {
        let origin = place(Coverage.Point(0, 0), units)
        let (across, down) = (place(Coverage.Point(1, 0), units), place(Coverage.Point(0, 1), units))
        // Turned by quarters, one of the two goes along each side.
        return Coverage.Point(
            shadow.offset.x * ((across.x - origin.x).magnitude + (down.x - origin.x).magnitude),
            shadow.offset.y * ((across.y - origin.y).magnitude + (down.y - origin.y).magnitude))
    }

    private static func length(_ shift: Coverage.Point) -> Double {
        (shift.x * shift.x + shift.y * shift.y).squareRoot()
    }
}
