import Workflow

/// Copies of a database as of one commit, by the database's own means, while a server writes to it. All of it blocks.
package enum DatabaseCopy {
    /// What a copy holds that a backup must hold beside it.
    package struct Contents {
        package let identity: StoreIdentity
        package let blobs: NamedBlobs
    }

    /// Writes a SQLite database into a new file in one read of it. Later commits are not in it.
    package static func write(sqlite path: String, to target: String) throws {
        let connection = try SQLiteConnection(path: path, isReader: false)
        try connection.run("VACUUM INTO ?", [.text(target)])
    }

    /// Reads the copy.
    package static func read<Value>(sqlite path: String, _ body: (Contents) throws -> Value) throws -> Value {
        try body(try contents(try SQLiteConnection(path: path, isReader: true)))
    }

    /// Holds a PostgreSQL database as of one commit: `body` gets the name of that snapshot, which `pg_dump --snapshot`
    /// takes, and reads the same state.
    package static func withSnapshot<Value>(
        postgreSQL connectionString: String, _ body: (Contents, _ snapshot: String) throws -> Value
    ) throws -> Value {
        let connection = try PostgreSQLConnection(connectionString: connectionString, role: .reader)
        try connection.execute(SQLDialect.postgreSQL.beginSnapshot)
        guard let name = try connection.first("SELECT pg_export_snapshot()::text", [], { try $0.text(0) }) else {
            throw SQLStoreError(.unavailable, "the database gives no snapshot")
        }
        let value = try body(try contents(connection), name)
        try connection.execute("COMMIT")
        return value
    }

    /// Whether a PostgreSQL database holds no table of ours, so that a copy can be put into it.
    package static func isEmpty(postgreSQL connectionString: String) throws -> Bool {
        let connection = try PostgreSQLConnection(connectionString: connectionString, role: .reader)
        let found = try connection.first(
            "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('schema_version', 'commit_sequence', 'instances')"
        ) { try $0.int(0) }
        return found == 0
    }

    private static func contents(_ connection: any SQLConnection) throws -> Contents {
        guard let identity = try IdentityTable(connection: connection).identity() else {
            throw SQLStoreError(.corrupt, "the database has no store identity")
        }
        return Contents(identity: identity, blobs: NamedBlobs(connection: connection))
    }
}
