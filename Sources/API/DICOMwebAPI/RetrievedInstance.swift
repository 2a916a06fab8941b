import DICOMData
import DICOMTranslation
import HTTPSupport
import Hummingbird
import NIOCore
import Workflow

/// One stored instance made anew: its elements encoded, its large values and pixels copied from the blob piece by piece.
struct RetrievedInstance: Sendable {
    /// Bytes of small elements that are gathered before they are sent.
    private static let pieceBytes = 256 << 10

    let instance: Instance
    let blobs: any BlobStoring
    let files: FileConnection?

    /// The file made anew, in `StoredHeader.remadeSyntax(of:)`. `header` is the stored header of the same instance.
    func sendRecoded(_ header: StoredHeader, to writer: inout any ResponseBodyWriter) async throws {
        let syntax = StoredHeader.remadeSyntax(of: header.transferSyntax)
        let meta = try FileMeta(
            sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, transferSyntax: syntax,
            sourceAETitle: nil
        ).encoded()
        var gathered = ByteBuffer(bytes: meta)
        if header.transferSyntax.isDeflated {
            // What a deflated data set inflates to is Explicit VR Little Endian already. PS3.5 §A.5.
            try await writer.write(gathered)
            let inflated = try await InflatedObject(instance, in: blobs)
            if header.instance.subject != nil { return try await send(header, of: inflated, to: &writer) }
            return try await inflated.sendAll(to: &writer)
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

    /// The data set of a deflated instance that is to say of another what it is: what is large goes as it is inflated.
    private func send(
        _ header: StoredHeader, of inflated: InflatedObject, to writer: inout any ResponseBodyWriter
    ) async throws {
        var dataSet = header.dataSet
        if let pixels = header.inflatedPixelData {
            dataSet[pixels.tag] = DataElement(
                pixels.tag, pixels.vr, .external(ExternalValue(offset: pixels.offset, length: pixels.length)))
        }
        let syntax = TransferSyntax.explicitVRLittleEndian
        let recoded = try await RecodedDataSet(dataSet, of: syntax, in: syntax) { range in
            try await inflated.bytes(Int(range.lowerBound)..<Int(range.upperBound))
        }
        for piece in recoded.pieces {
            switch piece {
            case .bytes(let bytes): try await writer.write(ByteBuffer(bytes: bytes))
            case .stored(let range, _):
                try await inflated.send(Int(range.lowerBound)..<Int(range.upperBound), to: &writer)
            }
        }
    }
}
