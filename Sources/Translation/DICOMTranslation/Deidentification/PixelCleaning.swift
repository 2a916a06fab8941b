import DICOMData
import DICOMPixels

/// What is done with the pixels of an object: regions blanked by rule, and overlays in unused bits cleared.
/// PS3.15 §E.3.1, PS3.3 §C.9.2.
struct PixelCleaning {
    private let dataSet: DataSet
    private let element: DataElement?
    private let rule: PixelRule?
    private let isAsked: Bool

    init(_ dataSet: DataSet, _ profile: DeidentificationProfile) {
        self.dataSet = dataSet
        element = dataSet.elements.first { $0.tag.isPixelData && !$0.isEmpty }
        isAsked = profile.options.contains(.cleanPixelData)
        rule = isAsked ? profile.pixelRules.first { dataSet.says($0.attributes) } : nil
    }

    /// A rule says that nothing is burned in any more.
    var isCleaned: Bool { element != nil && rule != nil }

    /// The pixels where they are changed, else nil.
    func changed() throws(DeidentificationRefusal) -> DataElement? {
        guard let element else { return nil }
        let burnedIn = dataSet.string(.burnedInAnnotation)
        if rule == nil {
            if burnedIn == "YES" { throw .burnedInAnnotation }
            if isAsked, burnedIn != "NO" { throw .pixelsUnknown }
        }
        let regions = rule?.regions ?? []
        guard !regions.isEmpty || hasEmbeddedOverlay else { return nil }
        var bytes = try native(element)
        guard let image = ImagePixel(dataSet), let raster = NativeRaster(image, byteCount: bytes.count) else {
            throw .pixelsUnreadable
        }
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

    /// An overlay without data of its own lies in bits of the pixels that hold no sample: (60xx,0102) says in which.
    private var hasEmbeddedOverlay: Bool {
        dataSet.elements.contains { element in
            element.tag.group & 0xFF01 == 0x6000 && element.tag.element == 0x0102
                && (dataSet.int(element.tag) ?? 0) > 0 && !dataSet.contains(Tag(element.tag.group, 0x3000))
        }
    }
}
