import Access
import DICOMData
import DICOMRendering
import DICOMTranslation
import Workflow

/// Values of an instance's header that were left in its file and that rendering needs: tables, overlays, graphics.
struct ValuesInFile: Sendable {
    /// The header with them in their places.
    let dataSet: DataSet
    /// Their memory; for whoever keeps the data set, or what is made of it, for as long.
    let held: MemoryReservation

    /// Reads them.
    ///
    /// - Parameter read: a range of the file, or of what a deflated data set inflates to.
    ///
    /// Throws `StoreError` `.unavailable` where there is no memory for them, and what `read` throws.
    static func brought(
        _ header: StoredHeader, memory: MemoryBudget, read: (Range<Int>) async throws -> [UInt8]
    ) async throws -> ValuesInFile {
        var whole = header.dataSet
        let reservation = memory.reservation()
        var held = 0
        for path in ImageRendering.externalPaths(in: header.dataSet) {
            guard let element = header.dataSet.element(at: path), case .external(let value) = element.value,
                let length = value.length
            else { continue }
            held += length
            guard held <= 4 * ImageRendering.valueBytesMax, reservation.grow(to: held) else {
                throw StoreError(.unavailable, "no memory for the tables and overlays of an image")
            }
            var bytes = try await read(value.offset..<value.offset + length)
            let size = element.vr.wordSize
            if header.transferSyntax.isBigEndian, size > 1 {
                for start in stride(from: 0, to: bytes.count - size + 1, by: size) {
                    bytes[start..<start + size].reverse()
                }
            }
            whole.put(bytes, at: path)
        }
        return ValuesInFile(dataSet: whole, held: reservation)
    }

    /// The same of an instance without pixels.
    static func brought(
        _ header: StoredHeader, blobs: any BlobStoring, memory: MemoryBudget
    ) async throws -> ValuesInFile {
        guard !ImageRendering.externalPaths(in: header.dataSet).isEmpty else {
            return ValuesInFile(dataSet: header.dataSet, held: memory.reservation())
        }
        if header.transferSyntax.isDeflated {
            let inflated = try await InflatedObject(header.instance, in: blobs)
            return try await brought(header, memory: memory) { try await inflated.bytes($0) }
        }
        let reader = try await blobs.open(header.instance.blobID)
        return try await brought(header, memory: memory) { range in
            let bytes = try await reader.read(offset: Int64(range.lowerBound), length: range.count)
            guard bytes.count == range.count else {
                throw StoreError(.corrupt, "an object is shorter than its index says")
            }
            return bytes
        }
    }
}
