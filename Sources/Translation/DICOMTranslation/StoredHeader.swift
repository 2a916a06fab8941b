import DICOMData
import Workflow

/// The header of a stored instance: every attribute, with large values named by where they lie in the file. It says whose
/// the instance is as the index does (``ObjectSubject``).
package struct StoredHeader: Sendable {
    package let instance: Instance
    /// Large values and pixel data are `.external`; their offsets count from the start of the Part 10 file.
    package let dataSet: DataSet
    package let pixelData: PixelDataLocation?
    /// Of a deflated instance, where the pixels lie in its inflated data set.
    package let inflatedPixelData: PixelDataLocation?
    package let transferSyntax: TransferSyntax

    /// Throws when the stored bytes are not what ingest wrote.
    package init(_ stored: InstanceHeader) throws {
        guard let syntax = TransferSyntax(uid: stored.instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        var dataSet: DataSet
        do {
            dataSet = try DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(stored.header)
        } catch {
            throw StoreError(.corrupt, "a stored header cannot be read: \(error)")
        }
        for value in stored.bulk {
            guard let path = ElementPath(text: value.path), let vr = VR(value.vr) else { continue }
            let external = ExternalValue(
                offset: Int(value.offset), length: Int(value.length),
                isEncapsulated: value.isEncapsulated
                    ?? (path.tag.isPixelData && !path.steps.isEmpty && syntax.isEncapsulated))
            Self.put(DataElement(path.tag, vr, .external(external)), at: path.steps[...], in: &dataSet)
        }
        let location = FrameIndex.decode(stored.frameIndex)
        if let location {
            // In a deflated file the pixels have no place of their own.
            dataSet[location.tag] = DataElement(
                location.tag, location.vr,
                .external(
                    ExternalValue(
                        offset: location.offset, length: syntax.isDeflated ? nil : location.length,
                        isEncapsulated: location.fragments != nil)))
        }
        pixelData = syntax.isDeflated ? nil : location
        inflatedPixelData = syntax.isDeflated ? location : nil
        instance = stored.instance
        self.dataSet =
            instance.subject.map { $0.stated(in: dataSet, source: stored.instance.receivedFrom) } ?? dataSet
        transferSyntax = syntax
    }

    /// In which the object is made anew, its pixels as they are stored: what is compressed in its own syntax, what is not
    /// in Explicit VR Little Endian.
    package static func remadeSyntax(of stored: TransferSyntax) -> TransferSyntax {
        stored.isEncapsulated && !stored.isDeflated ? stored : .explicitVRLittleEndian
    }

    /// Where the frames lie; nil without pixel data and for deflated instances.
    package var layout: PixelDataLayout? {
        pixelData.flatMap { PixelDataLayout($0, of: dataSet, transferSyntax: transferSyntax) }
    }

    /// Where the frames of a deflated instance lie in its inflated data set.
    package var inflatedLayout: PixelDataLayout? {
        inflatedPixelData.flatMap { PixelDataLayout($0, of: dataSet, transferSyntax: .explicitVRLittleEndian) }
    }

    private static func put(_ element: DataElement, at steps: ArraySlice<ElementPath.Step>, in dataSet: inout DataSet) {
        guard let step = steps.first else {
            dataSet[element.tag] = element
            return
        }
        guard var items = dataSet[step.sequence]?.items, step.item < items.count else { return }
        put(element, at: steps.dropFirst(), in: &items[step.item])
        dataSet[step.sequence] = DataElement(step.sequence, .SQ, .items(items))
    }

    /// The attributes to keep beside the row, and the values left in the file, those inside sequences too.
    static func split(_ scanned: ScannedInstance) -> (kept: DataSet, bulk: [ReceivedInstance.BulkValue]) {
        var bulk: [ReceivedInstance.BulkValue] = []
        var kept = scanned.dataSet
        for tag in [Tag.pixelData, .floatPixelData, .doubleFloatPixelData] { kept.remove(tag) }
        // Offsets in a deflated data set count inflated bytes, of which the file has none.
        return (strip(kept, in: [], into: &bulk), bulk)
    }

    private static func strip(
        _ dataSet: DataSet, in steps: [ElementPath.Step], into bulk: inout [ReceivedInstance.BulkValue]
    ) -> DataSet {
        var kept = dataSet
        for element in dataSet.elements {
            switch element.value {
            case .external(let value):
                kept.remove(element.tag)
                bulk.append(
                    ReceivedInstance.BulkValue(
                        path: ElementPath(element.tag, in: steps).description, vr: element.vr.description,
                        offset: Int64(value.offset), length: Int64(value.length ?? 0),
                        isEncapsulated: value.isEncapsulated))
            case .items(let items):
                let stripped = items.enumerated().map { index, item in
                    strip(item, in: steps + [ElementPath.Step(sequence: element.tag, item: index)], into: &bulk)
                }
                if stripped != items { kept[element.tag] = DataElement(element.tag, element.vr, .items(stripped)) }
            case .bytes, .fragments: continue
            }
        }
        return kept
    }
}
