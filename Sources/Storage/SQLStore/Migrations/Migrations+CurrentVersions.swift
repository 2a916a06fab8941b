extension Migrations {
    /// Finds current versions without walking old ones.
    ///
    /// What is current has indexes of its own, and so have its entries: a version that is replaced leaves them at once, so
    /// that no search reads what nobody can find any more. Its entries stay under its key for as long as a link to a
    /// further page may ask for them; `upkeep` remembers how far the sweep behind that has come.
    ///
    /// `wide` marks an entry that is longer than a day, or a range of numbers, or not the only one of its parameter. All
    /// others can be found by both bounds of a range at once: an entry that ends after the lower bound begins less than a
    /// day before it.
    static func currentVersions(_ number: Int) -> Migration {
        Migration(number, "current versions") { dialect in
            let current = "WHERE end_sequence = \(ResourceTable.current)"
            // SQLite answers from an index alone only when every column of the statement is in it.
            let isCovering = dialect == .sqlite
            let standing = isCovering ? ", first_sequence, end_sequence, deleted" : ""
            let entry = isCovering ? ", is_current" : ""
            let wide = isCovering ? ", wide, is_current" : ", wide"
            var steps = ["idx_token", "idx_string", "idx_date", "idx_reference", "idx_quantity", "idx_uri"].flatMap {
                [
                    "ALTER TABLE \($0) ADD COLUMN is_current {int} NOT NULL DEFAULT 1",
                    """
                    UPDATE \($0) SET is_current = 0 WHERE version_key IN (SELECT version_key FROM resource_versions \
                    WHERE end_sequence < \(ResourceTable.current))
                    """,
                ]
            }
            for (table, isLong) in [
                (
                    "idx_date",
                    "low < -4000000000000000000 OR high > 4000000000000000000 OR high - low > \(SearchIndexTable.dayMicroseconds)"
                ), ("idx_quantity", "low <> high"),
            ] {
                steps += [
                    "ALTER TABLE \(table) ADD COLUMN wide {int} NOT NULL DEFAULT 0",
                    "UPDATE \(table) SET wide = 1 WHERE CASE WHEN \(isLong) THEN 1 ELSE 0 END = 1",
                    """
                    UPDATE \(table) SET wide = 1 WHERE wide = 0 AND (SELECT count(*) FROM \(table) o \
                    WHERE o.version_key = \(table).version_key AND o.param = \(table).param) > 1
                    """,
                ]
            }
            steps += [
                "DROP INDEX resource_versions_type", "DROP INDEX resource_versions_time",
                "DROP INDEX resource_versions_replaced",
                """
                CREATE INDEX resource_versions_current ON resource_versions (type, version_key\(standing)) \
                \(current) AND deleted = 0
                """,
                """
                CREATE INDEX resource_versions_time ON resource_versions (type, time, version_key\(standing)) \
                \(current) AND deleted = 0
                """,
                "CREATE INDEX resource_versions_current_id ON resource_versions (type, id, version_key) \(current) AND deleted = 0",
                "CREATE INDEX resource_versions_gone ON resource_versions (type, version_key) \(current) AND deleted = 1",
                """
                CREATE INDEX resource_versions_replaced ON resource_versions (end_sequence, version_key, type) \
                WHERE end_sequence < \(ResourceTable.current)
                """,
                "DROP INDEX idx_token_find", "DROP INDEX idx_string_find", "DROP INDEX idx_date_low",
                "DROP INDEX idx_date_high", "DROP INDEX idx_reference_find", "DROP INDEX idx_quantity_find",
                "DROP INDEX idx_uri_find",
                "CREATE INDEX idx_token_find ON idx_token (param, code, version_key, system\(entry)) WHERE is_current = 1",
                "CREATE INDEX idx_string_find ON idx_string (param, folded, version_key\(entry)) WHERE is_current = 1",
                "CREATE INDEX idx_date_low ON idx_date (param, low, version_key, high\(wide)) WHERE is_current = 1",
                "CREATE INDEX idx_date_high ON idx_date (param, high, version_key, low\(entry)) WHERE is_current = 1",
                """
                CREATE INDEX idx_date_wide ON idx_date (param, low, version_key, high\(wide)) \
                WHERE is_current = 1 AND wide = 1
                """,
                """
                CREATE INDEX idx_reference_find ON idx_reference (param, target_id, version_key, target_type\(entry)) \
                WHERE is_current = 1
                """,
                "CREATE INDEX idx_quantity_low ON idx_quantity (param, low, version_key\(wide)) WHERE is_current = 1",
                "CREATE INDEX idx_quantity_high ON idx_quantity (param, high, version_key\(entry)) WHERE is_current = 1",
                """
                CREATE INDEX idx_quantity_wide ON idx_quantity (param, low, version_key\(wide)) \
                WHERE is_current = 1 AND wide = 1
                """,
                "CREATE INDEX idx_uri_find ON idx_uri (param, uri, version_key\(entry)) WHERE is_current = 1",
                "CREATE TABLE upkeep (name {text} PRIMARY KEY, value {int} NOT NULL) {table}",
            ]
            return steps
        }
    }
}
