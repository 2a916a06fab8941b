import HTTPSupport
import Synchronization
import Workflow

/// A blob that is being opened on the blob store's threads while its reader does something else.
///
/// Nothing waits for one that nobody asks for any more: it is opened, and closed at once.
final class OpeningBlob: Sendable {
    private enum State {
        case opening
        case awaited(CheckedContinuation<BlobSender, any Error>)
        case done(Result<BlobSender, any Error>)
    }

    private let state = Mutex(State.opening)

    /// Starts to open a whole blob and to make its first bytes ready. `size` in bytes, as of its row.
    init(_ id: BlobID, size: Int64, in blobs: any BlobStoring, files: FileConnection?) {
        blobs.open(
            id, then: { try BlobSender(opened: $0, 0..<size, files) },
            completion: { result in
                let waiter: CheckedContinuation<BlobSender, any Error>? = self.state.withLock { state in
                    guard case .awaited(let continuation) = state else {
                        state = .done(result)
                        return nil
                    }
                    return continuation
                }
                waiter?.resume(with: result)
            })
    }

    /// Whether ``value()`` would return at once.
    var isDone: Bool { state.withLock { if case .done = $0 { true } else { false } } }

    /// The opened blob. To be asked for once.
    func value() async throws -> BlobSender {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<BlobSender, any Error>? = state.withLock { state in
                if case .done(let result) = state { return result }
                state = .awaited(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
