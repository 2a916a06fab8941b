import Synchronization
import Workflow

/// The blobs that this process has begun and not let go of: between a blob's end and the commit of its row nothing else
/// tells the sweep that it is wanted.
final class BlobLeases: Sendable {
    private let held = Mutex<Set<BlobID>>([])

    func take(_ id: BlobID) { held.withLock { _ = $0.insert(id) } }
    func giveBack(_ id: BlobID) { held.withLock { _ = $0.remove(id) } }
    func holds(_ id: BlobID) -> Bool { held.withLock { $0.contains(id) } }
}
