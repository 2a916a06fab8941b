/// The File Meta Information of a Part 10 file: the elements of group 0002. PS3.10 §7.1.
package struct FileMeta: Sendable, Equatable {
    /// The elements as read or set; the group length is not kept, it is made anew.
    package var dataSet: DataSet

    /// Who wrote the file, as this project says it. PS3.10 §7.1.
    package static let implementationClassUID = "2.25.146892473308264371586302918356437914602"
    /// At most 16 characters.
    package static let implementationVersionName = "HILUM_1"
    /// Preamble and prefix before group 0002.
    package static let prefixBytes = 132

    package init(dataSet: DataSet) { self.dataSet = dataSet }

    /// Meta information for an instance that this project writes.
    package init(
        sopClassUID: String, sopInstanceUID: String, transferSyntax: TransferSyntax, sourceAETitle: String? = nil
    ) {
        var dataSet = DataSet()
        dataSet.set(.fileMetaInformationVersion, .OB, bytes: [0, 1])
        dataSet.set(.mediaStorageSOPClassUID, .UI, string: sopClassUID)
        dataSet.set(.mediaStorageSOPInstanceUID, .UI, string: sopInstanceUID)
        dataSet.set(.transferSyntaxUID, .UI, string: transferSyntax.uid)
        dataSet.set(.implementationClassUID, .UI, string: Self.implementationClassUID)
        dataSet.set(.implementationVersionName, .SH, string: Self.implementationVersionName)
        if let sourceAETitle, !sourceAETitle.isEmpty {
            dataSet.set(.sourceApplicationEntityTitle, .AE, string: sourceAETitle)
        }
        self.dataSet = dataSet
    }

    package var sopClassUID: String? { dataSet.uid(.mediaStorageSOPClassUID) }
    package var sopInstanceUID: String? { dataSet.uid(.mediaStorageSOPInstanceUID) }
    package var transferSyntaxUID: String? { dataSet.uid(.transferSyntaxUID) }

    /// The transfer syntax of the data set that follows. Throws `.transferSyntaxMissing` and `.transferSyntaxUnknown`.
    package func transferSyntax() throws(DICOMDataError) -> TransferSyntax {
        guard let uid = transferSyntaxUID else {
            throw DICOMDataError(.transferSyntaxMissing, at: Self.prefixBytes, in: .transferSyntaxUID)
        }
        guard let syntax = TransferSyntax(uid: uid) else {
            throw DICOMDataError(.transferSyntaxUnknown, at: Self.prefixBytes, in: .transferSyntaxUID)
        }
        return syntax
    }

    /// The bytes of a file up to its data set: a preamble of zeros, `DICM`, and group 0002 in Explicit VR Little Endian
    /// with its true length. Whatever the source's preamble held is not carried on, since it may be executable.
    package func encoded() throws(DICOMDataError) -> [UInt8] {
        var group = dataSet
        group.removeAll { !$0.tag.isFileMeta || $0.tag == .fileMetaInformationGroupLength }
        let encoder = DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true)
        let elements = try encoder.encode(group)
        var bytes = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        bytes += encoder.elementHeader(.fileMetaInformationGroupLength, .UL, length: 4)
        bytes += littleEndianBytes(UInt64(elements.count), 4)
        return bytes + elements
    }

    /// Reads group 0002 of a file and tells where the data set starts. The group ends where another group begins: its
    /// length element is wrong in enough files to be no help.
    ///
    /// Throws `.notPart10`, `.truncated` when the bytes end before the data set starts (at the very end of group 0002
    /// only when `isWhole` is false, since more of it might come), and what elements throw.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, isWhole: Bool = true, limits: DecodingLimits = .default
    ) throws(DICOMDataError) -> (meta: FileMeta, end: Int) {
        guard bytes.count >= prefixBytes else {
            throw DICOMDataError(isWhole ? .notPart10 : .truncated, at: bytes.count)
        }
        guard bytes[128..<prefixBytes].elementsEqual("DICM".utf8) else { throw DICOMDataError(.notPart10, at: 128) }
        var reader = ElementReader(ByteReader(bytes), limits: limits)
        reader.reader.position = prefixBytes
        let coding = ElementReader.Coding(.explicitVRLittleEndian)
        var dataSet = DataSet()
        while true {
            let start = reader.reader.position
            if start >= bytes.count, isWhole { break }
            guard bytes.count - start >= 2 else { throw DICOMDataError(.truncated, at: start) }
            guard bytes[start] == 2, bytes[start + 1] == 0 else { break }
            let header = try reader.elementHeader(end: bytes.count, coding: coding, signed: false, in: dataSet)
            let element = try reader.value(header, end: bytes.count, around: .init(), depth: 0)
            if element.tag != .fileMetaInformationGroupLength { dataSet.put(element) }
        }
        return (FileMeta(dataSet: dataSet), reader.reader.position)
    }
}
