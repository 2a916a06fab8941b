import Access
import Hummingbird
import NIOCore
import Synchronization
import Workflow

/// Blobs in memory, without a file of their own; reading them can be made to fail.
final class MemoryBlobs: BlobStoring {
    private let content: [String: [UInt8]]
    /// Reads that begin here or behind fail, as of a damaged chunk.
    private let damagedFrom: Int64
    private let count = Mutex((opened: 0, largest: 0))

    var opened: Int { count.withLock { $0.opened } }
    /// Bytes of the largest single read.
    var largest: Int { count.withLock { $0.largest } }

    init(_ content: [String: [UInt8]], damagedFrom: Int64 = .max) {
        self.content = content
        self.damagedFrom = damagedFrom
    }

    // Kept out of `fill`: with the mutex inlined there, Swift 6.3 leaves `offset` in the register of thrown errors.
    @inline(never) private func note(_ bytes: Int) { count.withLock { $0.largest = max($0.largest, bytes) } }

    func create() throws -> any BlobWriting { throw StoreError(.full, "test") }
    func remove(_ id: BlobID) async throws {}
    func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value {
        guard let bytes = content[id.value] else { throw StoreError(.notFound, "test") }
        count.withLock { $0.opened += 1 }
        return try work(Reader(blobs: self, bytes: bytes))
    }

    private struct Reader: BlobReading {
        let blobs: MemoryBlobs
        let bytes: [UInt8]
        var count: Int64 { Int64(bytes.count) }
        func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try work()
        }
        func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
            blobs.note(target.count)
            guard offset < blobs.damagedFrom else { throw StoreError(.corrupt, "test") }
            bytes.withUnsafeBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[Int(offset)...].prefix(target.count)))
            }
        }
    }
}

/// Keeps what a body writes.
final class BodyLog: Sendable {
    private let state = Mutex((bytes: [UInt8](), writes: 0))
    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var writes: Int { state.withLock { $0.writes } }

    struct Writer: ResponseBodyWriter {
        let log: BodyLog
        mutating func write(_ buffer: ByteBuffer) async throws {
            log.state.withLock {
                $0.bytes += buffer.readableBytesView
                $0.writes += 1
            }
        }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}

/// A store that takes nothing and gives nothing.
struct NoStore: WorkflowStore {
    func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T { throw StoreError(.closed, "test") }
    func read<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T { throw StoreError(.closed, "test") }
}

/// Nothing can be deleted.
struct NoRejections: RejectionDesk {
    func reject(_ request: QuarantineRequest, access: AccessContext) async throws -> RejectionOutcome {
        throw QuarantineService.Refusal.unknown
    }
}

/// Nothing is stored.
struct NoIndex: ImagingIndex {
    func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }
    func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
        throw StoreError(.unavailable, "test")
    }
    func instances(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [Instance] { [] }
    func headers(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [InstanceHeader] { [] }
}
