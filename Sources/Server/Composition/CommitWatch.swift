import SQLStore
import Synchronization

/// Passes the database's commits on to the keeper of the blobs folder, which is made after the database is opened.
final class CommitWatch: Sendable {
    private let follower = Mutex<(@Sendable (Int64) -> Void)?>(nil)

    func follow(_ follower: @escaping @Sendable (Int64) -> Void) { self.follower.withLock { $0 = follower } }
    func note(_ stamp: CommitStamp) { follower.withLock { $0 }?(stamp.sequence) }
}
