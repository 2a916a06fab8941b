import HTTPSupport
import Hummingbird
import NIOCore
import Workflow

/// An opened blob on its way into one response: ranges of it leave through the kernel where the connection and the
/// store's form allow that, else piece by piece, the next one being read while one is sent.
struct BlobSender: Sendable {
    /// Bytes that are read on opening, so that most objects are whole by then.
    static let firstBytesMax = 1 << 20
    /// Bytes read and sent at a time beyond the first piece.
    static let pieceBytes = 256 << 10
    /// Bytes of a plain file that are brought into memory and handed to the kernel at a time.
    static let windowBytes = 1 << 20
    /// 16 buffers of at most 1 MiB are kept.
    private static let buffers = RecycledBuffers(countMax: 16)

    let reader: any BlobReading
    /// Where the kernel sends from, when it does.
    private let plain: PlainSource?
    /// The content from `firstOffset` on, read on opening.
    private let first: ByteBuffer?
    private let firstOffset: Int64

    /// A blob's plain file and the connection that can send of it.
    private struct PlainSource: Sendable {
        let connection: FileConnection
        let file: SentFile
        /// Where in the file the content begins.
        let offset: Int64

        init(_ connection: FileConnection, _ plain: PlainBlobFile, of reader: any BlobReading) {
            self.connection = connection
            file = SentFile(descriptor: plain.descriptor, owner: reader)
            offset = plain.offset
        }

        /// A range of the content.
        func piece(_ range: Range<Int64>) -> FileConnection.Piece {
            .file(file, (offset + range.lowerBound)..<(offset + range.upperBound))
        }
    }

    /// Makes a range of an opened blob ready to be sent, as far as memory is spent on it at once. Blocking.
    /// Throws `StoreError(.corrupt)` when the range ends behind the blob.
    init(opened reader: any BlobReading, _ range: Range<Int64>, _ files: FileConnection?) throws {
        try Self.check(range, in: reader)
        self.reader = reader
        if let files, let file = reader.plainFile {
            try reader.preload(min(range.count, Self.windowBytes), at: range.lowerBound)
            (plain, first, firstOffset) = (PlainSource(files, file, of: reader), nil, 0)
            return
        }
        let count = min(range.count, Self.firstBytesMax)
        plain = nil
        first = count == 0 ? nil : try Self.buffers.filled(count) { try reader.fill($0, at: range.lowerBound) }
        firstOffset = range.lowerBound
    }

    private static func check(_ range: Range<Int64>, in reader: any BlobReading) throws {
        guard range.lowerBound >= 0, range.upperBound <= reader.count else {
            throw StoreError(.corrupt, "a blob is shorter than its row says")
        }
    }

    /// Opens a blob and makes a range of it ready to be sent. Throws `StoreError(.corrupt)` when the range ends behind
    /// the blob.
    static func open(
        _ id: BlobID, in blobs: any BlobStoring, range: Range<Int64>, files: FileConnection?
    ) async throws -> BlobSender {
        try await blobs.open(id) { try BlobSender(opened: $0, range, files) }
    }

    /// Makes a whole blob of at most `firstBytesMax` bytes ready to leave in one step, between what is to stand `before`
    /// and `after` it. Fails with `StoreError(.corrupt)` when it has not `count` bytes.
    static func pieces(
        of id: BlobID, count: Int, in blobs: any BlobStoring, files: FileConnection?, before: ByteBuffer?,
        after: ByteBuffer?
    ) -> MemoryAnswer.Preparation {
        let whole = 0..<Int64(count)
        return { completion in
            blobs.open(
                id,
                then: { reader in
                    guard reader.count == whole.upperBound else {
                        throw StoreError(.corrupt, "a blob is not as long as its row says")
                    }
                    let sender = try BlobSender(opened: reader, whole, files)
                    let content = sender.plain?.piece(whole) ?? sender.first.map { .bytes($0) }
                    return [before.map { .bytes($0) }, content, after.map { .bytes($0) }].compactMap { $0 }
                }, completion: completion)
        }
    }

    /// The whole of a range as bytes, when it is in memory.
    func wholeContent(_ range: Range<Int64>) -> ByteBuffer? {
        guard plain == nil, let first, firstOffset == range.lowerBound, first.readableBytes == range.count else {
            return nil
        }
        return first
    }

    /// Sends a range between what is to stand `before` and `after` it, in little endian when its words of `size` bytes
    /// are in big endian. Throws `StoreError(.corrupt)` when the range ends behind the blob; part of it may have been
    /// sent by then, so that the response must not be ended.
    func send(
        _ range: Range<Int64>, swappingBy size: Int = 1, before: ByteBuffer? = nil, after: ByteBuffer? = nil,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        try Self.check(range, in: reader)
        if range.isEmpty {
            if let before { try await writer.write(before) }
            if let after { try await writer.write(after) }
        } else if let plain, size == 1 {
            try await sendFile(range, before, after, plain)
        } else {
            try await sendBytes(range, size, before, after, &writer)
        }
    }

    private func sendBytes(
        _ range: Range<Int64>, _ size: Int, _ before: ByteBuffer?, _ after: ByteBuffer?,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        var piece: ByteBuffer
        if let first, firstOffset == range.lowerBound, first.readableBytes <= range.count, size == 1 {
            piece = first
        } else {
            piece = try await read(range, swappingBy: size)
        }
        var position = range.lowerBound
        while true {
            let next = position + Int64(piece.readableBytes)
            var parts: [ByteBuffer] = []
            if position == range.lowerBound, let before { parts.append(before) }
            parts.append(piece)
            if next == range.upperBound {
                if let after { parts.append(after) }
                return try await writer.write(contentsOf: parts)
            }
            piece = try await read(next..<range.upperBound, swappingBy: size) {
                try await writer.write(contentsOf: parts)
            }
            position = next
        }
    }

    /// The first bytes of a range, read while `writing` goes on.
    private func read(
        _ range: Range<Int64>, swappingBy size: Int, while writing: () async throws -> Void
    ) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask { try await read(range, swappingBy: size) }
            try await writing()
            guard let piece = try await group.next() else { throw CancellationError() }
            return piece
        }
    }

    /// The first bytes of a range, whole words.
    private func read(_ range: Range<Int64>, swappingBy size: Int) async throws -> ByteBuffer {
        let count = min(range.count, Self.pieceBytes)
        return try await reader.perform {
            try Self.buffers.filled(count) { target in
                try reader.fill(target, at: range.lowerBound)
                guard size > 1, count >= size else { return }
                for start in stride(from: 0, through: count - size, by: size) {
                    var word = UnsafeMutableRawBufferPointer(rebasing: target[start..<start + size])
                    word.reverse()
                }
            }
        }
    }

    private func sendFile(
        _ range: Range<Int64>, _ before: ByteBuffer?, _ after: ByteBuffer?, _ plain: PlainSource
    ) async throws {
        var position = range.lowerBound
        while position < range.upperBound {
            let next = min(position + Int64(Self.windowBytes), range.upperBound)
            var pieces: [FileConnection.Piece] = []
            if position == range.lowerBound, let before { pieces.append(.bytes(before)) }
            pieces.append(plain.piece(position..<next))
            if next == range.upperBound {
                if let after { pieces.append(.bytes(after)) }
                return try await plain.connection.write(pieces)
            }
            try await withThrowingTaskGroup(of: Void.self) { [pieces] group in
                group.addTask { try await reader.perform { try reader.preload(Self.windowBytes, at: next) } }
                try await plain.connection.write(pieces)
                try await group.next()
            }
            position = next
        }
    }
}
