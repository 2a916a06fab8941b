/// The store's one database: many readers, one writer, group commit; the only asynchronous face of the SQL layer.
///
/// A closure given to `read` or `write` runs on a thread of its own with a connection of its own, so it may block and
/// must not wait for a task. Put the several statements of one request into one closure: the change of threads costs
/// as much as a point read.
package final class SQLDatabase: Sendable {
    package let dialect: SQLDialect
    let location: SQLDatabaseConfiguration.Location
    let changeSearchTimeout: Duration
    private let readers: SQLReaders
    private let writer: SQLWriter
    /// What the writer keeps true for those who read resources.
    let resources = ResourceCache()

    /// How bodies are written, and by which keys.
    var bodies: BodyRing { writer.bodies }
    /// Whether the bodies that are written are sealed.
    package var sealsBodies: Bool { bodies.isSealing }

    /// Opens the database, takes the server lock if asked, and brings the schema up to the last of `migrations`.
    /// Throws `.unavailable`, `.locked`, `.schema`, or a migration's own failure.
    package init(_ configuration: SQLDatabaseConfiguration, migrations: [Migration]) async throws {
        location = configuration.location
        changeSearchTimeout = configuration.changeSearchTimeout
        switch configuration.location {
        case .sqlite: dialect = .sqlite
        case .postgreSQL: dialect = .postgreSQL
        }
        writer = try await SQLWriter(configuration, migrations: migrations, cache: resources)
        readers = SQLReaders(configuration, bodies: writer.bodies)
    }

    /// Runs `body` on a reader connection, on which changes are refused.
    /// - Parameters:
    ///   - readClass: for whom it is: whose threads and connections it uses, and what it may cost.
    ///   - snapshot: whether all statements of `body` see one state of the database; without it each sees the last commit
    ///     before it.
    /// A body that fails with `.unavailable` on a connection that was idle is run once more on a new one.
    package func read<Value: Sendable>(
        _ readClass: SQLReadClass = .door, snapshot: Bool = false,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await readers.run(readClass, snapshot: snapshot, body)
    }

    /// Runs `body` as one unit of work on the writer's thread, more than once when another unit of the same commit
    /// fails: only its last run counts. Returns when its changes are durable; throws when none
    /// of them is kept. An error of `body` undoes `body`'s changes only; an error of the shared commit fails every unit
    /// of work in it. After `.unavailable` a PostgreSQL commit may yet have happened: the caller must not acknowledge.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            writer.submit(body) { continuation.resume(with: $0) }
        }
    }

    /// `write` for callers without a task. `completion` runs on the writer's thread and must not block it.
    package func submit<Value: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        writer.submit(body, completion: completion)
    }

    /// The newest commit that was durable when this was called.
    package var lastCommit: CommitStamp { writer.lastCommit }

    /// Calls with whether the writer has seen every commit that there is when this is called, those of other processes among
    /// them: what it keeps true for those who read is true then. Where it has not, it looks now. Runs on a thread of the
    /// database's and must not block it.
    package func look(completion: @escaping @Sendable (_ isKnown: Bool) -> Void) {
        readers.submit({ [self] in try isKnown($0) }) { [writer] found in
            // Who could not look, as when too many wait, has not found anything that the writer should see.
            guard case .success(let isKnown) = found else { return completion(false) }
            if !isKnown { writer.submit({ $0.isOfTrailAlone = true }, completion: { _ in }) }
            completion(isKnown)
        }
    }

    /// Whether the writer has seen every commit that a reader's connection, or its snapshot, shows.
    func isKnown(_ connection: any SQLConnection) throws -> Bool {
        // Asked behind the read: what is committed here meanwhile is known.
        try CommitBatches.readStamp(connection).sequence <= writer.lastCommit.sequence
    }

    /// Why writes are refused for good, or nil while they are not.
    package var failure: SQLStoreError? { writer.failure }

    /// Whether both a read and the writer's connection work now; for readiness checks.
    package func isReady() async -> Bool {
        guard failure == nil else { return false }
        do { return try await read { try $0.first("SELECT 1") { try $0.int(0) } == 1 } } catch { return false }
    }

    /// Lets waiting writes end, refuses new ones with `.closed`, and closes every connection.
    package func close() async {
        await writer.close()
        await readers.close()
    }
}
