import Foundation
import Synchronization

/// Numbers for new objects and the end of one measurement, shared by its workers.
final class LoadTicket: Sendable {
    private let issued = Atomic<Int>(0)
    private let limit: Int
    private let first: Int
    private let deadline: ContinuousClock.Instant
    let begin: ContinuousClock.Instant

    /// - Parameters:
    ///   - first: the number of the first item.
    ///   - limit: items of this measurement at most.
    init(seconds: Double, first: Int, limit: Int) {
        self.first = first
        self.limit = limit
        begin = ContinuousClock().now
        deadline = begin + .seconds(seconds)
    }

    /// The number of the next item; nil when time or count is used up.
    func next() -> Int? {
        guard ContinuousClock().now < deadline else { return nil }
        let number = issued.add(1, ordering: .relaxed).oldValue
        return number < limit ? first + number : nil
    }

    /// Items begun, all of which have ended well when the workers are done.
    var count: Int { min(issued.load(ordering: .relaxed), limit) }

    /// Items a second from the begin to now.
    func rate() -> Double { Double(count) / (ContinuousClock().now - begin).seconds }
}

/// Blocking work on threads.
enum ThreadLoad {
    /// Runs `worker` on `threads` threads and waits for all; throws the first error.
    static func run(_ threads: Int, _ worker: @escaping @Sendable (Int) throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<threads {
                group.addTask {
                    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
                        Thread.detachNewThread { done.resume(with: Result { try worker(index) }) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
