/// Commits batches of units of work on the writer's connection: one transaction each, a savepoint for each unit.
struct CommitBatches {
    /// What became of one batch.
    struct Outcome {
        /// To call in order, outside every lock: each tells one caller the end of its unit of work.
        var resumptions: [@Sendable () -> Void] = []
        /// Units of work that were not begun because the transaction ended early; they go back to the queue.
        var untried: [SQLWriter.Job] = []
        /// The newest stamp, when something was committed.
        var stamp: CommitStamp?
        /// What failed the batch as a whole.
        var error: (any Error)?
        /// Whether the store must take no more writes: the commit could not be made durable.
        var isFatal = false
        /// Whether a unit of work failed among others that ran without savepoints: all is undone and nobody was told.
        var isUndone = false

        init() {}

        init(failed jobs: [SQLWriter.Job], error: any Error) {
            self.error = error
            resumptions = jobs.map { job in { job.fail(error) } }
        }
    }

    private let connection: any SQLConnection
    private let memo = WriterMemo()
    private let cache: ResourceCache
    private let bodies: BodyRing?
    private let now: @Sendable () -> Int64
    private let fault: @Sendable (SQLFaultPoint) throws -> Void

    /// - Parameter bodies: what says how they are written; nil for a schema that does not know.
    init(
        _ connection: any SQLConnection, cache: ResourceCache, bodies: BodyRing? = nil,
        now: @escaping @Sendable () -> Int64, fault: @escaping @Sendable (SQLFaultPoint) throws -> Void
    ) {
        self.connection = connection
        self.cache = cache
        self.bodies = bodies
        self.now = now
        self.fault = fault
    }

    /// The newest committed stamp. Inside a transaction PostgreSQL also locks the row against other writers.
    static func readStamp(_ connection: any SQLConnection, forUpdate: Bool = false) throws -> CommitStamp {
        let lock = forUpdate ? connection.dialect.forUpdate : ""
        let found = try connection.first("SELECT sequence, time FROM commit_sequence WHERE id = 1" + lock) {
            CommitStamp(sequence: try $0.int(0), time: try $0.int(1))
        }
        guard let found else { throw SQLStoreError(.corrupt, "the commit sequence row is missing") }
        return found
    }

    static func save(_ stamp: CommitStamp, _ connection: any SQLConnection) throws {
        try connection.run(
            "UPDATE commit_sequence SET sequence = ?, time = ? WHERE id = 1", [.int(stamp.sequence), .int(stamp.time)])
    }

    /// Commits units of work together. Units mostly succeed, so they first run without a savepoint between them; when
    /// one fails nothing is kept of that, and all run again, each apart from the others.
    func commit(_ jobs: [SQLWriter.Job]) -> Outcome {
        if memo.batchesApart == 0 {
            let outcome = commit(jobs, apart: false)
            if !outcome.isUndone { return outcome }
            memo.batchesApart = Self.batchesApartAfterFailure
        }
        memo.batchesApart -= 1
        return commit(jobs, apart: jobs.count > 1)
    }

    /// Batches that run with savepoints after a unit of work has failed: failures seldom come alone.
    private static let batchesApartAfterFailure = 32

