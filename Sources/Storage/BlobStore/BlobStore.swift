import Cryptography
import NIOPosix
import Synchronization
import Workflow

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How a blob store keeps its blobs.
package struct BlobStoreConfiguration: Sendable {
    package enum Encryption: Sendable {
        /// AES-256-GCM, chunk by chunk.
        case aes256GCM(KeyRing)
        /// For disks that are encrypted themselves: content lies in the file as it is. The keys, if there are any, open
        /// what was encrypted before.
        case none(KeyRing? = nil)
    }

    /// The store's folder; `incoming`, `objects` and `set-aside` are made in it.
    package var folder: String
    package var encryption: Encryption
    /// Whether blobs whose id names no form (those of before forms were named) may be unencrypted where encryption is on:
    /// for a store whose encryption was switched on later.
    package var acceptsPlain = false
    /// Bytes of the disk that blobs leave free.
    package var reserveBytes: Int64 = 0
    /// Whether nothing is made or written: for commands that only look.
    package var isReadOnly = false
    /// Bytes of content in a chunk, 65,536 to 262,144: the least that is read and decrypted for a range.
    package var chunkBytes = 256 << 10
    /// Threads for fsync, renames and reads.
    package var threads = 8
    package var entropy: any Entropy = OpenSSLEntropy()
    /// Keeps the keys of erasable blobs; without it there are none.
    package var keeper: (any BlobKeyKeeping)?
    package var files: any BlobFileOperations = SystemFileOperations()
    /// The time of day.
    package var now: @Sendable () -> UTCInstant = { UTCInstant(microseconds: Int64(time(nil)) * 1_000_000) }

    package init(folder: String, encryption: Encryption) {
        self.folder = folder
        self.encryption = encryption
    }

    /// What opens encrypted blobs.
    var keys: KeyRing? {
        switch encryption {
        case .aes256GCM(let ring): ring
        case .none(let ring): ring
        }
    }

    /// The form of new blobs.
    var form: BlobHeader.Algorithm {
        switch encryption {
        case .aes256GCM: .aes256GCM
        case .none: .none
        }
    }
}

