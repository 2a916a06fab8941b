import Access

/// One DICOM object as an export tells of it.
package struct ExportedObject: Sendable {
    package var studyInstanceUID: String
    package var seriesInstanceUID: String
    package var sopInstanceUID: String
    package var sopClassUID: String
    package var transferSyntaxUID: String
    /// Bytes of the Part 10 file.
    package var size: Int64
    /// SHA-256 of the Part 10 file, 32 bytes.
    package var digest: [UInt8]
    /// The file that was made for the export; nil where it is the stored one.
    package var file: (any BlobWriting)?

    package init(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, sopClassUID: String,
        transferSyntaxUID: String, size: Int64, digest: [UInt8], file: (any BlobWriting)? = nil
    ) {
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.sopInstanceUID = sopInstanceUID
        self.sopClassUID = sopClassUID
        self.transferSyntaxUID = transferSyntaxUID
        self.size = size
        self.digest = digest
        self.file = file
    }
}

/// The port by which an export has the DICOM objects of its studies.
package protocol ExportObjectSource: Sendable {
    /// The destinations of the site whose de-identification an export may ask for.
    var deidentifications: Set<String> { get }
    /// Objects of a study behind a place, in the order of series and numbers, at most `limit`; what the caller may not see
    /// is not there.
    func instances(
        of studyInstanceUID: String, after: Instance.Place?, limit: Int, access: AccessContext
    ) async throws -> [Instance]
    /// An object as it is stored, or as a destination would be sent it de-identified, in a file of its own. Nil for one
    /// that cannot be read, or whose identifying parts cannot be taken out. Throws `StoreError`.
    func object(_ instance: Instance, deidentifiedFor destination: String?) async throws -> ExportedObject?
}
