import Synchronization

/// How often one instance after another failed at its destination, while others may not have. Order keeps what follows of
/// its study waiting, so that one that the other side cannot take must not be tried for days.
final class RepeatedFailures: Sendable {
    /// Failures of one entry since this server began, after which it is given up.
    static let countMax = 10
    /// Entries that are remembered.
    private static let entriesMax = 4_096

    private let counts = Mutex<[Int64: Int]>([:])

    /// Notes a failure. Returns whether it was one too many.
    func note(_ entry: Int64) -> Bool {
        counts.withLock { counts in
            if counts.count >= Self.entriesMax, counts[entry] == nil { counts = [:] }
            let count = counts[entry, default: 0] + 1
            counts[entry] = count < Self.countMax ? count : nil
            return count >= Self.countMax
        }
    }

    func forget(_ entry: Int64) { counts.withLock { $0[entry] = nil } }
}
