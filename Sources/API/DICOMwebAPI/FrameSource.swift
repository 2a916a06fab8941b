import Access
import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import Hummingbird
import NIOCore
import Workflow

/// Where an instance's frames are read from: ranges of the blob, or, of a deflated instance, of what it inflates to.
struct FrameSource: Sendable {
    /// A frame whose bits must be moved is brought into memory whole, in bytes at most.
    static let movedBytesMax = 64 << 20

    let layout: PixelDataLayout
    /// Of a deflated instance.
    private let inflated: InflatedObject?
    /// For a frame that is brought into memory.
    private let memory: MemoryBudget

    /// Throws ``HTTPFailure`` `.notFound` when the instance has no pixels, or pixels without a readable description.
    init(_ header: StoredHeader, blobs: any BlobStoring, memory: MemoryBudget) async throws {
        guard let layout = header.layout ?? header.inflatedLayout else {
            throw HTTPFailure(.notFound, "this instance has no readable frames")
        }
        self.layout = layout
        self.memory = memory
        inflated =
            header.transferSyntax.isDeflated ? try await InflatedObject(header.instance, in: blobs) : nil
    }

    /// Encapsulated pixel data that a path of the header leads to. Its item headers are read where the header does not
    /// keep them, in an item; throws `.notFound` where they are none.
    init(
        of value: ExternalValue, at path: ElementPath, _ header: StoredHeader, blobs: any BlobStoring,
        memory: MemoryBudget
    ) async throws {
        inflated = nil
        self.memory = memory
        if path.steps.isEmpty, let layout = header.layout {
            self.layout = layout
            return
        }
        let length = value.length ?? 0
        guard length <= Self.movedBytesMax, let item = header.dataSet.dataSet(holding: path),
            let vr = item[path.tag]?.vr
        else { throw HTTPFailure(.notFound, "this instance has no such pixel data") }
        let bytes = try await blobs.open(header.instance.blobID).read(offset: Int64(value.offset), length: length)
        var scanner = FragmentScanner(offset: value.offset)
        do throws(DICOMDataError) {
            _ = try bytes.withUnsafeBufferPointer { bytes throws(DICOMDataError) in
                try scanner.consume(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw HTTPFailure(.notFound, "this pixel data cannot be read")
        }
        let location = PixelDataLocation(
            tag: path.tag, vr: vr, offset: value.offset, length: length, basicOffsetTable: scanner.basicOffsetTable,
            fragments: scanner.fragments)
        guard let layout = PixelDataLayout(location, of: item, transferSyntax: header.transferSyntax) else {
            throw HTTPFailure(.notFound, "this pixel data cannot be read")
        }
        self.layout = layout
    }

    /// Whether a frame leaves as it lies in the file, so that a part of it can be read and sent by itself.
    func isSentAsStored(_ frame: PixelDataLayout.Frame) -> Bool {
        inflated == nil && layout.isStoredAsSent(frame) && frame.sentByteCount == frame.byteCount
    }

    /// Where in the file a part of a frame lies that leaves as it is stored; `part` counts the frame's bytes.
    static func ranges(_ part: Range<Int64>, of frame: PixelDataLayout.Frame) -> [Range<Int64>] {
        var start: Int64 = 0
        return frame.ranges.compactMap { range in
            defer { start += Int64(range.count) }
            let low = max(part.lowerBound - start, 0)
            let high = min(part.upperBound - start, Int64(range.count))
            guard low < high else { return nil }
            return Int64(range.lowerBound) + low..<Int64(range.lowerBound) + high
        }
    }

    /// Whether sending is work, which an event loop has no time for.
    var isWork: Bool { inflated != nil }

    /// A frame, counted from 1. Throws `.notFound`, and `.notAcceptable` for one too large to have its bits moved.
    func frame(_ number: Int) throws(HTTPFailure) -> PixelDataLayout.Frame {
        guard let frame = layout.frame(number - 1) else { throw HTTPFailure(.notFound, "there is no frame \(number)") }
        guard swapped(frame) != nil || frame.byteCount <= Self.movedBytesMax else {
            throw HTTPFailure(.notAcceptable, "frame \(number) is too large to be sent from its first bit")
        }
        return frame
    }

    /// Opens the blob and makes the first of the frames ready; nil for inflated pixels.
    func open(
        _ instance: Instance, in blobs: any BlobStoring, first: PixelDataLayout.Frame, files: FileConnection?
    ) async throws -> BlobSender? {
        if inflated != nil { return nil }
        let range = first.ranges.first ?? 0..<0
        return try await BlobSender.open(
            instance.blobID, in: blobs, range: Int64(range.lowerBound)..<Int64(range.upperBound), files: files)
    }

    /// Sends one frame as DICOMweb wants it, between what is to stand `before` and `after` it. PS3.18 §8.7.3.
    func send(
        _ frame: PixelDataLayout.Frame, from sender: BlobSender?, before: ByteBuffer? = nil, after: ByteBuffer? = nil,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        if let sender, let size = swapped(frame) {
            for (index, range) in frame.ranges.enumerated() {
                try await sender.send(
                    Int64(range.lowerBound)..<Int64(range.upperBound), swappingBy: size,
                    before: index == 0 ? before : nil, after: index == frame.ranges.count - 1 ? after : nil,
                    to: &writer)
            }
            return
        }
        if let inflated, swapped(frame) == 1 {
            if let before { try await writer.write(before) }
            for range in frame.ranges { try await inflated.send(range, to: &writer) }
            if let after { try await writer.write(after) }
            return
        }
        // In memory as stored, moved and as sent.
        let reservation = memory.reservation()
        guard reservation.grow(to: 3 * frame.byteCount) else {
            throw StoreError(.unavailable, "no memory for a frame whose bits are moved")
        }
        defer { reservation.release() }
        let moved = try await content(of: frame, from: sender)
        try await writer.write(contentsOf: [before, ByteBuffer(bytes: moved), after].compactMap { $0 })
    }

    /// One frame in memory, as DICOMweb wants it.
    func content(of frame: PixelDataLayout.Frame, from sender: BlobSender?) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frame.byteCount)
        for range in frame.ranges {
            if let inflated {
                bytes += try await inflated.bytes(range)
            } else {
                bytes += try await self.bytes(range, sender)
            }
        }
        return layout.rearranged(bytes, of: frame)
    }

