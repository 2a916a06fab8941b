/// The name of a blob: 26 to 64 characters of `[a-z0-9-]`, random, never from the wire.
package struct BlobID: Sendable, Hashable, Codable, CustomStringConvertible {
    package let value: String
    package init(_ value: String) { self.value = value }
    package var description: String { value }
    package init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(String.self) }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// The port to the blob store: immutable byte strings, encrypted at rest, durable when `finish` returns.
package protocol BlobStoring: Sendable {
    /// Starts a new blob. Cheap and synchronous: usable on an event loop. Throws `StoreError(.failed)`.
    func create() throws -> any BlobWriting
    /// Opens a blob for reading and does `work` with it in the same turn on the store's own threads, where it may
    /// call what blocks. Throws `.notFound`, `.corrupt`, and what `work` throws.
    func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value
    /// The same for a caller that does not suspend: `completion` is called once, on any thread, and must return soon.
    func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void)
    /// Removes a blob. Not an error when it is not there.
    func remove(_ id: BlobID) async throws
    /// As ``create()``, for content that is to be gone once it is removed, whatever becomes of its bytes on the disk: where
    /// the store encrypts, its key lies apart from it and is removed first.
    func createErasable() throws -> any BlobWriting
    /// As ``create()``, for content that only its writer's owner reads, and that is gone when the writer is: `finish` makes
    /// nothing durable, and no row may name it. To be read by ``openPassing(_:)``.
    func createPassing() throws -> any BlobWriting
    /// Opens a blob of ``createPassing()`` whose writer has finished and lives. Throws `.notFound`.
    func openPassing(_ id: BlobID) async throws -> any BlobReading
}

extension BlobStoring {
    package func createErasable() throws -> any BlobWriting { try create() }
    package func createPassing() throws -> any BlobWriting { try create() }
    package func openPassing(_ id: BlobID) async throws -> any BlobReading { try await open(id) }

    /// Opens a blob for reading. Throws `.notFound`.
    package func open(_ id: BlobID) async throws -> any BlobReading { try await open(id) { $0 } }

    package func open<Value: Sendable>(
        _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        Task {
            do { completion(.success(try await open(id, then: work))) } catch { completion(.failure(error)) }
        }
    }
}

/// The port to whoever keeps the keys of erasable blobs apart from them. The keys are wrapped: they open nothing by
/// themselves.
package protocol BlobKeyKeeping: Sendable {
    /// Keeps a blob's key. Durable when it returns.
    func keep(_ wrapped: [UInt8], of id: BlobID) async throws
    /// Nil for one that is not kept, or not any more.
    func key(of id: BlobID) async throws -> [UInt8]?
    /// Forgets the keys of blobs, at most some hundred, at once and durably. Not an error where there is none.
    func forget(_ ids: [BlobID]) async throws
}

/// One blob being written, by one caller at a time. As long as this object lives, finished or not, the store does not take
/// the blob for one that no row names: it is held until the commit of the row.
package protocol BlobWriting: AnyObject, Sendable {
    var id: BlobID { get }
    /// Bytes of content appended so far.
    var count: Int64 { get }
    /// Whether the blob lay in the store before: then it stays also when its content is refused.
    var wasStored: Bool { get }
    /// Appends content, to memory and, of a blob that is larger than a few chunks, by synchronous writes into the page
    /// cache. Throws `StoreError` with `.full`, `.failed` or `.unavailable`.
    func append(_ bytes: UnsafeRawBufferPointer) throws
    /// Flushes, fsyncs the file, renames it to its final name, fsyncs the directory. After it the blob is durable.
    func finish() async throws
    /// Removes the incoming file. Safe to call at any time, also after a failed `finish`.
    func abort()
}

extension BlobWriting {
    package var wasStored: Bool { false }
}

/// Random access to one blob's content. Safe for concurrent use.
package protocol BlobReading: Sendable {
    /// Bytes of content.
    var count: Int64 { get }
    /// Runs `work` on the store's own threads, where it may call what blocks.
    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
    /// Fills `target` with the content from `offset` on. Blocks. Throws `.misuse` for a range that does not lie within
    /// the content, and `.corrupt` for damaged bytes: what `target` holds then must not be used.
    func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws
    /// The file whose bytes are the content itself (encryption off), so that the kernel can send them; else nil.
    var plainFile: PlainBlobFile? { get }
    /// Has a range of the plain file brought into memory, so that who sends it need not wait for the disk. Blocks.
    func preload(_ length: Int, at offset: Int64) throws
}

/// The content of a blob as a range of an open file. The descriptor is the reader's and valid as long as it lives.
package struct PlainBlobFile: Sendable, Hashable {
    package let descriptor: Int32
    /// Where in the file the content begins, in bytes.
    package let offset: Int64

    package init(descriptor: Int32, offset: Int64) {
        self.descriptor = descriptor
        self.offset = offset
    }
}

extension BlobReading {
    /// Reads up to `length` bytes at `offset` (fewer only at the end). Wrong or damaged bytes are never returned:
    /// throws `.corrupt`; `.misuse` for a range before the start. Blocking work runs on the store's own threads.
    package func read(offset: Int64, length: Int) async throws -> [UInt8] {
        guard offset >= 0, length >= 0 else { throw StoreError(.misuse, "a range before the start") }
        let length = Int(min(Int64(length), max(count - offset, 0)))
        if length == 0 { return [] }
        return try await perform {
            try [UInt8](unsafeUninitializedCapacity: length) { target, done in
                try fill(UnsafeMutableRawBufferPointer(target), at: offset)
                done = length
            }
        }
    }

    package var plainFile: PlainBlobFile? { nil }
    package func preload(_ length: Int, at offset: Int64) throws {}
}
