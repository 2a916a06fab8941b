import DICOMData
import Workflow

/// One body part of bulk data that came with the metadata of instances. PS3.18 §8.6.2, §10.5.1.2.
package struct BulkPart: Sendable {
    package enum Content: Sendable {
        case bytes([UInt8])
        case blob(any BlobReading)
    }

    /// Type and subtype, in lower case.
    package let mediaType: String
    /// Of the media type's `transfer-syntax`; nil for none.
    package let transferSyntaxUID: String?
    package let content: Content

    package init(mediaType: String, transferSyntaxUID: String?, content: Content) {
        self.mediaType = mediaType
        self.transferSyntaxUID = transferSyntaxUID
        self.content = content
    }

    package var count: Int64 {
        switch content {
        case .bytes(let bytes): Int64(bytes.count)
        case .blob(let reader): reader.count
        }
    }

    /// Bytes from an offset on, as many as there are up to a length. Throws ``Workflow/StoreError``.
    package func read(at offset: Int64, upTo length: Int) async throws -> [UInt8] {
        let end = min(count, offset + Int64(length))
        guard offset >= 0, offset < end else { return [] }
        switch content {
        case .bytes(let bytes): return Array(bytes[Int(offset)..<Int(end)])
        case .blob(let reader): return try await reader.read(offset: offset, length: Int(end - offset))
        }
    }
}
