import FHIRModel
import FHIRResources
import Synchronization

/// Lets each client run so many searches at once; one more is refused with 429.
final class ClientSearches: Sendable {
    private let atOnceMax: Int
    /// By client; clients without anything under way are not kept.
    private let underWay = Mutex<[String: Int]>([:])

    init(atOnceMax: Int) { self.atOnceMax = atOnceMax }

    /// Runs `body` as one of the client's searches. Throws ``OutcomeError`` 429 when it has as many as it may.
    func run<Value: Sendable>(of client: String, _ body: () async throws -> Value) async throws -> Value {
        let isTaken = underWay.withLock { counts in
            guard counts[client, default: 0] < atOnceMax else { return false }
            counts[client, default: 0] += 1
            return true
        }
        guard isTaken else {
            throw OutcomeError(
                status: 429,
                outcome: OperationOutcome(
                    .error, .throttled, details: "at most \(atOnceMax) searches of one client run at the same time"))
        }
        defer {
            underWay.withLock { counts in
                let left = counts[client, default: 1] - 1
                counts[client] = left > 0 ? left : nil
            }
        }
        return try await body()
    }
}
