import NIOPosix
import Synchronization

/// The one writer: a queue of units of work, one thread, one connection, one commit for all that wait.
///
/// Nothing waits for company: when the thread is free it takes whatever is queued, up to `batchMax`. While it commits,
/// the next batch gathers, so under load many units of work share one fsync.
final class SQLWriter: Sendable {
    /// One queued unit of work. `run` does it and gives what to call once it is durable.
    struct Job: Sendable {
        let run: @Sendable (SQLTransaction) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    private struct Queue {
        var waiting: [Job] = []
        var isDraining = false
        var isClosed = false
        var failure: SQLStoreError?
        var lastCommit = CommitStamp(sequence: 0, time: 0)
    }

    private let configuration: SQLDatabaseConfiguration
    /// The keys that seal and open bodies, for all connections.
    let bodies: BodyRing
    private let thread: NIOThreadPool
    private let queue = Mutex(Queue())
    private let batches: Mutex<CommitBatches?>
    private let lock: ServerLockFile?

    init(_ configuration: SQLDatabaseConfiguration, migrations: [Migration], cache: ResourceCache) async throws {
        self.configuration = configuration
        bodies = BodyRing(configuration.bodies)
        thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        batches = Mutex(nil)
        do {
            if case .sqlite(let path) = configuration.location {
                lock = configuration.isServer ? try ServerLockFile(path: path + ".lock") : nil
                try ServerLockFile.createPrivately(path)
            } else {
                lock = nil
            }
            try await thread.runIfActive { [self] in
                try batches.withLock { batches in
                    let connection = try open()
                    try Migrator(migrations, fault: configuration.fault).migrate(connection, now: configuration.now())
                    let hasBodyKeys = BodyKeyTable.isIn(migrations)
                    if hasBodyKeys {
                        try BodyKeyTable(connection: connection).check(
                            bodies, isServer: configuration.isServer, now: configuration.now())
                    }
                    try (connection as? PostgreSQLConnection)?.limitStatements(to: configuration.writeTimeout)
                    let stamp = try CommitBatches.readStamp(connection)
                    queue.withLock { $0.lastCommit = stamp }
                    batches = CommitBatches(
                        connection, cache: cache, bodies: hasBodyKeys ? bodies : nil, now: configuration.now,
                        fault: configuration.fault)
                }
            }
        } catch {
            try? await thread.shutdownGracefully()
            throw error
        }
    }

    var lastCommit: CommitStamp { queue.withLock { $0.lastCommit } }
    var failure: SQLStoreError? { queue.withLock { $0.failure } }

    /// Queues `body`; `completion` is called once, on the writer's thread or, when refused at once, on the caller's.
    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        enqueue(
            Job(
                run: { transaction in
                    let value = try body(transaction)
                    return { completion(.success(value)) }
                },
                fail: { completion(.failure($0)) }))
    }

    private func enqueue(_ job: Job) {
        enum Answer { case start, queued, refused(SQLStoreError) }
        let answer: Answer = queue.withLock { queue in
            if let failure = queue.failure { return .refused(failure) }
            if queue.isClosed { return .refused(SQLStoreError(.closed, "the store is closed")) }
            if queue.waiting.count >= configuration.waitingWritesMax {
                return .refused(SQLStoreError(.overloaded, "\(queue.waiting.count) writes are waiting"))
            }
            queue.waiting.append(job)
            if queue.isDraining { return .queued }
            queue.isDraining = true
            return .start
        }
        switch answer {
        case .start: thread.submit { _ in self.drain() }
        case .queued: break
        case .refused(let error): job.fail(error)
        }
    }

    /// On the writer's thread: batch after batch until nothing waits.
    private func drain() {
        while true {
            let batch: [Job] = queue.withLock { queue in
                let batch = Array(queue.waiting.prefix(configuration.batchMax))
                queue.waiting.removeFirst(batch.count)
                if batch.isEmpty { queue.isDraining = false }
                return batch
            }
            if batch.isEmpty { return }
            commit(batch)
        }
    }

    private func commit(_ batch: [Job]) {
        if let failure {
            for job in batch { job.fail(failure) }
            return
        }
        let outcome = batches.withLock { batches in
            batches?.commit(batch) ?? CommitBatches.Outcome(failed: batch, error: SQLStoreError(.closed, "closed"))
        }
        queue.withLock { queue in
            if let stamp = outcome.stamp { queue.lastCommit = stamp }
            if outcome.isFatal {
                queue.failure = SQLStoreError(
                    .failed, "a commit could not be made durable; the store takes no writes until a restart",
                    cause: outcome.error)
            }
            queue.waiting.insert(contentsOf: outcome.untried, at: 0)
        }
        if let stamp = outcome.stamp { configuration.committed(stamp) }
        for resume in outcome.resumptions { resume() }
    }

    private func open() throws -> any SQLConnection {
        switch configuration.location {
        case .sqlite(let path): try SQLiteConnection(path: path, isReader: false, bodies: bodies)
        case .postgreSQL(let connectionString):
            try PostgreSQLConnection(
                connectionString: connectionString, role: .writer(holdsServerLock: configuration.isServer),
                lockTimeout: configuration.writeLockTimeout, bodies: bodies)
        }
    }

    func close() async {
        queue.withLock { $0.isClosed = true }
        // The pool runs what was submitted before it stops, so the drain under way ends first.
        try? await thread.runIfActive { [self] in
            drain()
            batches.withLock { $0 = nil }
        }
        try? await thread.shutdownGracefully()
        lock?.release()
    }
}
