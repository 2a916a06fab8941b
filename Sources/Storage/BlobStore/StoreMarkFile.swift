import Synchronization
import Workflow

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The two small files by which a blobs folder knows its store: `store.mark`, and `store.sequence` with the newest commit
/// that it has seen.
///
/// The sequence is 20 digits and a line feed, written in place after every commit and before anyone is told of it: that
/// costs a copy into the page cache, which outlives the process. It is made durable from time to time; what a loss of
/// power takes of it is made up by the tenures in the mark, which change durably with every start and stop.
final class StoreMarkFile: Sendable {
    private struct Open {
        var descriptor: Int32 = -1
        var last: Int64 = -1
        var isDirty = false
    }
    private let folder: String
    private let files: any BlobFileOperations
    private let sequenceFile = Mutex(Open())
    private let lockFile = Mutex<Int32>(-1)
    private static let digits = 20

    init(folder: String, files: any BlobFileOperations) {
        self.folder = folder
        self.files = files
    }

    deinit { close() }

    /// Takes the folder's lock, which goes with the process; false while another one has it. A file system without locks
    /// gives it to everybody.
    func lock() throws -> Bool {
        try lockFile.withLock { held in
            if held >= 0 { return true }
            let opened = open(folder + "/store.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            if opened < 0 { throw BlobFileError(.open, code: errno) }
            if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                files.close(opened)
                return false
            }
            held = opened
            return true
        }
    }

    private var markPath: String { folder + "/" + StoreMark.fileName }
    private var sequencePath: String { folder + "/store.sequence" }

    /// The mark, nil without one; and whether there is a file that is no mark.
    func readMark() throws -> (mark: StoreMark?, isDamaged: Bool) {
        guard let bytes = try read(markPath, StoreMark.bytesMax) else { return (nil, false) }
        let mark = StoreMark(bytes)
        return (mark, mark == nil)
    }

    /// Nil when it is not there or not whole.
    func readSequence() throws -> Int64? {
        guard let bytes = try read(sequencePath, Self.digits + 1), bytes.count == Self.digits + 1 else { return nil }
        return Int64(String(decoding: bytes.prefix(Self.digits), as: UTF8.self))
    }

    private func read(_ path: String, _ limit: Int) throws -> [UInt8]? {
        let descriptor: Int32
        do { descriptor = try files.openForReading(path) } catch let error as BlobFileError
            where error.code == BlobFileError.noEntry
        { return nil }
        defer { files.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = try bytes.withUnsafeMutableBytes { try files.read(descriptor, into: $0, at: 0) }
        return Array(bytes.prefix(count))
    }

    func write(_ mark: StoreMark) throws { try replace(markPath, mark.encoded) }

    /// Begins to note commits, from `sequence` on.
    func openSequence(at sequence: Int64) throws {
        closeSequence()
        try replace(sequencePath, Self.text(sequence))
        let descriptor = try files.openForUpdating(sequencePath)
        sequenceFile.withLock { $0 = Open(descriptor: descriptor, last: sequence, isDirty: false) }
    }

    private static func text(_ sequence: Int64) -> [UInt8] {
        let digits = String(max(sequence, 0))
        return Array((String(repeating: "0", count: Self.digits - digits.utf8.count) + digits + "\n").utf8)
    }

    /// Notes a commit. Does nothing before ``openSequence(at:)`` and for an older one.
    func note(_ sequence: Int64) {
        sequenceFile.withLock { open in
            guard open.descriptor >= 0, sequence > open.last else { return }
            // A failure is made up by the next commit; the folder then knows a little less.
            if (try? Self.text(sequence).withUnsafeBytes({ try files.write(open.descriptor, $0, at: 0) })) != nil {
                open.last = sequence
                open.isDirty = true
            }
        }
    }

    /// Makes what was noted durable. Blocking.
    func settle() throws {
        try sequenceFile.withLock { open in
            guard open.descriptor >= 0, open.isDirty else { return }
            try files.synchronize(open.descriptor)
            open.isDirty = false
        }
    }

    /// Ends the notes and gives the lock back: the lock itself, and not only this descriptor of it, of which a child process
    /// that is just being started has a copy until it becomes another program.
    func close() {
        closeSequence()
        lockFile.withLock { held in
            if held >= 0 {
                flock(held, LOCK_UN)
                files.close(held)
            }
            held = -1
        }
    }

    private func closeSequence() {
        sequenceFile.withLock { open in
            if open.descriptor >= 0 { files.close(open.descriptor) }
            open = Open()
        }
    }

    /// New name, fsync, rename, fsync of the directory.
    private func replace(_ path: String, _ bytes: [UInt8]) throws {
        let new = path + ".new"
        try files.remove(new)
        let descriptor = try files.create(new)
        do {
            defer { files.close(descriptor) }
            try bytes.withUnsafeBytes { try files.write(descriptor, $0, at: 0) }
            try files.synchronize(descriptor)
        }
        try files.rename(new, path)
        try files.synchronizeDirectory(folder)
    }
}
