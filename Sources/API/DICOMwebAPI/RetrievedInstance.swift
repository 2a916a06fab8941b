import DICOMData
import DICOMTranslation
import HTTPSupport
import Hummingbird
import NIOCore
import Workflow

/// One stored instance re-coded to Explicit VR Little Endian, its values copied from the blob piece by piece.
struct RetrievedInstance: Sendable {
    /// Bytes of small elements that are gathered before they are sent.
    private static let pieceBytes = 256 << 10

    let instance: Instance
    let blobs: any BlobStoring
    let files: FileConnection?

    /// The file re-coded. `header` is the stored header of the same instance.
    func sendRecoded(_ header: StoredHeader, to writer: inout any ResponseBodyWriter) async throws {
        let syntax = TransferSyntax.explicitVRLittleEndian
        let meta = try FileMeta(
            sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, transferSyntax: syntax,
            sourceAETitle: nil
        ).encoded()
        var gathered = ByteBuffer(bytes: meta)
        if header.transferSyntax.isDeflated {
            // What a deflated data set inflates to is Explicit VR Little Endian already. PS3.5 §A.5.
            try await writer.write(gathered)
            return try await InflatedObject(instance, in: blobs).sendAll(to: &writer)
        }
        let sender = try await BlobSender.open(instance.blobID, in: blobs, range: 0..<0, files: files)
        let recoded = try await RecodedDataSet(header, in: syntax) { range in
            try await sender.reader.read(offset: range.lowerBound, length: range.count)
        }
        for piece in recoded.pieces {
            switch piece {
            case .bytes(let bytes):
                gathered.writeBytes(bytes)
                guard gathered.readableBytes >= Self.pieceBytes else { continue }
                try await writer.write(gathered)
            case .stored(let range, let wordSize):
                try await sender.send(range, swappingBy: wordSize, before: gathered, to: &writer)
            }
            gathered = ByteBuffer()
        }
        if gathered.readableBytes > 0 { try await writer.write(gathered) }
    }
}
