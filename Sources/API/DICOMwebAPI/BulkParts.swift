import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import NIOCore
import Synchronization
import Workflow

/// The bulk data of one request, by its Content-Location: small parts in memory, others as passing blobs, which go with the
/// request and are never made durable. Only what the metadata names is kept, and nothing but parts is ever looked for.
final class BulkParts: Sendable {
    /// A part of more bytes goes to the disk.
    static let inMemoryBytesMax = 256 << 10
    /// What a part is counted as in memory beside its bytes, so that empty ones have their limit, too.
    static let partWeight = 512
    /// Places that the metadata of one request names.
    static let placesMax = 100_000

    private struct State {
        /// Where each URI of the metadata stands in `found`.
        var places: [String: Int] = [:]
        var found: [[BulkPart]] = []
        /// Their writers hold the blobs as long as the request goes on.
        var spooled: [any BlobWriting] = []
        var current: Current?
        var bytes: Int64 = 0
        var heldBytes = 0
    }
    private struct Current {
        var place: Int
        var mediaType: String
        var transferSyntaxUID: String?
        var bytes: [UInt8] = []
        var blob: (any BlobWriting)?
    }

    private let blobs: any BlobStoring
    private let reservation: MemoryReservation
    let bytesMax: Int64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - reservation: for what is in memory.
    ///   - bytesMax: of all parts.
    init(blobs: any BlobStoring, reservation: MemoryReservation, bytesMax: Int64) {
        self.blobs = blobs
        self.reservation = reservation
        self.bytesMax = bytesMax
    }

    /// Holds so many bytes of memory more. Throws `.unavailable`.
    func hold(_ bytes: Int) throws {
        let isHeld = state.withLock { state in
            state.heldBytes = max(state.heldBytes, bytes)
            return reservation.grow(to: state.heldBytes)
        }
        if !isHeld { throw Self.noMemory }
    }

    private static var noMemory: HTTPFailure {
        HTTPFailure(
            .unavailable, "there is no memory for the request now; try again", headers: [.retryAfter: "2"],
            closesConnection: true)
    }

    /// Whether so many bytes of memory are to be had beside what is held, for what is made of the parts now.
    func mayHold(_ bytes: Int) -> Bool { state.withLock { reservation.grow(to: $0.heldBytes + bytes) } }

    /// The place of a URI of the metadata, as the offset of an external value. Nil, which makes the metadata unreadable, for
    /// one place too many.
    func external(_ uri: String, _ tag: Tag) -> ExternalValue? {
        state.withLock { state in
            if let known = state.places[uri] { return ExternalValue(offset: known, length: nil) }
            guard state.found.count < Self.placesMax else { return nil }
            state.places[uri] = state.found.count
            state.found.append([])
            return ExternalValue(offset: state.found.count - 1, length: nil)
        }
    }

    /// What came for a place, in order.
    func parts(at place: Int) -> [BulkPart] {
        state.withLock { $0.found.indices.contains(place) ? $0.found[place] : [] }
    }

    /// Begins a part; false when the metadata names no such place. Throws `.unavailable` where there is no memory for it.
    func begin(at location: String, _ type: MediaType) throws -> Bool {
        try state.withLock { state in
            guard let place = state.places[location] else { return false }
            state.heldBytes += Self.partWeight
            guard reservation.grow(to: state.heldBytes) else { throw Self.noMemory }
            state.current = Current(place: place, mediaType: type.essence, transferSyntaxUID: type["transfer-syntax"])
            return true
        }
    }

    /// Throws ``HTTPFailure`` for more than may be held, and what the blob store throws.
    func append(_ piece: ByteBuffer) throws {
        try state.withLock { state in
            // Taken out, so that its bytes are not copied with every piece.
            guard var current = state.current.take() else { return }
            state.bytes += Int64(piece.readableBytes)
            guard state.bytes <= bytesMax else {
                throw HTTPFailure(.tooLarge, "more than \(bytesMax) bytes of bulk data", closesConnection: true)
            }
            if let blob = current.blob {
                try piece.withUnsafeReadableBytes { try blob.append($0) }
            } else if current.bytes.count + piece.readableBytes > Self.inMemoryBytesMax {
                let blob = try blobs.createPassing()
                current.blob = blob
                state.spooled.append(blob)
                try current.bytes.withUnsafeBytes { try blob.append($0) }
                try piece.withUnsafeReadableBytes { try blob.append($0) }
                state.heldBytes -= current.bytes.count
                current.bytes = []
            } else {
                state.heldBytes += piece.readableBytes
                guard reservation.grow(to: state.heldBytes) else { throw Self.noMemory }
                current.bytes += piece.readableBytesView
            }
            state.current = current
        }
    }

    /// Ends the part.
    func end() async throws {
        let current = state.withLock { state in
            defer { state.current = nil }
            return state.current
        }
        guard let current else { return }
        var content = BulkPart.Content.bytes(current.bytes)
        if let blob = current.blob {
            try await blob.finish()
            let (blobs, id) = (blobs, blob.id)
            // Not kept open: a request may have more parts than a process may open files.
            content = .blob(count: blob.count, open: { try await blobs.openPassing(id) })
        }
        let part = BulkPart(
            mediaType: current.mediaType, transferSyntaxUID: current.transferSyntaxUID, content: content)
        state.withLock { $0.found[current.place].append(part) }
    }

    /// Removes what went to the disk. What cannot be removed now, the sweep removes.
    func remove() async {
        let spooled = state.withLock { state in
            defer { state = State() }
            return state.spooled
        }
        for blob in spooled {
            blob.abort()
            // Of a store without passing blobs.
            try? await blobs.remove(blob.id)
        }
    }
}
