import Synchronization
import Workflow

/// Whether a disk still has room for content, or only what is kept free for the audit trail. Asked at each write; looks at
/// the disk again once what it knows is old, and each time near the end, so that writes go on by themselves when there is
/// room.
package final class FreeSpace: Sendable {
    private struct Seen {
        var free: Int64 = .max
        /// Bytes that content leaves free on this disk.
        var kept: Int64 = 0
        var isShort = false
        var at: ContinuousClock.Instant?
    }
    private let path: String
    private let reserve: Int64
    private let files: any BlobFileOperations
    private let now: @Sendable () -> ContinuousClock.Instant
    private let seen = Mutex(Seen())

    /// What is known of the disk is believed this long, as long as there is more room than can be filled in that time.
    static let age = Duration.milliseconds(500)
    static let farBytes: Int64 = 1 << 30
    /// Of a small disk no more than this part is kept free.
    static let partOfDiskMax: Int64 = 8

    /// - Parameters:
    ///   - path: a folder on the disk.
    ///   - reserve: bytes that content leaves free, at most an eighth of the disk.
    package init(
        at path: String, reserve: Int64, files: any BlobFileOperations = SystemFileOperations(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.path = path
        self.reserve = reserve
        self.files = files
        self.now = now
    }

    /// Free bytes; nil where the disk does not tell.
    package var freeBytes: Int64? {
        let free = look().free
        return free == .max ? nil : free
    }

    /// `StoreError(.full)` while less than the reserve is free.
    package func refusal() -> StoreError? {
        let seen = look()
        return seen.isShort
            ? StoreError(.full, "\(seen.free >> 20) MiB are free where \(path) lies; they are kept for the audit trail")
            : nil
    }

    private func look() -> (free: Int64, isShort: Bool) {
        let now = now()
        return seen.withLock { seen in
            if let at = seen.at, now - at < Self.age, seen.free > seen.kept, seen.free - seen.kept > Self.farBytes {
                return (seen.free, seen.isShort)
            }
            seen.at = now
            // A disk that does not tell is not held to be full: the write itself will say.
            if let (free, total) = try? files.space(at: path) {
                seen.free = free
                seen.kept = min(reserve, total / Self.partOfDiskMax)
                seen.isShort = free < seen.kept
            } else {
                seen.free = .max
                seen.isShort = false
            }
            return (seen.free, seen.isShort)
        }
    }
}
