import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file lock that keeps two servers from sharing one SQLite store. It goes when the process does.
final class ServerLockFile: Sendable {
    private let descriptor: Mutex<Int32>

    /// Throws `.locked` when another process holds it, `.unavailable` when the file cannot be made.
    init(path: String) throws {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if opened < 0 { throw SQLStoreError(.unavailable, "cannot open \(path): errno \(errno)") }
        if flock(opened, LOCK_EX | LOCK_NB) != 0 {
            close(opened)
            throw SQLStoreError(.locked, "another server holds \(path)")
        }
        descriptor = Mutex(opened)
    }

    deinit { release() }

    /// Gives the lock itself up, and not only this descriptor of it: a child process that is just being started has a copy of
    /// every descriptor until it becomes another program.
    func release() {
        descriptor.withLock { held in
            if held >= 0 {
                flock(held, LOCK_UN)
                close(held)
            }
            held = -1
        }
    }

    /// Makes the database file before SQLite does, so that it and its log are readable by their owner only.
    static func createPrivately(_ path: String) throws {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if opened < 0 { throw SQLStoreError(.unavailable, "cannot open \(path): errno \(errno)") }
        close(opened)
    }
}
