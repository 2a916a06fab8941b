import Workflow

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A failed file operation.
package struct BlobFileError: Error, Equatable, CustomStringConvertible {
    package enum Operation: String, Sendable, CaseIterable {
        case create, open, write, read, size, synchronize, rename, openDirectory, synchronizeDirectory, makeDirectory
        case remove, list, space
    }
    package let operation: Operation
    /// The errno value.
    package let code: Int32

    package init(_ operation: Operation, code: Int32) {
        self.operation = operation
        self.code = code
    }

    package var description: String { "\(operation.rawValue): \(String(cString: strerror(code)))" }

    package static let noSpace = ENOSPC
    package static let overQuota = EDQUOT
    package static let inputOutput = EIO
    package static let noEntry = ENOENT
    package static let exists = EEXIST

    /// Whether what was to be listed is not there, or is something else.
    var isNoDirectory: Bool { operation == .list && (code == ENOENT || code == ENOTDIR) }

    /// What a failure means to whoever asked, and whether the store may go on: the one table of both.
    ///
    /// `.failed` stops all further writing until a restart, and only two things are so: an fsync that failed, of a file or
    /// a directory, whatever its errno (the kernel drops what it could not write and tells it once, so that a later fsync
    /// would lie), and a write that the disk refused. Every other failure costs the one request: nothing was promised for
    /// it, and nothing that was promised before depends on it. A directory or a file that cannot be opened, because
    /// descriptors or memory ran out, is such a one.
    var meaning: StoreError {
        switch (operation, code) {
        case (.synchronize, _), (.synchronizeDirectory, _):
            StoreError(.failed, "a blob could not be made durable (\(self)); restart the server")
        case (.write, Self.inputOutput): StoreError(.failed, "the disk refuses writes (\(self)); restart the server")
        case (_, Self.noSpace), (_, Self.overQuota): StoreError(.full, "no space for blobs (\(self))")
        case (.read, EISDIR), (.read, ESPIPE): StoreError(.corrupt, "no blob file lies in the blob's place (\(self))")
        case (.read, Self.inputOutput): StoreError(.corrupt, "the disk cannot be read (\(self))")
        case (.open, Self.noEntry): StoreError(.notFound, "no such blob")
        default: StoreError(.unavailable, "the blob store: \(self)")
        }
    }
}
