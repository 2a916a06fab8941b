import DICOMData

/// How images of a study are to be shown, as somebody left them: grey, colour and pseudo-colour softcopy presentation
/// states. PS3.3 §A.33.1 to §A.33.3, PS3.4 §N.
///
/// It replaces what an image says of its own look: a transformation that the state does not have is none. The
/// profile of its colours is for whoever asks for one, or for another colour space.
package struct PresentationState: Sendable {
    /// Images and frames that a state may refer to.
    package static let referencesMax = 1_000
    /// References within all of its items.
    private static let innerReferencesMax = 1 << 16
    private static let itemsMax = 4_096

    enum Kind: Sendable { case grey, colour, pseudoColour }

    private static let kinds: [String: Kind] = [
        "1.2.840.10008.5.1.4.1.1.11.1": .grey, "1.2.840.10008.5.1.4.1.1.11.2": .colour,
        "1.2.840.10008.5.1.4.1.1.11.3": .pseudoColour,
    ]

    /// Whether instances of a class are states that are read here.
    package static func isState(_ sopClassUID: String) -> Bool { kinds[sopClassUID] != nil }

    let kind: Kind
    /// The images that it is for, in its order, each once.
    package let references: [ImageReference]
    let dataSet: DataSet
    /// Low values are bright.
    let isInverse: Bool
    /// Presentation LUT; nil for IDENTITY and INVERSE.
    let presentationLUT: LookUpTable?
    /// Of pseudo-colour.
    let palette: PaletteTable?
    let shutter: DisplayShutter?
    let transformation: SpatialTransformation
    let layers: [GraphicLayer]
    let annotations: [GraphicAnnotation]
    private let areas: [(images: Applicability, area: DisplayedArea)]
    private let lookUps: [(images: Applicability, item: DataSet)]

    /// Throws `.unsupported` for another class, for a palette that is neither there nor well known, and beyond the limits.
    ///
    /// - Parameter dataSet: of the state, the values of ``ImageRendering/externalPaths(in:)`` put into their places.
    package init(_ dataSet: DataSet, sopClassUID: String) throws(RenderingError) {
        guard let kind = Self.kinds[sopClassUID] else { throw .unsupported("this presentation state") }
        self.kind = kind
        self.dataSet = dataSet
        references = try Self.references(dataSet)
        try Self.check(dataSet)
        isInverse = dataSet.string(.presentationLUTShape) == "INVERSE"
        presentationLUT = dataSet.item(.presentationLUTSequence).flatMap { LookUpTable($0, isSigned: false) }
        palette = kind == .pseudoColour ? Self.palette(dataSet) : nil
        if kind == .pseudoColour, palette == nil { throw .unsupported("a palette that is not in the state") }
        shutter = DisplayShutter(dataSet)
        transformation = SpatialTransformation(dataSet)
        layers = try GraphicLayer.all(dataSet)
        annotations = try GraphicAnnotation.all(dataSet)
        areas = dataSet.items(.displayedAreaSelectionSequence).compactMap { item in
            DisplayedArea(item).map { (Applicability(item), $0) }
        }
        lookUps = dataSet.items(.softcopyVOILUTSequence).map { (Applicability($0), $0) }
    }

    /// The palette whose tables are in the state, else the well-known one that it names. PS3.3 §C.7.9.1, PS3.6 Annex B.
    private static func palette(_ dataSet: DataSet) -> PaletteTable? {
        PaletteTable(dataSet, isSigned: false)
            ?? dataSet.uid(.paletteColorLookupTableUID).flatMap { WellKnownPalette.table($0) }
    }

    private static func references(_ dataSet: DataSet) throws(RenderingError) -> [ImageReference] {
        var found: [ImageReference] = []
        var seen: Set<String> = []
        for series in dataSet.items(.referencedSeriesSequence).prefix(itemsMax) {
            for reference in series.items(.referencedImageSequence).compactMap({ ImageReference($0) })
            where seen.insert(reference.sopInstanceUID).inserted {
                found.append(reference)
                guard found.count <= referencesMax else {
                    throw .unsupported("a presentation state of more than \(referencesMax) images")
                }
            }
        }
        return found
    }

    /// What its items refer to, in all.
    private static func check(_ dataSet: DataSet) throws(RenderingError) {
        var count = 0
        for sequence in [Tag.displayedAreaSelectionSequence, .softcopyVOILUTSequence, .graphicAnnotationSequence] {
            let items = dataSet.items(sequence)
            guard items.count <= itemsMax else { throw .unsupported("so many items of a presentation state") }
            for item in items {
                count += item.items(.referencedImageSequence).count
                guard count <= innerReferencesMax else { throw .unsupported("so many references") }
            }
        }
    }

    /// The item of the VOI LUT of a frame; nil for none.
    func lookUp(_ sopInstanceUID: String, frame: Int) -> DataSet? {
        lookUps.first { $0.images.includes(sopInstanceUID, frame: frame) }?.item
    }

    /// What is shown of a frame; nil for the whole.
    func area(_ sopInstanceUID: String, frame: Int) -> DisplayedArea? {
        areas.first { $0.images.includes(sopInstanceUID, frame: frame) }?.area
    }

    /// The layer that an overlay of a group is shown in; nil for one that is not.
    func layer(ofOverlay group: UInt16) -> GraphicLayer? {
        guard let name = dataSet.string(.overlayActivationLayer(group)) else { return nil }
        return layers.first { $0.name == name } ?? GraphicLayer(name: name, order: 0, colour: .white)
    }
}
