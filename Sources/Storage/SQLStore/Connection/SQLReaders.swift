import NIOPosix
import Synchronization

/// The reader threads and their connections. A connection is opened when first needed and used by one closure at a
/// time, the most recently used first because its statements are prepared and its pages warm.
final class SQLReaders: Sendable {
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
    private let threads: NIOThreadPool
    private let state: Mutex<State>

    init(_ configuration: SQLDatabaseConfiguration) {
        self.configuration = configuration
        threads = NIOThreadPool(numberOfThreads: configuration.readerThreads)
        threads.start()
        state = Mutex(State(idle: (0..<configuration.readerThreads).map { _ in Slot() }))
    }

    func run<Value: Sendable>(
        snapshot: Bool, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try state.withLock { state in
            if state.isClosed { throw SQLStoreError(.closed, "the store is closed") }
            if state.waiting >= configuration.waitingReadsMax {
                throw SQLStoreError(.overloaded, "\(state.waiting) reads are waiting")
            }
            state.waiting += 1
        }
        defer { state.withLock { $0.waiting -= 1 } }
        return try await threads.runIfActive { [self] in
            let slot = state.withLock { $0.idle.popLast() } ?? Slot()
            defer { state.withLock { $0.idle.append(slot) } }
            return try slot.connection.withLock { held -> Value in
                let wasOpen = held != nil
                do {
                    return try attempt(&held, snapshot, body)
                } catch let error as SQLStoreError where error.code == .unavailable {
                    held = nil
                    guard wasOpen else { throw error }
                    return try attempt(&held, snapshot, body)
                }
            }
        }
    }

    private func attempt<Value: Sendable>(
        _ held: inout (any SQLConnection)?, _ snapshot: Bool, _ body: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let connection = try held ?? open()
        held = connection
        guard snapshot else { return try body(connection) }
        try connection.execute(connection.dialect.beginSnapshot)
        do {
            let value = try body(connection)
            try connection.execute("COMMIT")
            return value
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }

    private func open() throws -> any SQLConnection {
        switch configuration.location {
        case .sqlite(let path):
            try SQLiteConnection(path: path, isReader: true, statementTimeout: configuration.readTimeout)
        case .postgreSQL(let connectionString):
            try PostgreSQLConnection(
                connectionString: connectionString, role: .reader, statementTimeout: configuration.readTimeout)
        }
    }

    func close() async {
        state.withLock { $0.isClosed = true }
        try? await threads.shutdownGracefully()
        for slot in state.withLock({ $0.idle }) { slot.connection.withLock { $0 = nil } }
    }
}
