import Glibc

/// How much room the database takes.
package struct DatabaseGrowth: Sendable, Hashable {
    /// Bytes of the database, its free pages included.
    package var bytes: Int64
    /// Bytes of pages that are free and will be used again. 0 where the database does not tell.
    package var freeBytes: Int64
    /// Bytes of the write-ahead log beside it; 0 for PostgreSQL, whose log is its server's.
    package var logBytes: Int64
}

extension SQLDatabase {
    /// How much room is taken now.
    package func growth() async throws -> DatabaseGrowth {
        switch location {
        case .sqlite(let path):
            return try await read { connection in
                func number(_ pragma: String) throws -> Int64 {
                    try connection.first("PRAGMA \(pragma)") { try $0.int(0) } ?? 0
                }
                let page = try number("page_size")
                return DatabaseGrowth(
                    bytes: try number("page_count") * page, freeBytes: try number("freelist_count") * page,
                    logBytes: Self.size(path + "-wal"))
            }
        case .postgreSQL:
            return try await read { connection in
                let bytes = try connection.first("SELECT pg_database_size(current_database())") { try $0.int(0) }
                return DatabaseGrowth(bytes: bytes ?? 0, freeBytes: 0, logBytes: 0)
            }
        }
    }

    /// Empties SQLite's write-ahead log into the database and cuts its file. SQLite does that by itself when no reader
    /// is in the way; where there always is one, the log would grow without end. Waits for readers for a second at most,
    /// and writers wait as long. False when a reader was in the way for all of it.
    package func truncateLog() async throws -> Bool {
        guard case .sqlite(let path) = location else { return true }
        return try await read { _ in
            let connection = try SQLiteConnection(path: path, isReader: false)
            try connection.execute("PRAGMA busy_timeout=1000")
            return try connection.first("PRAGMA wal_checkpoint(TRUNCATE)") { try $0.int(0) == 0 } ?? false
        }
    }

    private static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}
