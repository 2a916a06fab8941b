extension Migrations {
    /// Whom a refusal to all lets pass. Refusals that are kept already refuse to them as well until the upkeep has read them
    /// once more.
    static func consentPermits(_ number: Int) -> Migration {
        Migration(
            number, "consent permits",
            [
                "ALTER TABLE care_refusals ADD COLUMN permits {int} NOT NULL DEFAULT 0",
                """
                CREATE TABLE care_permits (version_key {int} NOT NULL, list {int} NOT NULL, actor {text} NOT NULL, \
                PRIMARY KEY (version_key, list, actor)) {clustered}
                """,
            ],
            rebuild: { connection in
                for name in [UpkeepTable.Name.indexForm, .reindexedForm] {
                    try UpkeepTable(connection: connection).set(name, 0)
                }
            })
    }
}
