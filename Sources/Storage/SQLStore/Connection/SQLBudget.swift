import Synchronization

/// What one search may use in all, over all its statements.
package final class SQLBudget: Sendable {
    /// When it has to be done.
    let end: ContinuousClock.Instant
    private let rowsLeft: Atomic<Int>
    private let isCancelled = Atomic(false)

    init(time: Duration, rows: Int) {
        end = ContinuousClock.now.advanced(by: time)
        rowsLeft = Atomic(rows)
    }

    /// What is left of the time; never negative.
    var timeLeft: Duration { max(.zero, end - ContinuousClock.now) }

    /// Whether the running statement has to stop: the time is over, or nobody waits for the answer any more.
    var isOver: Bool { isCancelled.load(ordering: .relaxed) || ContinuousClock.now >= end }

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
