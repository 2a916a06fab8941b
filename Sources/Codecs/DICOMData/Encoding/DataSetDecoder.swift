/// Bytes to a data set, in any transfer syntax. PS3.5 §7, Annex A.
package struct DataSetDecoder: Sendable {
    package var transferSyntax: TransferSyntax
    package var limits: DecodingLimits
    /// Bulk values (OB, OD, OF, OL, OV, OW, UN) longer than this many bytes are not copied but given as `.external`,
    /// in the byte order of the source. For a deflated data set their offsets count inflated bytes. nil copies all.
    package var externalValuesAbove: Int?

    package init(
        transferSyntax: TransferSyntax, limits: DecodingLimits = .default, externalValuesAbove: Int? = nil
    ) {
        self.transferSyntax = transferSyntax
        self.limits = limits
        self.externalValuesAbove = externalValuesAbove
    }

    /// Where and why a decoder that was told to stop did so.
    package struct Stop: Sendable, Equatable {
        package let tag: Tag
        package let vr: VR
        /// Offset of the element's tag.
        package let offset: Int
        /// Offset of the first byte of its value field.
        package let valueOffset: Int
        /// nil for undefined length.
        package let length: Int?
    }

    /// A whole data set. Throws every code of `DICOMDataError` up to `.deflateBomb`.
    package func decode(_ bytes: [UInt8]) throws(DICOMDataError) -> DataSet {
        try bytes.withUnsafeBufferPointer { buffer throws(DICOMDataError) in try decode(UnsafeRawBufferPointer(buffer))
        }
    }

    package func decode(_ bytes: ArraySlice<UInt8>) throws(DICOMDataError) -> DataSet {
        try bytes.withUnsafeBufferPointer { buffer throws(DICOMDataError) in try decode(UnsafeRawBufferPointer(buffer))
        }
    }

    /// A whole data set from bytes whose first one is at `origin` of the input.
    package func decode(_ bytes: UnsafeRawBufferPointer, origin: Int = 0) throws(DICOMDataError) -> DataSet {
        if transferSyntax.isDeflated {
            let inflated = try Inflater.inflated(bytes, limits: limits)
            var decoder = self
            decoder.transferSyntax = .explicitVRLittleEndian
            return try decoder.decode(inflated)
        }
        var reader = elementReader(bytes, origin: origin)
        return try reader.dataSet(
            end: bytes.count, coding: Self.coding(transferSyntax, bytes), around: .init(), depth: 0)
    }

    /// The elements before the first top-level one whose tag is `stopTag` or above, by default the pixel data, and
    /// where that one is; nil when the data set ends before. Only the bytes up to its header are read, so a prefix of
    /// the data set is enough. Not for deflated data sets: throws `.transferSyntaxUnknown`.
    package func decode(
        _ bytes: [UInt8], before stopTag: Tag = .floatPixelData
    ) throws(DICOMDataError) -> (dataSet: DataSet, stop: Stop?) {
        guard !transferSyntax.isDeflated else { throw DICOMDataError(.transferSyntaxUnknown, at: 0) }
        return try bytes.withUnsafeBufferPointer { buffer throws(DICOMDataError) in
            let bytes = UnsafeRawBufferPointer(buffer)
            let coding = Self.coding(transferSyntax, bytes)
            var reader = elementReader(bytes, origin: 0)
            var dataSet = DataSet()
            var around = ElementReader.Surroundings()
            while reader.reader.position < bytes.count {
                let header = try reader.elementHeader(
                    end: bytes.count, coding: coding, signed: around.isSigned, in: dataSet)
                if header.tag >= stopTag {
                    return (
                        dataSet,
                        Stop(
                            tag: header.tag, vr: header.vr, offset: header.offset, valueOffset: header.valueOffset,
                            length: header.length)
                    )
                }
                if header.tag.group == 0xFFFE {
                    throw DICOMDataError(.unexpectedTag, at: header.offset, in: header.tag)
                }
                around.characterSet = dataSet.characterSet
                let element = try reader.value(header, end: bytes.count, around: around, depth: 0)
                try reader.keep(element, in: &dataSet, &around)
            }
            return (dataSet, nil)
        }
    }

    private func elementReader(_ bytes: UnsafeRawBufferPointer, origin: Int) -> ElementReader {
        ElementReader(
            ByteReader(bytes, origin: origin), limits: limits, externalAbove: externalValuesAbove ?? .max)
    }

    /// The coding that the first element shows. Senders that announce Explicit VR and write Implicit, or the other way
    /// round, exist; two letters at the place of the VR tell them apart, since a first element of more than 16 KiB
    /// whose length spells a VR does not occur.
    static func coding(_ syntax: TransferSyntax, _ bytes: UnsafeRawBufferPointer) -> ElementReader.Coding {
        var coding = ElementReader.Coding(syntax)
        guard bytes.count >= 8, !syntax.isBigEndian else { return coding }
        let code = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        if coding.isImplicit, VR(rawValue: code) != nil { coding.isImplicit = false }
        if !coding.isImplicit, !ElementReader.isLetters(code), bytes[6] == 0, bytes[7] == 0 { coding.isImplicit = true }
        return coding
    }
}
