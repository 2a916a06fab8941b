import DICOMData
import Workflow

/// One body part of bulk data that came with the metadata of instances. PS3.18 §8.6.2, §10.5.1.2.
package struct BulkPart: Sendable {
    package enum Content: Sendable {
        case bytes([UInt8])
        case blob(count: Int64, open: @Sendable () async throws -> any BlobReading)
        /// As long as it is read.
        case opened(any BlobReading)
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
        case .blob(let count, _): count
        case .opened(let reader): reader.count
        }
    }

    /// The same, whose file is opened once for all reads. Throws ``Workflow/StoreError``.
    package func opened() async throws -> BulkPart {
        guard case .blob(_, let open) = content else { return self }
        return BulkPart(
            mediaType: mediaType, transferSyntaxUID: transferSyntaxUID, content: .opened(try await open()))
    }

    /// Bytes from an offset on, as many as there are up to a length. Throws ``Workflow/StoreError``.
    package func read(at offset: Int64, upTo length: Int) async throws -> [UInt8] {
        let end = min(count, offset + Int64(length))
        guard offset >= 0, offset < end else { return [] }
        switch content {
        case .bytes(let bytes): return Array(bytes[Int(offset)..<Int(end)])
        case .blob(_, let open): return try await open().read(offset: offset, length: Int(end - offset))
        case .opened(let reader): return try await reader.read(offset: offset, length: Int(end - offset))
        }
    }
}
