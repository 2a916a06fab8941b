import Synchronization

/// What one search may use in all, over all its statements.
package final class SQLBudget: Sendable {
    private let time: Duration
    private let end: Mutex<ContinuousClock.Instant>
    private let rowsLeft: Atomic<Int>
    private let isCancelled = Atomic(false)

    init(time: Duration, rows: Int) {
        self.time = time
        end = Mutex(ContinuousClock.now.advanced(by: time))
        rowsLeft = Atomic(rows)
    }

    /// The time counts from now on: the connection is there.
    func start() { end.withLock { $0 = ContinuousClock.now.advanced(by: time) } }

    /// What is left of the time; never negative.
    var timeLeft: Duration { max(.zero, end.withLock { $0 } - ContinuousClock.now) }

    /// Whether the running statement has to stop: the time is over, or nobody waits for the answer any more.
    var isOver: Bool { isCancelled.load(ordering: .relaxed) || ContinuousClock.now >= end.withLock { $0 } }

    /// The answer is not wanted any more.
    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Takes one row. Throws `.timeout` when there have been too many, or the time is over.
    func takeRow() throws {
        if rowsLeft.subtract(1, ordering: .relaxed).newValue < 0 {
            throw SQLStoreError(.timeout, "a search read more rows than it may")
        }
    }

    /// Throws `.timeout` when the time is over.
    func check() throws {
        if isOver { throw SQLStoreError(.timeout, "a search took longer than it may") }
    }
}
