import SQLStore
import Synchronization

/// Passes the database's commits on to the keeper of the blobs folder, which is made after the database is opened.
final class CommitWatch: Sendable {
    /// A function that stood in the Mutex by itself would be wrapped once more each time that it is read, and after a
    /// hundred thousand commits be called through as many.
    private struct Follower {
        let note: @Sendable (Int64) -> Void
    }
    private let follower = Mutex<Follower?>(nil)

    func follow(_ follower: @escaping @Sendable (Int64) -> Void) {
        self.follower.withLock { $0 = Follower(note: follower) }
    }

    func note(_ stamp: CommitStamp) { follower.withLock { $0 }?.note(stamp.sequence) }
}
