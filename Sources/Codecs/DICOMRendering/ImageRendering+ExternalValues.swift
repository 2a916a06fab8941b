import DICOMData

extension ImageRendering {
    /// Bytes of one value that is brought from the file: an overlay of 16 million pixels has 2 MiB for a frame.
    package static let valueBytesMax = 32 << 20
    /// Of graphics and frame numbers: more of these than are drawn or shown.
    static let listBytesMax = 1 << 20

    /// Where in a header the values lie that rendering needs and that were left in the file: data of look-up tables,
    /// overlays, graphics, frame numbers and the colour profile. At most 256.
    package static func externalPaths(in header: DataSet) -> [ElementPath] {
        var paths: [ElementPath] = []
        walk(header, in: [], &paths)
        return paths
    }

    private static func walk(_ dataSet: DataSet, in steps: [ElementPath.Step], _ paths: inout [ElementPath]) {
        for element in dataSet.elements where paths.count < 256 {
            switch element.value {
            case .external(let value):
                guard isNeeded(element.tag, atTop: steps.isEmpty), let length = value.length,
                    length <= (lists.contains(element.tag) ? listBytesMax : valueBytesMax), !value.isEncapsulated
                else { continue }
                paths.append(ElementPath(element.tag, in: steps))
            case .items(let items) where steps.count < 4 && sequences.contains(element.tag):
                for (index, item) in items.enumerated() {
                    walk(item, in: steps + [ElementPath.Step(sequence: element.tag, item: index)], &paths)
                }
            default: continue
            }
        }
    }

    private static let sequences: Set<Tag> = [
        .modalityLUTSequence, .voilutSequence, .sharedFunctionalGroupsSequence, .perFrameFunctionalGroupsSequence,
        .frameVOILUTSequence, .opticalPathSequence, .softcopyVOILUTSequence, .presentationLUTSequence,
        .graphicAnnotationSequence, .graphicObjectSequence, .referencedSeriesSequence, .referencedImageSequence,
        .contentSequence, .referencedSOPSequence,
    ]

    private static let values: Set<Tag> = [
        .lutData, .redPaletteColorLookupTableData, .greenPaletteColorLookupTableData, .bluePaletteColorLookupTableData,
        .segmentedRedPaletteColorLookupTableData, .segmentedGreenPaletteColorLookupTableData,
        .segmentedBluePaletteColorLookupTableData, .iccProfile, .graphicData, .referencedFrameNumber,
    ]

    private static let lists: Set<Tag> = [.graphicData, .referencedFrameNumber]

    private static func isNeeded(_ tag: Tag, atTop: Bool) -> Bool {
        if values.contains(tag) { return true }
        return atTop && (0x6000...0x601E).contains(tag.group) && tag.group % 2 == 0 && tag.element == 0x3000
    }
}

extension DataSet {
    /// Puts a value that was brought from the file into the place that a path leads to; nothing where there is none.
    package mutating func put(_ bytes: [UInt8], at path: ElementPath) { put(bytes, path.tag, at: path.steps[...]) }

    private mutating func put(_ bytes: [UInt8], _ tag: Tag, at steps: ArraySlice<ElementPath.Step>) {
        guard let step = steps.first else {
            if let element = self[tag] { self[tag] = DataElement(tag, element.vr, bytes: bytes) }
            return
        }
        guard var items = self[step.sequence]?.items, items.indices.contains(step.item) else { return }
        items[step.item].put(bytes, tag, at: steps.dropFirst())
        self[step.sequence] = DataElement(step.sequence, .SQ, .items(items))
    }
}
