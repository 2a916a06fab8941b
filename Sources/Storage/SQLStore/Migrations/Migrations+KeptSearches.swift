extension Migrations {
    /// Searches that were too long for a link, found again by the link's short name for as long as a page link lives.
    static let keptSearches = Migration(
        6, "kept searches",
        [
            """
            CREATE TABLE kept_searches (id {text} NOT NULL, principal {text} NOT NULL, parameters {text} NOT NULL, \
            expires {int} NOT NULL, PRIMARY KEY (id, principal)) {table}
            """,
            "CREATE INDEX kept_searches_expires ON kept_searches (expires)",
        ])
}
