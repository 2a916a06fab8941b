import Synchronization
import Workflow

/// Ids of requests that bring none: the id of this start of the server and a number. Unique, not secret.
final class RequestIDSequence: Sendable {
    private let prefix: String
    private let number = Atomic<UInt64>(0)

    init(entropy: any Entropy) { prefix = entropy.newID().value + "-" }

    /// 28 to 40 characters of `[0-9a-z-]`.
    func next() -> String {
        prefix + String(number.add(1, ordering: .relaxed).newValue, radix: 36)
    }
}
