extension Migrations {
    /// Which instances are copies of an archive's, and how far the copy of each study is.
    static func archiveCopies(_ number: Int) -> Migration {
        Migration(
            number, "copies of archives",
            [
                "ALTER TABLE instances ADD COLUMN archive {text}",
                "ALTER TABLE rejected_instances ADD COLUMN archive {text}",
                """
                CREATE TABLE archive_copies (study_uid {text} PRIMARY KEY, archive {text} NOT NULL, state {text} NOT NULL, \
                attempts {int} NOT NULL, requested_at {int} NOT NULL, next_at {int} NOT NULL, ended_at {int}, \
                checked_at {int} NOT NULL, used_at {int} NOT NULL, expected {int} NOT NULL, instances {int} NOT NULL, \
                bytes {int} NOT NULL, failure {text}, study_id {text}) {table}
                """,
                "CREATE INDEX archive_copies_due ON archive_copies (next_at) WHERE state = 'waiting'",
                "CREATE INDEX archive_copies_use ON archive_copies (used_at) WHERE state IN ('whole', 'failed', 'leaving')",
            ])
    }
}
