import DICOMData
import Hummingbird
import NIOCore
import Workflow

/// The inflated data set of a deflated instance, read by ranges and never in memory as a whole: the blob is read and
/// inflated by a window, up to where it is asked for. PS3.5 §A.5.
///
/// Ranges in rising order cost one pass; one that lies before the last begins anew. Inflating is work: not for an event
/// loop.
actor InflatedObject {
    /// Bytes given out at a time.
    static let pieceBytes = 256 << 10

    private let reader: any BlobReading
    /// Where the deflated data set begins in the blob.
    private let start: Int64
    private var stream: InflateStream
    /// In the blob, the next byte to be read.
    private var next: Int64

    /// The inflated data set of a stored instance.
    init(_ instance: Instance, in blobs: any BlobStoring) async throws {
        reader = try await blobs.open(instance.blobID)
        start = instance.dataSetOffset
        next = instance.dataSetOffset
        stream = try InflateStream()
    }

    /// The inflated bytes from `position` on: at least one, at most ``pieceBytes``, none behind `end`; empty when the
    /// data set ends there.
    private func piece(at position: Int, upTo end: Int) async throws -> ByteBuffer {
        if stream.outputBytes > position {
            stream = try InflateStream()
            next = start
        }
        var piece = ByteBuffer()
        while true {
            // To the position in whole windows, whose bytes are passed over.
            let edge = stream.outputBytes < position ? position : end
            let wanted = min(Self.pieceBytes, edge - stream.outputBytes)
            guard wanted > 0 else { return ByteBuffer() }
            let isPassedOver = stream.outputBytes < position
            piece.clear(minimumCapacity: wanted)
            let count = try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { target in
                try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<wanted]))
            }
            if count > 0 {
                if !isPassedOver { return piece }
            } else if stream.isAtEnd {
                return ByteBuffer()
            } else if stream.needsInput {
                let input = try await reader.read(offset: next, length: InflateStream.inputBytesMax)
                guard !input.isEmpty else { throw StoreError(.corrupt, "a deflated data set has no end") }
                next += Int64(input.count)
                stream.feed(input)
            }
            try Task.checkCancellation()
        }
    }

    /// Sends a range. Throws `StoreError(.corrupt)` when the data set ends before it does.
    nonisolated func send(_ range: Range<Int>, to writer: inout any ResponseBodyWriter) async throws {
        var position = range.lowerBound
        while position < range.upperBound {
            let piece = try await wholePiece(at: position, upTo: range.upperBound)
            position += piece.readableBytes
            try await writer.write(piece)
        }
    }

    /// A range in memory.
    nonisolated func bytes(_ range: Range<Int>) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        while bytes.count < range.count {
            bytes += try await wholePiece(at: range.lowerBound + bytes.count, upTo: range.upperBound).readableBytesView
        }
        return bytes
    }

    /// Sends all of it.
    nonisolated func sendAll(to writer: inout any ResponseBodyWriter) async throws {
        var position = 0
        while true {
            let piece = try await piece(at: position, upTo: .max)
            guard piece.readableBytes > 0 else { return }
            position += piece.readableBytes
            try await writer.write(piece)
        }
    }

    private func wholePiece(at position: Int, upTo end: Int) async throws -> ByteBuffer {
        let piece = try await piece(at: position, upTo: end)
        guard piece.readableBytes > 0 else {
            throw StoreError(.corrupt, "a deflated data set is shorter than its index says")
        }
        return piece
    }
}
