import FoundationEssentials

/// Which database, how it is used, and the seams of its tests.
package struct SQLDatabaseConfiguration: Sendable {
    package enum Location: Sendable, Hashable {
        /// A database file. Beside it lie its log and a `.lock` file.
        case sqlite(path: String)
        /// A libpq connection string or URI; `sslmode` and the like belong into it.
        case postgreSQL(connectionString: String)
    }

    package var location: Location
    /// Threads, each with its own connection, for reads of ``SQLReadClass/door``.
    package var doorReaders = 2
    /// Threads, each with its own connection, for reads of ``SQLReadClass/search(client:)``. One client has all but one
    /// of them at most.
    package var searchReaders = 3
    /// Searches of one client that may run at a time.
    package var searchesPerClientMax = SQLDatabaseConfiguration.searchesPerClientDefault
    /// Searches of one client that may wait for its turn; one more is refused with `.throttled`.
    package var waitingSearchesPerClientMax = SQLDatabaseConfiguration.waitingSearchesPerClientDefault
    /// Rows that one search may read in all.
    package var searchRowsMax = 200_000
    /// Units of work that may share one commit.
    package var batchMax = 256
    /// Writes that may wait; one more is refused with `.overloaded`.
    package var waitingWritesMax = 4_096
    /// Reads that may wait or run; one more is refused with `.overloaded`.
    package var waitingReadsMax = 4_096
    /// How long a search may run in all, and any other reader's statement by itself.
    package var readTimeout = SQLDatabaseConfiguration.readTimeoutDefault
    /// How long all searches of one change may run together: nothing else is written meanwhile.
    package var changeSearchTimeout: Duration = .seconds(3)
    /// How long a reader waits for a lock that another session holds; PostgreSQL only, SQLite's readers never wait.
    package var readLockTimeout: Duration = .seconds(2)
    /// How long the writer waits for a lock that another session holds.
    package var writeLockTimeout: Duration = .seconds(5)
    /// How long one statement of the writer may run; PostgreSQL only. Migrations have no such limit.
    package var writeTimeout: Duration = .seconds(60)
    /// Whether this process is the one server of the database. A second one is refused with `.locked`; short-lived
    /// commands beside a running server say false.
    package var isServer = true
    /// Whether bodies are sealed, and by which keys.
    package var bodies = BodySealing()
    /// Microseconds since 1970-01-01 UTC.
    package var now: @Sendable () -> Int64 = SQLDatabaseConfiguration.systemTime
    /// Called on the writer's thread after each durable commit, before anyone is told of it. Must return soon.
    package var committed: @Sendable (CommitStamp) -> Void = { _ in }
    /// Called at each step that must not lose anything; a throw is treated as that step's failure.
    package var fault: @Sendable (SQLFaultPoint) throws -> Void = { _ in }

    /// What stands before each reader's connection once it is open; the connection itself. For tests that count what is
    /// read.
    package var beforeReaders: @Sendable (any SQLConnection) -> any SQLConnection = { $0 }

    package init(_ location: Location) { self.location = location }

    /// For tests: what they look at is none of these limits, however much runs beside them.
    package static func unhurried(_ location: Location) -> SQLDatabaseConfiguration {
        var configuration = SQLDatabaseConfiguration(location)
        let time = Duration.seconds(300)
        (configuration.readTimeout, configuration.changeSearchTimeout, configuration.writeTimeout) = (time, time, time)
        (configuration.readLockTimeout, configuration.writeLockTimeout) = (time, time)
        return configuration
    }

    /// See ``searchesPerClientMax``.
    package static let searchesPerClientDefault = 8
    /// See ``waitingSearchesPerClientMax``.
    package static let waitingSearchesPerClientDefault = 64

    /// What a search is given unless told otherwise.
    package static let readTimeoutDefault: Duration = .seconds(10)

    package static let systemTime: @Sendable () -> Int64 = {
        Int64((Date().timeIntervalSince1970 * 1_000_000).rounded(.down))
    }
}

/// The steps at which a test can make the store fail.
package enum SQLFaultPoint: Sendable, Hashable {
    /// Before statement `statement` (from 0) of migration `number`.
    case migrationStatement(number: Int, statement: Int)
    /// Before a migration's transaction commits.
    case migrationCommit(number: Int)
    /// Before a batch's COMMIT. A thrown `SQLStoreError(.failed)` stands for a failed fsync.
    case commit
    /// After a batch's COMMIT, before anyone is told.
    case committed
}
