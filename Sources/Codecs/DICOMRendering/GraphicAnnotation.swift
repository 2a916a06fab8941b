import DICOMData

/// Graphics and text that a presentation state puts over its images. PS3.3 §C.10.5.
struct GraphicAnnotation: Sendable {
    /// Of a whole presentation state. One of more is refused: a part of what was drawn could mislead.
    static let itemsMax = 1_024
    static let objectsMax = 4_096
    static let pointsMax = 65_536
    /// Line ends among them.
    static let charactersMax = 65_536
    /// An object farther away than this is none.
    private static let farthest = 1e9

    enum Units: Sendable {
        /// Of the image.
        case pixel
        /// Parts of the displayed area.
        case display
        /// Pixels of the total pixel matrix, of which the image's frames are tiles.
        case matrix

        /// nil for what is no unit.
        init?(_ term: String?) {
            switch term {
            case "PIXEL": self = .pixel
            case "DISPLAY": self = .display
            case "MATRIX": self = .matrix
            default: return nil
            }
        }
    }

    struct Graphic: Sendable {
        enum Kind: String, Sendable {
            case point = "POINT"
            case polyline = "POLYLINE"
            case interpolated = "INTERPOLATED"
            case circle = "CIRCLE"
            case ellipse = "ELLIPSE"
        }
        var kind: Kind
        var units: Units
        var points: [Coverage.Point]
        var isFilled: Bool
        /// Of its lines; nil where they look as the layer says.
        var style: GraphicLineStyle?
        /// Of what lies within them, where it is filled; nil for that of the layer.
        var fill: GraphicPaint?
    }

    struct Text: Sendable {
        enum Justification: Sendable { case left, center, right }
        enum Alignment: Sendable { case top, center, bottom }
        var lines: [String]
        /// Upper left and lower right corner.
        var box: (units: Units, first: Coverage.Point, second: Coverage.Point)?
        var justification: Justification
        /// Within the box.
        var alignment = Alignment.top
        /// Of the letters; nil for that of the layer.
        var paint: GraphicPaint?
        /// Of the letters; nil for none.
        var shadow: GraphicShadow?
        var anchor: (units: Units, point: Coverage.Point, isVisible: Bool)?
    }

    let images: Applicability
    let layer: String
    private(set) var graphics: [Graphic] = []
    private(set) var texts: [Text] = []

    /// All of a presentation state. Throws `.unsupported` beyond the limits.
    static func all(_ dataSet: DataSet) throws(RenderingError) -> [GraphicAnnotation] {
        let items = dataSet.items(.graphicAnnotationSequence)
        guard items.count <= itemsMax else { throw .unsupported("more than \(itemsMax) graphic annotations") }
        var left = (objects: objectsMax, points: pointsMax, characters: charactersMax)
        var all: [GraphicAnnotation] = []
        for item in items { all.append(try GraphicAnnotation(item, &left)) }
        return all
    }

    private init(
        _ item: DataSet, _ left: inout (objects: Int, points: Int, characters: Int)
    ) throws(RenderingError) {
        images = Applicability(item)
        layer = item.string(.graphicLayer) ?? ""
        let (shapes, words) = (item.items(.graphicObjectSequence), item.items(.textObjectSequence))
        left.objects -= shapes.count + words.count
        guard left.objects >= 0 else { throw .unsupported("more than \(Self.objectsMax) graphic objects") }
        for shape in shapes {
            // What was left in its file is too much, and looks like none.
            let bytes = shape.bytes(.graphicData)
            guard bytes.map({ $0.count <= 16 * Self.pointsMax }) ?? !shape.contains(.graphicData) else {
                throw .unsupported("more than \(Self.pointsMax) graphic points")
            }
            guard let graphic = Self.graphic(shape) else { continue }
            left.points -= graphic.points.count
            guard left.points >= 0 else { throw .unsupported("more than \(Self.pointsMax) graphic points") }
            graphics.append(graphic)
        }
        for word in words {
            guard word.bytes(.unformattedTextValue) != nil || !word.contains(.unformattedTextValue) else {
                throw .unsupported("more than \(Self.charactersMax) characters of text")
            }
            guard let text = Self.text(word) else { continue }
            left.characters -= text.lines.reduce(0) { $0 + $1.unicodeScalars.count + 1 }
            guard left.characters >= 0 else {
                throw .unsupported("more than \(Self.charactersMax) characters of text")
            }
            texts.append(text)
        }
    }

