import DICOMData
import DICOMPixels

/// What is done with the pixels of an object: regions blanked by rule, and overlays in unused bits cleared.
/// PS3.15 §E.3.1, PS3.3 §C.9.2.
struct PixelCleaning {
    private let dataSet: DataSet
    private let element: DataElement?
    /// Other elements of pixels, empty ones too: they would be described by the same attributes.
    private let isAmbiguous: Bool
    private let rule: PixelRule?
    private let isAsked: Bool

    init(_ dataSet: DataSet, _ profile: DeidentificationProfile) {
        self.dataSet = dataSet
        let pixels = dataSet.elements.filter(\.tag.isPixelData)
        element = pixels.first { !$0.isEmpty }
        isAmbiguous = pixels.count > 1
        isAsked = profile.options.contains(.cleanPixelData)
        rule = isAsked ? profile.pixelRules.first { dataSet.says($0.attributes) } : nil
    }

    /// A rule says that nothing is burned in any more.
    var isCleaned: Bool { element != nil && rule != nil }

    /// The pixels where they are changed, else nil.
    func changed() throws(DeidentificationRefusal) -> DataElement? {
        guard let element else { return nil }
        let burnedIn = dataSet.string(.burnedInAnnotation)?.uppercased()
        if rule == nil {
            if burnedIn == "YES" { throw .burnedInAnnotation }
            if isAsked, burnedIn != "NO" { throw .pixelsUnknown }
        }
        let regions = rule?.regions ?? []
        guard !regions.isEmpty || hasEmbeddedOverlay else { return nil }
        var bytes = try native(element)
        guard !isAmbiguous, let image = ImagePixel(dataSet), let raster = NativeRaster(image, byteCount: bytes.count)
        else { throw .pixelsUnreadable }
        // What lies behind the last frame may be a further one.
        bytes.removeLast(bytes.count - min(bytes.count, raster.byteCount + raster.byteCount % 2))
        if hasEmbeddedOverlay, !raster.keepStoredBits(&bytes) { throw .pixelsUnreadable }
        for region in regions { raster.blank(region, in: &bytes) }
        return DataElement(element.tag, element.vr, .bytes(bytes))
    }

    private func native(_ element: DataElement) throws(DeidentificationRefusal) -> [UInt8] {
        switch element.value {
        case .bytes(let bytes): return bytes
        case .fragments: throw .pixelsCompressed
        case .external(let value): throw value.isEncapsulated ? .pixelsCompressed : .pixelsNotRead
        case .items: throw .pixelsUnreadable
        }
    }

    /// An overlay without data of its own lies in bits of the pixels that hold no sample: (60xx,0102) says in which. One
    /// that does not say that it is none is taken for one.
    private var hasEmbeddedOverlay: Bool {
        let planes = dataSet.elements.filter { $0.tag.group & 0xFF01 == 0x6000 && !$0.tag.isGroupLength }
        return Set(planes.map(\.tag.group)).contains { group in
            dataSet[Tag(group, 0x3000)]?.isEmpty ?? true && dataSet.int(Tag(group, 0x0102)) != 0
        }
    }
}