/// A folder of blobs: immutable, encrypted at rest, durable once finished.
///
/// A blob is written to `incoming/<id>`, made durable, and renamed to `objects/ab/cd/<id>`, where `abcd` are the id's
/// first characters; then the directory is made durable. A crash leaves a file in `incoming`, or an object that no row
/// names: ``BlobCustodian`` sees to both. A failed fsync stops all further writing: what the kernel dropped cannot be
/// known, and a second fsync would not tell.
package final class BlobStore: BlobStoring {
    let configuration: BlobStoreConfiguration
    let threads: NIOThreadPool
    let buffers: ChunkBuffers
    let writeBuffers: WriteBuffers
    let directories: BlobDirectories
    let leases = BlobLeases()
    package let space: FreeSpace
    private let ids: Mutex<BlobIDSequence>
    private let failed = Mutex<StoreError?>(nil)
    private let held = Mutex(Held())

    /// What ``BlobCustodian`` allows.
    private struct Held {
        var refusal: StoreError?
        var mayUnlink = true
    }

    var files: any BlobFileOperations { configuration.files }

    /// Makes the folders. Removes nothing: that is ``BlobCustodian``'s to decide.
    /// Throws `StoreError(.unavailable)` or `.full`.
    package init(_ configuration: BlobStoreConfiguration) async throws {
        precondition((BlobHeader.chunkBytesMin...BlobHeader.chunkBytesMax).contains(configuration.chunkBytes))
        self.configuration = configuration
        threads = NIOThreadPool(numberOfThreads: configuration.threads)
        threads.start()
        buffers = ChunkBuffers(bytes: configuration.chunkBytes + AESGCM.tagBytes)
        writeBuffers = WriteBuffers(chunkBytes: configuration.chunkBytes)
        directories = BlobDirectories(folder: configuration.folder, files: configuration.files)
        space = FreeSpace(
            at: configuration.folder, reserve: configuration.reserveBytes, files: configuration.files)
        ids = Mutex(BlobIDSequence(entropy: configuration.entropy))
        if configuration.isReadOnly {
            held.withLock {
                $0 = Held(refusal: StoreError(.misuse, "the blob store is open for reading"), mayUnlink: false)
            }
            return
        }
        do {
            try await threads.runIfActive { [directories] in try directories.makeTopLevel() }
        } catch {
            try? await threads.shutdownGracefully()
            throw BlobStore.storeError(error)
        }
    }

    package func create() throws -> any BlobWriting { try create(isErasable: false) }

    package func createErasable() throws -> any BlobWriting { try create(isErasable: configuration.keeper != nil) }

    package func createPassing() throws -> any BlobWriting { try create(isErasable: false, isPassing: true) }

    private func create(isErasable: Bool, isPassing: Bool = false) throws -> any BlobWriting {
        if let failure { throw failure }
        if let refusal = held.withLock({ $0.refusal }) ?? space.refusal() { throw refusal }
        return BlobWriter(
            ids.withLock { $0.next(configuration.form, isErasable: isErasable) }, in: self, isPassing: isPassing)
    }

    /// Whether the key of a blob of this id lies apart from it: without that it is of no use to anybody.
    package static func isErasable(_ id: BlobID) -> Bool { BlobIDSequence.isErasable(id) }

    /// The key of an erasable blob, as it is kept; nil for other blobs, and for one whose key is gone.
    func keptKey(of id: BlobID) async throws -> [UInt8]? {
        BlobIDSequence.isErasable(id) ? try await configuration.keeper?.key(of: id) : nil
    }

    /// Forgets the keys of those that are erasable, at most some hundred, at once.
    func forgetKeys(of ids: [BlobID]) async throws {
        let erasable = ids.filter(BlobIDSequence.isErasable)
        if !erasable.isEmpty { try await configuration.keeper?.forget(erasable) }
    }

    /// What may be done to the folder: whether new blobs are refused, and whether files may be unlinked.
    func hold(refusal: StoreError?, mayUnlink: Bool) {
        held.withLock { $0 = Held(refusal: refusal, mayUnlink: mayUnlink) }
    }

    var mayUnlink: Bool { held.withLock { $0.mayUnlink } }

    package func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value {
        let key = try await keptKey(of: id)
        return try await onThread { [self] in reading(id, key, work) }
    }

    package func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        if BlobIDSequence.isErasable(id) {
            // Its key is asked for first.
            Task {
                do { completion(.success(try await open(id, then: work))) } catch { completion(.failure(error)) }
            }
            return
        }
        threads.submit { [self] state in
            completion(
                state == .active
                    ? reading(id, nil, work) : .failure(StoreError(.closed, "the blob store is closed")))
        }
    }

    package func openPassing(_ id: BlobID) async throws -> any BlobReading {
        guard BlobIDSequence.isLegal(id) else { throw StoreError(.notFound, "no such blob") }
        return try await onThread { [self] in
            Result { try BlobReader(id, path: directories.incomingPath(of: id), in: self) }
        }
    }

    /// Opens a blob and works on it, on the calling thread. Errors as of ``onThread(_:)``.
    private func reading<Value>(
        _ id: BlobID, _ key: [UInt8]?, _ work: (any BlobReading) throws -> Value
    ) -> Result<Value, any Error> {
        let reader: BlobReader
        do { reader = try BlobReader(id, path: try directories.path(of: id), in: self, keptKey: key) } catch {
            return .failure(BlobStore.storeError(error))
        }
        return Result { try work(reader) }.mapError { $0 is BlobFileError ? BlobStore.storeError($0) : $0 }
    }

    /// Runs `work` on a thread of the store. What fails before or is a file's error comes out as a `StoreError`, any
    /// other error of `work` as it is.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Result<Value, any Error>) async throws
        -> Value
    {
        let done: Result<Value, any Error>
        do { done = try await threads.runIfActive(work) } catch { throw BlobStore.storeError(error) }
        do { return try done.get() } catch let error as BlobFileError { throw BlobStore.storeError(error) }
    }

    package func remove(_ id: BlobID) async throws {
        let path = try directories.path(of: id)
        // As a rule it was forgotten with its row: to ask costs the database's one writer nothing.
        if try await keptKey(of: id) != nil { try await forgetKeys(of: [id]) }
        do {
            try await threads.runIfActive { [self] in
                if mayUnlink { return try files.remove(path) }
                // On the word of a database that may be the wrong one nothing is unlinked.
                try setAside([id], from: directories.directory(of: id), reason: .removedUnproven)
            }
        } catch { throw BlobStore.storeError(error) }
    }

    /// Why writing has stopped for good, or nil.
    package var failure: StoreError? { failed.withLock { $0 } }

    /// Ends the store's threads after what they are doing.
    package func close() async { try? await threads.shutdownGracefully() }

    // MARK: Errors

    /// The error as the port says it; a failed fsync, and a failed write other than a full disk, stop the store.
    func note(_ error: any Error) -> StoreError {
        let translated = BlobStore.storeError(error)
        if translated.code == .failed { failed.withLock { if $0 == nil { $0 = translated } } }
        return translated
    }

    static func storeError(_ error: any Error) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? BlobFileError else { return StoreError(.closed, "the blob store: \(error)") }
        return error.meaning
    }
}
