import DICOMData

/// A colour of an object's own, in place of its layer's. PS3.3 §C.10.5.1.3.
struct GraphicPaint: Sendable, Equatable {
    var colour: PresentationColour
    /// 0 for nothing, 1 for all.
    var opacity = 1.0

    /// Of a CIELab triple and an opacity; nil where there is no colour. Without an opacity all is drawn, and one out of
    /// its range is the nearest.
    init?(_ item: DataSet, _ colour: Tag, _ opacity: Tag? = nil) {
        let numbers = item.ints(colour)
        guard numbers.count == 3 else { return nil }
        self.colour = PresentationColour(lightness: numbers[0], a: numbers[1], b: numbers[2])
        let told = opacity.flatMap { item.double($0) } ?? 1
        self.opacity = told.isNaN ? 1 : max(0, min(1, told))
    }

    /// Of a Fill Style Sequence's item; nil for one that is stippled. PS3.3 §C.10.5.1.3.14.
    init?(fill item: DataSet) {
        guard item.string(.fillMode) != "STIPPELED" else { return nil }
        self.init(item, .patternOnColorCIELabValue, .patternOnOpacity)
    }
}