    private func commit(_ jobs: [SQLWriter.Job], apart: Bool) -> Outcome {
        let first: CommitStamp
        do { first = try begin() } catch {
            memo.reset()
            if connection.isInTransaction { rollback() }
            return Outcome(failed: jobs, error: error)
        }
        let changesFirst = connection.changeCount
        if memo.stamp != first { memo.reset() }
        // Another process has committed in between: a command beside the server. What a unit of our own has failed to change
        // is what it was.
        if memo.seen != first {
            cache.removeAll()
            do {
                if let bodies {
                    try BodyFormTable(connection: connection).heed(bodies, isFresh: first.sequence == 0, now: now)
                }
            } catch {
                rollback()
                var outcome = Outcome(failed: jobs, error: error)
                outcome.isFatal = CommitBatches.isFatal(error)
                return outcome
            }
        }
        let isHeeded = connection.changeCount != changesFirst
        memo.changed = []
        memo.mayChangeRights = false
        var outcome = Outcome()
        var last = first
        var done: [(job: SQLWriter.Job, resume: @Sendable () -> Void)] = []
        // Whether the next unit of work has to be separated from those before. COMMIT releases the last savepoint.
        var needsSavepoint = true
        for (index, job) in jobs.enumerated() {
            let changesBefore = connection.changeCount
            let stamp = last.next(now: now())
            do {
                // A unit of work alone in its batch needs no savepoint: its failure is the transaction's. One that was
                // undone left its savepoint in place for the next.
                if apart, needsSavepoint { try connection.beginUnit(afterAnother: !done.isEmpty) }
                needsSavepoint = false
                let transaction = SQLTransaction(connection: connection, stamp: stamp, memo: memo)
                let resume = try job.run(transaction)
                if !transaction.isOfTrailAlone { memo.mayChangeRights = true }
                needsSavepoint = true
                done.append((job, resume))
                if connection.changeCount != changesBefore { last = stamp }
            } catch {
                memo.reset()
                // Not after an error that ended the transaction by itself and may be the disk's: that is not retried.
                if jobs.count > 1, !apart, connection.isInTransaction || !Self.isFatal(error) {
                    rollback()
                    outcome.isUndone = true
                    return outcome
                }
                outcome.resumptions.append { job.fail(error) }
                if apart, undoUnit() { continue }
                // The whole transaction is gone: what ran before in it was not kept.
                rollback()
                outcome.resumptions += done.map { entry in { entry.job.fail(error) } }
                outcome.untried = Array(jobs[(index + 1)...])
                outcome.error = error
                outcome.isFatal = CommitBatches.isFatal(error)
                return outcome
            }
        }
        // What the others are to notice is a commit, whatever became of the units.
        if isHeeded, last == first { last = first.next(now: now()) }
        do {
            try finish(first, last)
            (memo.stamp, memo.seen) = (last, last)
            outcome.resumptions += done.map(\.resume)
            outcome.stamp = last
        } catch {
            rollback()
            outcome.resumptions += done.map { entry in { entry.job.fail(error) } }
            outcome.error = error
            outcome.isFatal = CommitBatches.isFatal(error)
        }
        return outcome
    }

    private func begin() throws -> CommitStamp {
        do {
            return try beginOnce()
        } catch let error as SQLStoreError where error.code == .unavailable {
            // Nothing has run yet, so a connection that died while idle is replaced and the begin repeated once.
            rollback()
            return try beginOnce()
        }
    }

    private func beginOnce() throws -> CommitStamp {
        try connection.execute(connection.dialect.beginWrite)
        return try CommitBatches.readStamp(connection, forUpdate: true)
    }

    private func finish(_ first: CommitStamp, _ last: CommitStamp) throws {
        if last != first { try CommitBatches.save(last, connection) }
        tellChange()
        // Also when the commit fails: after a lost connection it may have happened.
        defer { tellChange() }
        try fault(.commit)
        try connection.execute("COMMIT")
        try fault(.committed)
    }

    private func tellChange() {
        if !memo.changed.isEmpty { cache.remove(memo.changed) }
        if memo.mayChangeRights { cache.endSights() }
    }

    /// Undoes one unit of work; false when the transaction itself has ended.
    private func undoUnit() -> Bool {
        guard connection.isInTransaction else { return false }
        do {
            try connection.execute("ROLLBACK TO SAVEPOINT unit")
            return true
        } catch { return false }
    }

    private func rollback() {
        memo.reset()
        (connection as? PostgreSQLConnection)?.abandonTransaction()
        if connection.isInTransaction { try? connection.execute("ROLLBACK") }
        (connection as? PostgreSQLConnection)?.abandonTransaction()
    }

    /// An I/O error while writing leaves unknown what is on disk; fsync may not be tried again (its error is told once).
    private static func isFatal(_ error: any Error) -> Bool {
        guard let error = error as? SQLStoreError else { return false }
        return error.code == .failed || error.code == .corrupt
    }
}
