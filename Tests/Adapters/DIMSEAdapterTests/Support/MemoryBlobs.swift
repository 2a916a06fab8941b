import Access
import Synchronization
import TestSupport
import Workflow

/// Blobs in memory; how many are being written and how many are durable can be seen.
final class MemoryBlobs: BlobStoring {
    struct State {
        var incoming: Set<String> = []
        var durable: [String: [UInt8]] = [:]
        var next = 0
        /// Thrown by the append that goes over this many bytes.
        var bytesMax = Int.max
    }
    let state = Mutex(State())
    /// Waited for by `finish`.
    let gate: Gate?
    init(gate: Gate? = nil) { self.gate = gate }

    func create() throws -> any BlobWriting {
        let id = state.withLock { state in
            state.next += 1
            let id = "blob-\(state.next)"
            state.incoming.insert(id)
            return id
        }
        return Writer(store: self, id: BlobID(id))
    }
    func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value {
        guard let bytes = state.withLock({ $0.durable[id.value] }) else { throw StoreError(.notFound, "test") }
        return try work(Reader(bytes: bytes))
    }
    func remove(_ id: BlobID) async throws { state.withLock { $0.durable[id.value] = nil } }

    private final class Writer: BlobWriting {
        let id: BlobID
        private let store: MemoryBlobs
        private let bytes = Mutex<[UInt8]>([])
        init(store: MemoryBlobs, id: BlobID) {
            self.store = store
            self.id = id
        }
        var count: Int64 { Int64(bytes.withLock { $0.count }) }
        func append(_ bytes: UnsafeRawBufferPointer) throws {
            let total = self.bytes.withLock { all in
                all.append(contentsOf: bytes)
                return all.count
            }
            if total > store.state.withLock({ $0.bytesMax }) { throw StoreError(.full, "test") }
        }
        func finish() async throws {
            await store.gate?.wait()
            let bytes = bytes.withLock { $0 }
            store.state.withLock { state in
                state.incoming.remove(id.value)
                state.durable[id.value] = bytes
            }
        }
        func abort() { store.state.withLock { state in _ = state.incoming.remove(id.value) } }
    }

    private struct Reader: BlobReading {
        let bytes: [UInt8]
        var count: Int64 { Int64(bytes.count) }
        func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try work()
        }
        func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
            target.copyBytes(from: bytes[Int(offset)..<Int(offset) + target.count])
        }
    }
}