    /// nil for an object without a kind, a unit or the points that its kind has, and for one far away. Where it names
    /// fewer points than it has those are taken, where it names more those that it has.
    private static func graphic(_ item: DataSet) -> Graphic? {
        guard let kind = item.string(.graphicType).flatMap({ Graphic.Kind(rawValue: $0) }),
            let units = Units(item.string(.graphicAnnotationUnits))
        else { return nil }
        let numbers = item.doubles(.graphicData)
        let named = max(0, item.int(.numberOfGraphicPoints) ?? numbers.count / 2)
        let points = (0..<min(named, numbers.count / 2)).map { Coverage.Point(numbers[2 * $0], numbers[2 * $0 + 1]) }
        guard numbers.allSatisfy({ $0.magnitude <= farthest }) else { return nil }
        let enough =
            switch kind {
            case .point: points.count == 1
            case .polyline, .interpolated: points.count >= 2
            case .circle: points.count == 2
            case .ellipse: points.count == 4
            }
        guard enough else { return nil }
        return Graphic(
            kind: kind, units: units, points: points, isFilled: item.string(.graphicFilled) == "Y",
            style: item.item(.lineStyleSequence).flatMap { GraphicLineStyle($0) },
            fill: item.item(.fillStyleSequence).flatMap { GraphicPaint(fill: $0) })
    }

    /// nil for a text without words or without a place.
    private static func text(_ item: DataSet) -> Text? {
        let words = item.strings(.unformattedTextValue).joined(separator: "\\")
        let lines = words.split(omittingEmptySubsequences: false) { $0.isNewline }.map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
        }
        guard lines.contains(where: { !$0.isEmpty }) else { return nil }
        func point(_ tag: Tag) -> Coverage.Point? {
            let numbers = item.doubles(tag)
            guard numbers.count == 2, numbers.allSatisfy({ $0.magnitude <= farthest }) else { return nil }
            return Coverage.Point(numbers[0], numbers[1])
        }
        var text = Text(lines: lines, justification: .left)
        let style = item.item(.textStyleSequence)
        text.paint = style.flatMap { GraphicPaint($0, .textColorCIELabValue) }
        text.shadow = style.flatMap { GraphicShadow($0) }
        switch style?.string(.horizontalAlignment) ?? item.string(.boundingBoxTextHorizontalJustification) {
        case "CENTER": text.justification = .center
        case "RIGHT": text.justification = .right
        default: break
        }
        switch style?.string(.verticalAlignment) {
        case "CENTER": text.alignment = .center
        case "BOTTOM": text.alignment = .bottom
        default: break
        }
        if let units = Units(item.string(.boundingBoxAnnotationUnits)), let first = point(.boundingBoxTopLeft),
            let second = point(.boundingBoxBottomRight)
        {
            text.box = (units, first, second)
        }
        if let units = Units(item.string(.anchorPointAnnotationUnits)), let place = point(.anchorPoint) {
            text.anchor = (units, place, item.string(.anchorPointVisibility) == "Y")
        }
        return text.box == nil && text.anchor == nil ? nil : text
    }
}

/// What graphics of one layer have in common. PS3.3 §C.10.7.
struct GraphicLayer: Sendable {
    static let layersMax = 256

    let name: String
    let order: Int
    let colour: PresentationColour

    /// In the order in which they are drawn. Throws `.unsupported` for more than ``layersMax``.
    static func all(_ dataSet: DataSet) throws(RenderingError) -> [GraphicLayer] {
        let items = dataSet.items(.graphicLayerSequence)
        guard items.count <= layersMax else { throw .unsupported("more than \(layersMax) graphic layers") }
        let layers = items.map { item in
            GraphicLayer(
                name: item.string(.graphicLayer) ?? "", order: item.int(.graphicLayerOrder) ?? 0,
                colour: PresentationColour(
                    item, lab: .graphicLayerRecommendedDisplayCIELabValue,
                    pValue: .graphicLayerRecommendedDisplayGrayscaleValue) ?? .white)
        }
        return layers.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
            .map(\.element)
    }
}
