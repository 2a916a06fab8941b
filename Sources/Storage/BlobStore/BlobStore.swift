import NIOPosix
import Synchronization
import Workflow

/// How a blob store keeps its blobs.
package struct BlobStoreConfiguration: Sendable {
    package enum Encryption: Sendable {
        /// AES-256-GCM, chunk by chunk.
        case aes256GCM(KeyRing)
        /// For disks that are encrypted themselves: content lies in the file as it is.
        case none
    }

    /// The store's folder; `incoming` and `objects` are made in it.
    package var folder: String
    package var encryption: Encryption
    /// Bytes of content in a chunk, 65,536 to 262,144: the least that is read and decrypted for a range.
    package var chunkBytes = 256 << 10
    /// Threads for fsync, renames and reads.
    package var threads = 8
    package var entropy: any Entropy = OpenSSLEntropy()
    package var files: any BlobFileOperations = SystemFileOperations()

    package init(folder: String, encryption: Encryption) {
        self.folder = folder
        self.encryption = encryption
    }
}

/// A folder of blobs: immutable, encrypted at rest, durable once finished.
///
/// A blob is written to `incoming/<id>`, made durable, and renamed to `objects/ab/cd/<id>`, where `abcd` are the id's
/// first characters; then the directory is made durable. A crash leaves a file in `incoming`, which the next start
/// removes, or an object that no row names, which `sweep` removes. A failed fsync stops all further writing: what the
/// kernel dropped cannot be known, and a second fsync would not tell.
package final class BlobStore: BlobStoring {
    let configuration: BlobStoreConfiguration
    let threads: NIOThreadPool
    let buffers: ChunkBuffers
    let writeBuffers: WriteBuffers
    let directories: BlobDirectories
    private let ids: Mutex<BlobIDSequence>
    private let failed = Mutex<StoreError?>(nil)

    var files: any BlobFileOperations { configuration.files }

    /// Makes the folders and removes what an earlier process left unfinished.
    /// Throws `StoreError(.unavailable)` or `.full`.
    package init(_ configuration: BlobStoreConfiguration) async throws {
        precondition((BlobHeader.chunkBytesMin...BlobHeader.chunkBytesMax).contains(configuration.chunkBytes))
        self.configuration = configuration
        threads = NIOThreadPool(numberOfThreads: configuration.threads)
        threads.start()
        buffers = ChunkBuffers(bytes: configuration.chunkBytes + AESGCM.tagBytes)
        writeBuffers = WriteBuffers(chunkBytes: configuration.chunkBytes)
        directories = BlobDirectories(folder: configuration.folder, files: configuration.files)
        ids = Mutex(BlobIDSequence(entropy: configuration.entropy))
        do {
            try await threads.runIfActive { [directories] in
                try directories.makeTopLevel()
                for name in try configuration.files.names(in: directories.incoming) {
                    try configuration.files.remove(directories.incoming + "/" + name)
                }
            }
        } catch {
            try? await threads.shutdownGracefully()
            throw BlobStore.storeError(error)
        }
    }

    package func create() throws -> any BlobWriting {
        if let failure { throw failure }
        return BlobWriter(ids.withLock { $0.next() }, in: self)
    }

    package func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value {
        try await onThread { [self] in reading(id, work) }
    }

    package func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        threads.submit { [self] state in
            completion(
                state == .active
                    ? reading(id, work) : .failure(StoreError(.closed, "the blob store is closed")))
        }
    }

    /// Opens a blob and works on it, on the calling thread. Errors as of ``onThread(_:)``.
    private func reading<Value>(_ id: BlobID, _ work: (any BlobReading) throws -> Value) -> Result<Value, any Error> {
        let reader: BlobReader
        do { reader = try BlobReader(id, path: try directories.path(of: id), in: self) } catch {
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
        do { try await threads.runIfActive { [files] in try files.remove(path) } } catch {
            throw BlobStore.storeError(error)
        }
    }

    /// Encrypts a blob's data key anew for the current master key; the content is not touched.
    /// - Returns: false when it is under the current key already, or not encrypted.
    package func rewrap(_ id: BlobID) async throws -> Bool {
        guard case .aes256GCM(let ring) = configuration.encryption else { return false }
        let path = try directories.path(of: id)
        do {
            return try await threads.runIfActive { [files, entropy = configuration.entropy] in
                let descriptor = try files.openForUpdating(path)
                defer { files.close(descriptor) }
                var header = try BlobReader.readHeader(descriptor, files)
                if header.algorithm == .none || header.slots.first?.keyID == ring.current.id { return false }
                header.wrap(try header.dataKey(ring), for: ring.current, nonce: entropy.bytes(AESGCM.nonceBytes))
                // 256 bytes at the start of the file lie within one disk sector, which is written whole or not at all.
                try header.encoded.withUnsafeBytes { try files.write(descriptor, $0, at: 0) }
                try files.synchronize(descriptor)
                return true
            }
        } catch { throw note(error) }
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
        switch (error.operation, error.code) {
        case (.synchronize, _), (.synchronizeDirectory, _):
            return StoreError(.failed, "a blob could not be made durable (\(error)); restart the server")
        case (_, BlobFileError.noSpace), (_, BlobFileError.overQuota):
            return StoreError(.full, "no space for blobs (\(error))")
        case (.write, BlobFileError.inputOutput):
            return StoreError(.failed, "the disk refuses writes (\(error)); restart the server")
        case (.read, BlobFileError.inputOutput): return StoreError(.corrupt, "the disk cannot be read (\(error))")
        case (.open, BlobFileError.noEntry): return StoreError(.notFound, "no such blob")
        default: return StoreError(.unavailable, "the blob store: \(error)")
        }
    }
}
