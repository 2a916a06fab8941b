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
    /// Opens a blob for reading. Throws `.notFound`.
    func open(_ id: BlobID) async throws -> any BlobReading
    /// Removes a blob. Not an error when it is not there.
    func remove(_ id: BlobID) async throws
}

/// One blob being written, by one caller at a time.
package protocol BlobWriting: AnyObject, Sendable {
    var id: BlobID { get }
    /// Bytes of content appended so far.
    var count: Int64 { get }
    /// Appends content, to memory and, of a blob that is larger than a few chunks, by synchronous writes into the page
    /// cache. Throws `StoreError` with `.full`, `.failed` or `.unavailable`.
    func append(_ bytes: UnsafeRawBufferPointer) throws
    /// Flushes, fsyncs the file, renames it to its final name, fsyncs the directory. After it the blob is durable.
    func finish() async throws
    /// Removes the incoming file. Safe to call at any time, also after a failed `finish`.
    func abort()
}

/// Random access to one blob's content. Safe for concurrent use.
package protocol BlobReading: Sendable {
    /// Bytes of content.
    var count: Int64 { get }
    /// Reads up to `length` bytes at `offset` (fewer only at the end). Wrong or damaged bytes are never returned:
    /// throws `.corrupt`. Blocking work runs on the store's own threads.
    func read(offset: Int64, length: Int) async throws -> [UInt8]
    /// The plain file and the offset of its content, when the bytes on disk are the content itself
    /// (encryption off), so that the kernel can send them.
    var plainFile: (path: String, offset: Int64)? { get }
}
