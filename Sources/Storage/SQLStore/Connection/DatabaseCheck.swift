/// What a database itself says of its pages.
package enum DatabaseCheck {
    /// Sentences about damage, at most 100; none for a whole database. PostgreSQL's pages are its server's to check (data
    /// checksums, `pg_amcheck`): for it a sentence would say nothing of them. Blocking, long.
    package static func findings(_ location: SQLDatabaseConfiguration.Location) throws -> [String] {
        guard case .sqlite(let path) = location else { return [] }
        let connection = try SQLiteConnection(path: path, isReader: true)
        return try connection.all("PRAGMA integrity_check(100)") { try $0.text(0) }.filter { $0 != "ok" }
    }
}
