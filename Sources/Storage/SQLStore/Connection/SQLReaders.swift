import Basics
import NIOCore
import NIOPosix
import Synchronization

/// The reader threads and their connections, in lanes: see ``SQLReadClass``; heavy searches have one of their own. A
/// connection is opened when first needed and used by one closure at a time, the most recently used first because its
/// statements are prepared and its pages warm.
final class SQLReaders: Sendable {
    private let doors: SQLReaderLane
    private let searches: SQLReaderLane
    private let heavySearches: SQLReaderLane
    private let background: SQLReaderLane
    private let queue: Mutex<FairQueue<CheckedContinuation<Void, any Error>>>
    private let nextID = Atomic<UInt64>(0)
    private let configuration: SQLDatabaseConfiguration

    init(_ configuration: SQLDatabaseConfiguration, bodies: BodyRing) {
        self.configuration = configuration
        doors = SQLReaderLane(configuration, bodies, threads: configuration.doorReaders)
        searches = SQLReaderLane(configuration, bodies, threads: configuration.searchReaders, .low)
        heavySearches = SQLReaderLane(configuration, bodies, threads: configuration.searchReaders, .lowest)
        background = SQLReaderLane(configuration, bodies, threads: Self.backgroundReaders, .low)
        let places = configuration.searchReaders
        queue = Mutex(
            FairQueue(
                .init(
                    placesMax: places,
                    // One client never has all places, so that another's search need not wait for the end of its own.
                    placesPerClientMax: max(1, min(configuration.searchesPerClientMax, places - 1)),
                    waitingPerClientMax: configuration.waitingSearchesPerClientMax,
                    waitingMax: configuration.waitingReadsMax, heavySeconds: Self.heavySeconds,
                    placesPerHeavyClientMax: max(1, System.coreCount / 2))))
    }

    /// So that two workers of an export read beside each other.
    private static let backgroundReaders = 2

    /// Searches of a client that take longer than this in the mean are heavy: together they keep at most half of the
    /// processors busy.
    private static let heavySeconds = 0.02

    func run<Value: Sendable>(
        _ readClass: SQLReadClass, snapshot: Bool, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        switch readClass {
        case .door: return try await doors.run(snapshot: snapshot, nil, body)
        case .background: return try await background.run(snapshot: snapshot, nil, body)
        case .search(let client):
            let arrival = ContinuousClock.now
            try await enter(client)
            let entry = ContinuousClock.now
            defer { leave(client, after: ContinuousClock.now - entry) }
            // One who has waited as long as a search may take would be answered too late.
            if ContinuousClock.now - arrival > configuration.readTimeout {
                throw SQLStoreError(.throttled, "searches of this client had to wait too long")
            }
            try Task.checkCancellation()
            let budget = SQLBudget(time: configuration.readTimeout, rows: configuration.searchRowsMax)
            do {
                let lane = queue.withLock { $0.isHeavy(client) } ? heavySearches : searches
                return try await withTaskCancellationHandler {
                    try await lane.run(snapshot: snapshot, budget, body)
                } onCancel: {
                    budget.cancel()
                }
            } catch let error as SQLStoreError where error.code == .timeout {
                throw SQLStoreError(.costly, "a search used up its limit of time or rows", cause: error)
            }
        }
    }

    /// As `run` for the doors, for callers without a task. `completion` runs on the reader's thread, or on the caller's where
    /// it is refused at once, and must not block.
    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        doors.submit(body, completion)
    }

    /// Waits for a place of the client's. Throws `.throttled` when too many wait.
    private func enter(_ client: String) async throws {
        let id = nextID.add(1, ordering: .relaxed).newValue
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let admission = queue.withLock { queue in
                    // Asked under the lock: who is cancelled later is withdrawn by the handler.
                    Task.isCancelled ? nil : queue.arrive(client, id: id, continuation)
                }
                switch admission {
                case .entered?: continuation.resume()
                case .waiting?: break
                case .refused?:
                    continuation.resume(
                        throwing: SQLStoreError(.throttled, "too many searches of this client are waiting"))
                case nil: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            queue.withLock { $0.withdraw(client, id: id) }?.resume(throwing: CancellationError())
        }
    }

    private func leave(_ client: String, after time: Duration) {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        for next in queue.withLock({ $0.leave(client, after: seconds) }) { next.resume() }
    }

    func close() async {
        let error = SQLStoreError(.closed, "the store is closed")
        for waiting in queue.withLock({ $0.withdrawAll() }) { waiting.resume(throwing: error) }
        await searches.close()
        await heavySearches.close()
        await background.close()
        await doors.close()
    }
}

