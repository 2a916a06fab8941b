import DICOMData
import Workflow

@testable import DICOMTranslation

/// A stored object in memory.
struct Blob: BlobReading {
    let bytes: [UInt8]
    var count: Int64 { Int64(bytes.count) }
    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try work()
    }
    func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        guard offset >= 0, Int(offset) + target.count <= bytes.count else { throw StoreError(.misuse, "test") }
        target.copyBytes(from: bytes[Int(offset)..<Int(offset) + target.count])
    }

    /// What would be sent for a piece.
    func bytes(of piece: RecodedDataSet.Piece) -> [UInt8] {
        switch piece {
        case .bytes(let bytes): return bytes
        case .stored(let range, let size):
            var bytes = Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            if size > 1 {
                for word in stride(from: 0, to: bytes.count, by: size) { bytes[word..<word + size].reverse() }
            }
            return bytes
        }
    }
}
