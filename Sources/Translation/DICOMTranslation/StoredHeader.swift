import DICOMData
import Workflow

/// The header of a stored instance: every attribute, with large values named by where they lie in the file.
package struct StoredHeader: Sendable {
    package let instance: Instance
    /// Large values and pixel data are `.external`; their offsets count from the start of the Part 10 file.
    package let dataSet: DataSet
    package let pixelData: PixelDataLocation?
    package let transferSyntax: TransferSyntax

    /// Throws when the stored bytes are not what ingest wrote.
    package init(_ stored: InstanceHeader) throws {
        guard let syntax = TransferSyntax(uid: stored.instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        var dataSet: DataSet
        do {
            dataSet = try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(stored.header)
        } catch {
            throw StoreError(.corrupt, "a stored header cannot be read: \(error)")
        }
        for value in stored.bulk {
            guard let tag = Tag(hex: value.path), let vr = VR(value.vr) else { continue }
            dataSet[tag] = DataElement(
                tag, vr, .external(ExternalValue(offset: Int(value.offset), length: Int(value.length))))
        }
        pixelData = FrameIndex.decode(stored.frameIndex)
        if let pixelData {
            dataSet[pixelData.tag] = DataElement(
                pixelData.tag, pixelData.vr,
                .external(
                    ExternalValue(
                        offset: pixelData.offset, length: pixelData.length, isEncapsulated: pixelData.fragments != nil)))
        } else if stored.instance.numberOfFrames > 0 {
            // Deflated: the pixels have no place of their own in the file.
            dataSet[.pixelData] = DataElement(.pixelData, .OW, .external(ExternalValue(offset: 0, length: nil)))
        }
        instance = stored.instance
        self.dataSet = dataSet
        transferSyntax = syntax
    }

    /// Where the frames lie; nil without pixel data and for deflated instances.
    package var layout: PixelDataLayout? {
        pixelData.flatMap { PixelDataLayout($0, of: dataSet, transferSyntax: transferSyntax) }
    }

    /// The attributes to keep beside the row, and the values left in the file.
    static func split(_ scanned: ScannedInstance) -> (kept: DataSet, bulk: [ReceivedInstance.BulkValue]) {
        var kept = scanned.dataSet
        var bulk: [ReceivedInstance.BulkValue] = []
        for element in scanned.dataSet.elements {
            if element.tag.isPixelData {
                kept.remove(element.tag)
            } else if case .external(let value) = element.value {
                kept.remove(element.tag)
                bulk.append(
                    ReceivedInstance.BulkValue(
                        path: element.tag.hex, vr: element.vr.description, offset: Int64(value.offset),
                        length: Int64(value.length ?? 0)))
            }
        }
        return (kept, bulk)
    }
}
