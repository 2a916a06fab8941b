import DICOMData
import DICOMTranslation
import NIOCore
import Workflow

/// The bytes of one stored instance as HTTP may carry them: as stored, or re-coded to Explicit VR Little Endian with
/// its values copied from the blob piece by piece.
struct RetrievedInstance: Sendable {
    /// Bytes read and sent at a time.
    static let pieceBytes = 256 << 10

    let instance: Instance
    let blobs: any BlobStoring

    /// The whole file as stored.
    func sendStored(_ write: (ByteBuffer) async throws -> Void) async throws {
        let reader = try await blobs.open(instance.blobID)
        try await copy(reader, from: 0, count: instance.size, swappingBy: 1, write)
    }

    /// The file re-coded. `header` is the stored header of the same instance.
    func sendRecoded(_ header: StoredHeader, _ write: (ByteBuffer) async throws -> Void) async throws {
        let reader = try await blobs.open(instance.blobID)
        let syntax = TransferSyntax.explicitVRLittleEndian
        let encoder = DataSetEncoder(transferSyntax: syntax)
        var out = try FileMeta(
            sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID, transferSyntax: syntax,
            sourceAETitle: nil
        ).encoded()
        if header.transferSyntax.isDeflated {
            out += try encoder.encode(try await inflated(header))
            try await write(ByteBuffer(bytes: out))
            return
        }
        for element in header.dataSet.elements {
            guard case .external(let value) = element.value, let length = value.length else {
                var single = DataSet()
                single[element.tag] = element
                out += try encoder.encode(single)
                if out.count >= Self.pieceBytes {
                    try await write(ByteBuffer(bytes: out))
                    out = []
                }
                continue
            }
            let padded = length + (length & 1)
            guard padded < Int(UInt32.max) else { throw StoreError(.corrupt, "a value is too long") }
            out += encoder.elementHeader(element.tag, element.vr, length: value.isEncapsulated ? nil : UInt32(padded))
            try await write(ByteBuffer(bytes: out))
            out = []
            try await copy(
                reader, from: Int64(value.offset), count: Int64(length),
                swappingBy: header.transferSyntax.isBigEndian ? element.vr.wordSize : 1, write)
            if padded > length { out.append(0) }
        }
        if !out.isEmpty { try await write(ByteBuffer(bytes: out)) }
    }

    /// The whole data set of a deflated instance, which has no byte ranges; the decoder bounds what it inflates to.
    func inflated(_ header: StoredHeader) async throws -> DataSet {
        let reader = try await blobs.open(instance.blobID)
        let stored = try await reader.read(
            offset: instance.dataSetOffset, length: Int(instance.size - instance.dataSetOffset))
        return try DataSetDecoder(transferSyntax: header.transferSyntax).decode(stored)
    }

    /// A range of the file in pieces, words of `size` bytes turned round. The next piece is read while one is sent.
    /// `first` is the range's first piece when it was read before.
    func copy(
        _ reader: any BlobReading, from offset: Int64, count: Int64, swappingBy size: Int, first: [UInt8]? = nil,
        _ write: (ByteBuffer) async throws -> Void
    ) async throws {
        guard count > 0 else { return }
        var done: Int64 = 0
        var piece: [UInt8]
        if let first {
            piece = first
        } else {
            piece = try await Self.piece(reader, at: offset, left: count)
        }
        while true {
            guard !piece.isEmpty else { throw StoreError(.corrupt, "a blob is shorter than its row says") }
            done += Int64(piece.count)
            if size > 1 {
                for start in stride(from: 0, through: piece.count - size, by: size) {
                    piece[start..<start + size].reverse()
                }
            }
            let left = count - done
            guard left > 0 else { return try await write(ByteBuffer(bytes: piece)) }
            let position = offset + done
            async let next = Self.piece(reader, at: position, left: left)
            try await write(ByteBuffer(bytes: piece))
            piece = try await next
        }
    }

    private static func piece(_ reader: any BlobReading, at offset: Int64, left: Int64) async throws -> [UInt8] {
        try await reader.read(offset: offset, length: Int(min(Int64(pieceBytes), left)))
    }

    /// The opened file with its first piece, to be read while something else must be waited for.
    struct Opened: Sendable {
        let reader: any BlobReading
        let first: [UInt8]
    }

    func open() async throws -> Opened {
        let reader = try await blobs.open(instance.blobID)
        return Opened(reader: reader, first: try await Self.piece(reader, at: 0, left: instance.size))
    }

    /// The whole file as stored, from where `open` got to.
    func sendStored(_ opened: Opened, _ write: (ByteBuffer) async throws -> Void) async throws {
        try await copy(opened.reader, from: 0, count: instance.size, swappingBy: 1, first: opened.first, write)
    }
}
