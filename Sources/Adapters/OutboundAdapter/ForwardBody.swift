import Access
import DICOMData
import DICOMTranslation
import NIOCore
import Workflow

/// The content of a request that stores one instance: the instance is read from the store as the connection takes it.
/// PS3.18 §8.6.1.2.
struct ForwardBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    /// Bytes in memory at a time.
    static let partBytes = 64 << 10

    let pieces: [RecodedDataSet.Piece]
    /// An image that is transcoded as it is sent, behind so many of the pieces; nil for none.
    var decoded: (instance: TranscodedInstance, behind: Int)?
    let reader: any BlobReading
    /// Of what the pieces hold in memory, as long as this is; nil for what a reader has.
    var reservation: MemoryReservation?
    /// Called before so many bytes more are given.
    let pace: @Sendable (Int) async throws -> Void

    /// Bytes of all of it; nil where compressed frames are more than are kept, so that their lengths are not known.
    var count: Int64? {
        var own: Int64 = 0
        if let decoded {
            guard let count = decoded.instance.knownCount else { return nil }
            own = count
        }
        return pieces.reduce(own) { sum, piece in
            switch piece {
            case .bytes(let bytes): sum + Int64(bytes.count)
            case .stored(let range, _): sum + Int64(range.count)
            }
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        let body: ForwardBody
        private var pieces: [RecodedDataSet.Piece]
        private var index = 0
        /// How far a stored range was given.
        private var position: Int64 = 0
        /// The next part of what is decoded; nil before it and behind it.
        private var part: Int?
        private var rest: [RecodedDataSet.Piece] = []

        init(body: ForwardBody) {
            self.body = body
            pieces = body.pieces
            guard let decoded = body.decoded else { return }
            pieces = Array(body.pieces[..<decoded.behind])
            rest = Array(body.pieces[decoded.behind...])
            part = 0
        }

        /// Goes on with the next part of what is decoded, or with what is behind that. False behind all of it.
        private mutating func turn() async throws -> Bool {
            guard let number = part, let decoded = body.decoded else { return false }
            let next = try await decoded.instance.part(number)
            (pieces, index, position) = (next ?? rest, 0, 0)
            part = next == nil ? nil : number + 1
            return true
        }

        mutating func next() async throws -> ByteBuffer? {
            repeat {
                if let bytes = try await nextOfPieces() { return bytes }
            } while try await turn()
            return nil
        }

        private mutating func nextOfPieces() async throws -> ByteBuffer? {
            while index < pieces.count {
                switch pieces[index] {
                case .bytes(let bytes):
                    index += 1
                    if bytes.isEmpty { continue }
                    try await body.pace(bytes.count)
                    return ByteBuffer(bytes: bytes)
                case .stored(let range, let wordSize):
                    let start = range.lowerBound + position
                    // Whole words in each part.
                    let count = Int(Swift.min(Int64(ForwardBody.partBytes), range.upperBound - start))
                    guard count > 0 else {
                        (index, position) = (index + 1, 0)
                        continue
                    }
                    try await body.pace(count)
                    var bytes = try await body.reader.read(offset: start, length: count)
                    guard bytes.count == count else {
                        throw StoreError(.corrupt, "a blob is shorter than its row says")
                    }
                    swapWords(&bytes, size: wordSize)
                    position += Int64(count)
                    return ByteBuffer(bytes: bytes)
                }
            }
            return nil
        }
    }
}