/// Threads with a connection each, and those who wait for one in the order of their coming.
private final class SQLReaderLane: Sendable {
    /// One connection slot; its mutex makes sure that only one thread at a time is inside.
    private final class Slot: Sendable {
        let connection = Mutex<(any SQLConnection)?>(nil)
    }

    private struct State {
        var idle: [Slot]
        var waiting = 0
        var isClosed = false
    }

    private let configuration: SQLDatabaseConfiguration
    private let bodies: BodyRing
    private let weight: ThreadWeight
    private let threads: NIOThreadPool
    private let state: Mutex<State>

    init(
        _ configuration: SQLDatabaseConfiguration, _ bodies: BodyRing, threads count: Int,
        _ weight: ThreadWeight = .normal
    ) {
        self.configuration = configuration
        self.bodies = bodies
        self.weight = weight
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
        state = Mutex(State(idle: (0..<count).map { _ in Slot() }))
    }

    func run<Value: Sendable>(
        snapshot: Bool, _ budget: SQLBudget?, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try enter()
        defer { leave() }
        return try await threads.runIfActive { [self] in try onConnection(snapshot, budget, body) }
    }

    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value,
        _ completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        do { try enter() } catch { return completion(.failure(error)) }
        threads.submit { [self] work in
            let result: Result<Value, any Error> =
                work == .active
                ? Result { try onConnection(false, nil, body) }
                : .failure(SQLStoreError(.closed, "the store is closed"))
            leave()
            completion(result)
        }
    }

    private func enter() throws {
        try state.withLock { state in
            if state.isClosed { throw SQLStoreError(.closed, "the store is closed") }
            if state.waiting >= configuration.waitingReadsMax {
                throw SQLStoreError(.overloaded, "\(state.waiting) reads are waiting")
            }
            state.waiting += 1
        }
    }

    private func leave() { state.withLock { $0.waiting -= 1 } }

    /// On one of the lane's threads.
    private func onConnection<Value: Sendable>(
        _ snapshot: Bool, _ budget: SQLBudget?, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) throws -> Value {
        weight.take()
        let slot = state.withLock { $0.idle.popLast() } ?? Slot()
        defer { state.withLock { $0.idle.append(slot) } }
        return try slot.connection.withLock { held -> Value in
            let wasOpen = held != nil
            do {
                return try attempt(&held, snapshot, budget, body)
            } catch let error as SQLStoreError where error.code == .unavailable {
                held = nil
                guard wasOpen else { throw error }
                return try attempt(&held, snapshot, budget, body)
            }
        }
    }

    private func attempt<Value: Sendable>(
        _ held: inout (any SQLConnection)?, _ snapshot: Bool, _ budget: SQLBudget?,
        _ body: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let connection = try held ?? configuration.beforeReaders(try open())
        held = connection
        budget?.start()
        connection.budget = budget
        defer { connection.budget = nil }
        guard snapshot else { return try body(connection) }
        try connection.execute(connection.dialect.beginSnapshot)
        do {
            let value = try body(connection)
            try connection.execute("COMMIT")
            return value
        } catch {
            connection.budget = nil
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }

    private func open() throws -> any SQLConnection {
        switch configuration.location {
        case .sqlite(let path):
            try SQLiteConnection(
                path: path, isReader: true, statementTimeout: configuration.readTimeout, bodies: bodies)
        case .postgreSQL(let connectionString):
            try PostgreSQLConnection(
                connectionString: connectionString, role: .reader, statementTimeout: configuration.readTimeout,
                lockTimeout: configuration.readLockTimeout, bodies: bodies)
        }
    }

    func close() async {
        state.withLock { $0.isClosed = true }
        try? await threads.shutdownGracefully()
        for slot in state.withLock({ $0.idle }) { slot.connection.withLock { $0 = nil } }
    }
}
