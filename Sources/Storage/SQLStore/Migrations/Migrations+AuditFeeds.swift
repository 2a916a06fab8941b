extension Migrations {
    /// How far the trail was fed to audit repositories, and the rows that one of them does not take; and of whom a message
    /// of the journal is.
    static func auditFeeds(_ number: Int) -> Migration {
        Migration(
            number, "audit feeds",
            [
                """
                CREATE TABLE audit_feeds (name {text} PRIMARY KEY, number {int} NOT NULL, fed_at {int}, \
                missed {int} NOT NULL) {table}
                """,
                """
                CREATE TABLE audit_parked (feed {text} NOT NULL, number {int} NOT NULL, reason {text} NOT NULL, \
                parked_at {int} NOT NULL, PRIMARY KEY (feed, number)) {clustered}
                """,
                "ALTER TABLE messages ADD COLUMN patients {text}",
            ])
    }
}
