import Synchronization

/// What one search, or all searches of one change, may use in all, over all their statements.
package final class SQLBudget: Sendable {
    private let clock: Mutex<(end: ContinuousClock.Instant, left: Duration)>
    private let rowsLeft: Atomic<Int>
    private let isCancelled = Atomic(false)

    init(time: Duration, rows: Int) {
        clock = Mutex((ContinuousClock.now.advanced(by: time), time))
        rowsLeft = Atomic(rows)
    }

    /// The time counts from now on: the connection is there.
    func start() { clock.withLock { $0.end = ContinuousClock.now.advanced(by: $0.left) } }

    /// The time stands still until it is started again.
    func pause() { clock.withLock { $0.left = max(.zero, $0.end - ContinuousClock.now) } }

    /// What is left of the time; never negative.
    var timeLeft: Duration { max(.zero, clock.withLock { $0.end } - ContinuousClock.now) }

    /// Whether the running statement has to stop: the time is over, or nobody waits for the answer any more.
    var isOver: Bool { isCancelled.load(ordering: .relaxed) || ContinuousClock.now >= clock.withLock { $0.end } }

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