    /// A frame in memory, in the form that is sent.
    ///
    /// - Parameter reader: of the instance's blob; nil for inflated pixels.
    func bytes(of frame: PixelDataLayout.Frame, from reader: (any BlobReading)?) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frame.byteCount)
        for range in frame.ranges { bytes += try await self.bytes(range, from: reader) }
        return layout.rearranged(bytes, of: frame)
    }

    /// A range of the file, or of what a deflated data set inflates to. Throws `StoreError(.corrupt)` where that ends
    /// before.
    func bytes(_ range: Range<Int>, from reader: (any BlobReading)?) async throws -> [UInt8] {
        if let inflated { return try await inflated.bytes(range) }
        let bytes = try await reader?.read(offset: Int64(range.lowerBound), length: range.count) ?? []
        guard bytes.count == range.count else {
            throw StoreError(.corrupt, "an object is shorter than its index says")
        }
        return bytes
    }

    /// The size of the words to turn round when a frame's ranges can be sent one by one; nil when bits must be moved.
    private func swapped(_ frame: PixelDataLayout.Frame) -> Int? {
        if layout.isStoredAsSent(frame) { return 1 }
        guard case .native(_, _, let frameBits) = layout.kind, layout.isBigEndian, frame.bitOffset == 0,
            frameBits % (8 * layout.wordSize) == 0
        else { return nil }
        return layout.wordSize
    }

    private func bytes(_ range: Range<Int>, _ sender: BlobSender?) async throws -> [UInt8] {
        let bytes = try await sender?.reader.read(offset: Int64(range.lowerBound), length: range.count) ?? []
        guard bytes.count == range.count else {
            throw StoreError(.corrupt, "pixel data is shorter than its index says")
        }
        return bytes
    }
}
