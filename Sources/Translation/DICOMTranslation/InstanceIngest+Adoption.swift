import Access
import Synchronization
import Workflow

/// Registers objects that lie in the store and that no row names: by the same way as what comes through a door, so with the
/// same reconciliation and the same audit rows.
extension InstanceIngest {
    /// Registers a stored object under the blob it lies in, or, should today's form of a file differ from the one that
    /// lies there, under a new blob of the same content; the old one then stays as it is.
    /// - Parameters:
    ///   - id: the blob.
    ///   - reader: its content.
    ///   - place: brings the blob to where rows find it; called once it is known to be an object that can be registered.
    /// Throws ``IngestFailure`` `.notUnderstood` for content that is no Part 10 file, without an audit row.
    package func adopt(
        _ id: BlobID, from reader: any BlobReading, place: @escaping @Sendable () async throws -> Void,
        access: AccessContext
    ) async throws -> Outcome {
        try await checkFile(reader)
        let stored = IncomingInstance(blob: LyingBlob(id, reader, place: place), limits: limits, keepsSource: true)
        do {
            try await feed(reader, to: stored)
        } catch LyingBlob.Difference.other {
            let anew = try beginFile()
            do { try await feed(reader, to: anew) } catch {
                abort(anew)
                throw error
            }
            return await finish(anew, receivedFrom: Self.adopted, access: access)
        }
        return await finish(stored, receivedFrom: Self.adopted, access: access)
    }

    /// Whether a stored object could be registered, as far as its bytes tell. Throws ``IngestFailure``.
    package func inspect(_ id: BlobID, from reader: any BlobReading) async throws {
        try await checkFile(reader)
        let stored = IncomingInstance(blob: LyingBlob(id, reader) {}, limits: limits, keepsSource: true)
        do { try await feed(reader, to: stored) } catch LyingBlob.Difference.other { return }
        _ = try stored.finishScan()
    }

    /// Stands as the sender of an adopted instance.
    private static let adopted = "adopt"

    /// PS3.10 §7.1: 128 bytes, then `DICM`.
    private func checkFile(_ reader: any BlobReading) async throws {
        let head = try await reader.read(offset: 0, length: 132)
        guard head.count == 132, head[128...].elementsEqual("DICM".utf8) else {
            throw IngestFailure(.notUnderstood, "not a DICOM file")
        }
    }

    private func feed(_ reader: any BlobReading, to incoming: IncomingInstance) async throws {
        try await reader.perform {
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            var offset: Int64 = 0
            while offset < reader.count {
                let part = Int(min(Int64(buffer.count), reader.count - offset))
                try buffer.withUnsafeMutableBytes { buffer in
                    let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<part])
                    try reader.fill(bytes, at: offset)
                    do { try incoming.append(UnsafeRawBufferPointer(bytes)) } catch {
                        // What the blob refused to be is not a fault of the object.
                        if (incoming.blob as? LyingBlob)?.differs == true { throw LyingBlob.Difference.other }
                        throw error
                    }
                }
                offset += Int64(part)
            }
        }
    }
}

/// A blob that lies in the store, in the place of one being written: what is appended must be what lies there.
private final class LyingBlob: BlobWriting {
    enum Difference: Error { case other }

    private struct State {
        var count: Int64 = 0
        var differs = false
    }
    let id: BlobID
    let wasStored = true
    private let reader: any BlobReading
    private let place: @Sendable () async throws -> Void
    private let state = Mutex(State())

    init(_ id: BlobID, _ reader: any BlobReading, place: @escaping @Sendable () async throws -> Void) {
        self.id = id
        self.reader = reader
        self.place = place
    }

    var count: Int64 { state.withLock { $0.count } }
    var differs: Bool { state.withLock { $0.differs } }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        let start = count
        var lying = [UInt8](repeating: 0, count: bytes.count)
        var isSame = Int64(bytes.count) <= reader.count - start
        if isSame {
            try lying.withUnsafeMutableBytes { try reader.fill($0, at: start) }
            isSame = lying.elementsEqual(bytes)
        }
        state.withLock { state in
            state.count += Int64(bytes.count)
            if !isSame { state.differs = true }
        }
        if !isSame { throw Difference.other }
    }

    func finish() async throws {
        guard !differs, count == reader.count else {
            throw StoreError(.corrupt, "the stored object is not as it was read")
        }
        try await place()
    }

    func abort() {}
}
