/// The file operations of the blob store: the seam at which tests inject a full disk or a failing fsync.
///
/// Every call blocks. Every failure throws `BlobFileError` with the errno of the system call.
package protocol BlobFileOperations: Sendable {
    /// A new file open for writing, mode 0600; an existing one is an error (O_EXCL).
    func create(_ path: String) throws -> Int32
    func openForReading(_ path: String) throws -> Int32
    func openForUpdating(_ path: String) throws -> Int32
    /// Writes all of `bytes` at `offset`.
    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
    /// The same past the page cache, where the operating and the file system can, and like `write` elsewhere. The
    /// address, the length and the offset are multiples of ``BlobFileAlignment/bytes``.
    func writeDirectly(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
    /// Reads until `buffer` is full or the file ends. Returns the bytes read.
    func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
    func size(_ descriptor: Int32) throws -> Int64
    /// Returns when the kernel has been asked for a range and has its last byte: the rest came before it.
    func preload(_ descriptor: Int32, at offset: Int64, count: Int64) throws
    /// fsync: returns when content and length are durable.
    func synchronize(_ descriptor: Int32) throws
    func close(_ descriptor: Int32)
    func rename(_ from: String, _ to: String) throws
    /// fsync of a directory: returns when names made or renamed in it before are durable.
    func synchronizeDirectory(_ path: String) throws
    /// Makes a directory of mode 0700; one that is there already is not an error.
    func makeDirectory(_ path: String) throws
    /// Removes a file; one that is not there is not an error.
    func remove(_ path: String) throws
    /// Removes a directory that is empty; one that is not stays, which is not an error.
    func removeDirectory(_ path: String) throws
    /// Names in a directory, without `.` and `..`, in no order.
    func names(in path: String) throws -> [String]
    /// Seconds since 1970 UTC of a file's last change.
    func changeTime(_ path: String) throws -> Int64
    /// Bytes that this process may still write where a folder lies, and bytes there are in all.
    func space(at path: String) throws -> (free: Int64, total: Int64)
}

/// What direct writes are aligned to: a multiple of every usual sector and block size.
package enum BlobFileAlignment {
    package static let bytes = 4096
}
