import DICOMData
import Workflow

/// A stored instance in another transfer syntax without compression: what its bytes are made of, its large values left
/// where they lie. PS3.5 §7, Annex A.
package struct RecodedDataSet: Sendable {
    package enum Piece: Sendable, Hashable {
        case bytes([UInt8])
        /// A range of the Part 10 file, whose words of `wordSize` bytes are to be turned round unless that is 1.
        case stored(Range<Int64>, wordSize: Int)
    }

    /// Bytes that are gathered in one piece, about.
    private static let pieceBytes = 64 << 10

    package let pieces: [Piece]

    /// Whether an instance of one syntax can be had in another of little endian: what is compressed cannot. What a
    /// deflated one inflates to is Explicit VR Little Endian as it is. PS3.5 §A.5.
    package static func isPossible(from stored: TransferSyntax, to syntax: TransferSyntax) -> Bool {
        if stored.isDeflated {
            return stored == .deflatedExplicitVRLittleEndian && syntax == .explicitVRLittleEndian
        }
        return !stored.isEncapsulated && !syntax.isEncapsulated && !syntax.isDeflated && !syntax.isBigEndian
    }

    /// - Parameter read: The bytes of a range of the Part 10 file: values in items that were left in it.
    ///
    /// Throws `StoreError(.corrupt)` for a value of 4 GiB, and what `read` throws.
    package init(
        _ header: StoredHeader, in syntax: TransferSyntax, reading read: (Range<Int64>) async throws -> [UInt8]
    ) async throws {
        try await self.init(header.dataSet, of: header.transferSyntax, in: syntax, reading: read)
    }

    /// The same of a data set that was changed since: what it has left in the file lies there in the `stored` syntax.
    /// Compressed pixel data goes as it lies there, into its own syntax.
    package init(
        _ dataSet: DataSet, of stored: TransferSyntax, in syntax: TransferSyntax,
        reading read: (Range<Int64>) async throws -> [UInt8]
    ) async throws {
        let encoder = DataSetEncoder(transferSyntax: syntax)
        var pieces: [Piece] = []
        var gathered: [UInt8] = []
        func flush() {
            if !gathered.isEmpty { pieces.append(.bytes(gathered)) }
            gathered = []
        }
        for element in dataSet.elements {
            guard case .external(let value) = element.value, let length = value.length else {
                var single = DataSet()
                single[element.tag] = element
                let values = try await Self.values(in: single, stored, read)
                gathered += try encoder.encode(single) { values[$0.offset] }
                if gathered.count >= Self.pieceBytes { flush() }
                continue
            }
            if value.isEncapsulated {
                guard stored == syntax else { throw StoreError(.misuse, "compressed pixels have one syntax") }
                gathered += encoder.elementHeader(element.tag, element.vr, length: nil)
                flush()
                pieces.append(.stored(Int64(value.offset)..<Int64(value.offset) + Int64(length), wordSize: 1))
                continue
            }
            let padded = length + (length & 1)
            guard padded < Int(UInt32.max) else { throw StoreError(.corrupt, "a value is too long") }
            // A value too long for the 16-bit length of its VR goes as UN. PS3.5 §6.2.2.
            let goesAsUN = !syntax.isImplicit && !element.vr.hasLongLength && padded > 0xFFFE
            gathered += encoder.elementHeader(element.tag, goesAsUN ? .UN : element.vr, length: UInt32(padded))
            flush()
            pieces.append(
                .stored(
                    Int64(value.offset)..<Int64(value.offset) + Int64(length),
                    wordSize: stored.isBigEndian ? element.vr.wordSize : 1))
            if padded > length { gathered.append(element.vr.padding) }
        }
        flush()
        self.pieces = pieces
    }

    /// The values of items that were left in the file, in little endian, by their offset. They were held in memory when
    /// the instance came, and are bounded as it was.
    private static func values(
        in dataSet: DataSet, _ syntax: TransferSyntax, _ read: (Range<Int64>) async throws -> [UInt8]
    ) async throws -> [Int: [UInt8]] {
        var values: [Int: [UInt8]] = [:]
        for element in dataSet.elements {
            if case .external(let value) = element.value, let length = value.length {
                var bytes = try await read(Int64(value.offset)..<Int64(value.offset) + Int64(length))
                guard bytes.count == length else { throw StoreError(.corrupt, "a blob is shorter than its row says") }
                if syntax.isBigEndian { swapWords(&bytes, size: element.vr.wordSize) }
                values[value.offset] = bytes
            }
            for item in element.items ?? [] {
                values.merge(try await self.values(in: item, syntax, read)) { first, _ in first }
            }
        }
        return values
    }
}
