/// A DICOM file: meta information and one data set. PS3.10 §7.
package struct Part10File: Sendable, Equatable {
    package var meta: FileMeta
    package var dataSet: DataSet
    /// Offset of the data set in the bytes it was read from, 0 for one that was not read.
    package private(set) var dataSetOffset = 0

    package init(meta: FileMeta, dataSet: DataSet) {
        self.meta = meta
        self.dataSet = dataSet
    }

    /// A file for a data set that names its SOP class and instance; missing UIDs are left empty.
    package init(dataSet: DataSet, transferSyntax: TransferSyntax, sourceAETitle: String? = nil) {
        self.init(
            meta: FileMeta(
                sopClassUID: dataSet.uid(.sopClassUID) ?? "", sopInstanceUID: dataSet.uid(.sopInstanceUID) ?? "",
                transferSyntax: transferSyntax, sourceAETitle: sourceAETitle),
            dataSet: dataSet)
    }

    /// Equal when meta information and data set are; where they were read from does not count.
    package static func == (a: Part10File, b: Part10File) -> Bool { a.meta == b.meta && a.dataSet == b.dataSet }

    /// Reads a whole file. Offsets in errors and external values count from the start of the file, except those of a
    /// deflated data set, which count inflated bytes.
    package static func decode(
        _ bytes: [UInt8], limits: DecodingLimits = .default, externalValuesAbove: Int? = nil
    ) throws(DICOMDataError) -> Part10File {
        try bytes.withUnsafeBufferPointer { buffer throws(DICOMDataError) in
            let bytes = UnsafeRawBufferPointer(buffer)
            let (meta, end) = try FileMeta.decode(bytes, limits: limits)
            let decoder = DataSetDecoder(
                transferSyntax: try meta.transferSyntax(), limits: limits, externalValuesAbove: externalValuesAbove)
            var file = Part10File(
                meta: meta, dataSet: try decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[end...]), origin: end))
            file.dataSetOffset = end
            return file
        }
    }

    /// The bytes of the file, the data set in the transfer syntax that the meta information names.
    package func encode(definedLengths: Bool = false) throws(DICOMDataError) -> [UInt8] {
        let encoder = DataSetEncoder(transferSyntax: try meta.transferSyntax(), definedLengths: definedLengths)
        return try meta.encoded() + encoder.encode(dataSet)
    }
}
