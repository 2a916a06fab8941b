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
        let encoder = DataSetEncoder(transferSyntax: syntax)
        var out = try FileMeta(
            sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, transferSyntax: syntax,
            sourceAETitle: nil
        ).encoded()
        if header.transferSyntax.isDeflated {
            // What a deflated data set inflates to is Explicit VR Little Endian already. PS3.5 §A.5.
            try await writer.write(ByteBuffer(bytes: out))
            return try await InflatedObject(instance, in: blobs).sendAll(to: &writer)
        }
        let sender = try await BlobSender.open(instance.blobID, in: blobs, range: 0..<0, files: files)
        for element in header.dataSet.elements {
            guard case .external(let value) = element.value, let length = value.length else {
                var single = DataSet()
                single[element.tag] = element
                let values = try await values(in: single, header.transferSyntax, sender)
                out += try encoder.encode(single) { values[$0.offset] }
                if out.count >= Self.pieceBytes {
                    try await writer.write(ByteBuffer(bytes: out))
                    out = []
                }
                continue
            }
            let padded = length + (length & 1)
            guard padded < Int(UInt32.max) else { throw StoreError(.corrupt, "a value is too long") }
            out += encoder.elementHeader(element.tag, element.vr, length: value.isEncapsulated ? nil : UInt32(padded))
            try await sender.send(
                Int64(value.offset)..<Int64(value.offset) + Int64(length),
                swappingBy: header.transferSyntax.isBigEndian ? element.vr.wordSize : 1,
                before: ByteBuffer(bytes: out), to: &writer)
            out = padded > length ? [0] : []
        }
        if !out.isEmpty { try await writer.write(ByteBuffer(bytes: out)) }
    }

    /// The values of items that were left in the file, in little endian, by their offset. They were held in memory when
    /// the instance came, and are bounded as it was.
    private func values(
        in dataSet: DataSet, _ syntax: TransferSyntax, _ sender: BlobSender
    ) async throws -> [Int: [UInt8]] {
        var values: [Int: [UInt8]] = [:]
        for element in dataSet.elements {
            if case .external(let value) = element.value, let length = value.length {
                var bytes = try await sender.reader.read(offset: Int64(value.offset), length: length)
                guard bytes.count == length else { throw StoreError(.corrupt, "a blob is shorter than its row says") }
                let size = syntax.isBigEndian ? element.vr.wordSize : 1
                if size > 1 {
                    for word in stride(from: 0, through: bytes.count - size, by: size) {
                        bytes[word..<word + size].reverse()
                    }
                }
                values[value.offset] = bytes
            }
            for item in element.items ?? [] {
                values.merge(try await self.values(in: item, syntax, sender)) { first, _ in first }
            }
        }
        return values
    }
}
