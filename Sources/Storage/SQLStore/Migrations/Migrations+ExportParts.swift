extension Migrations {
    /// What exports are written in, by workers that lease it, and what the files refer to that is written last.
    static func exportParts(_ number: Int) -> Migration {
        Migration(
            number, "exports in parts",
            [
                """
                CREATE TABLE export_parts (job_id {text} NOT NULL, number {int} NOT NULL, stage {int} NOT NULL, \
                is_done {int} NOT NULL, owner {text}, due_at {int} NOT NULL, turn {int} NOT NULL, failures {int} NOT NULL, \
                detail {bytes} NOT NULL, PRIMARY KEY (job_id, number)) {clustered}
                """,
                "CREATE INDEX export_parts_open ON export_parts (job_id, stage, number) WHERE is_done = 0",
                """
                CREATE TABLE export_references (job_id {text} NOT NULL, type {text} NOT NULL, id {text} NOT NULL, \
                number {int} NOT NULL, PRIMARY KEY (job_id, type, id)) {clustered}
                """,
                "CREATE INDEX export_references_number ON export_references (job_id, type, number)",
                "ALTER TABLE export_files ADD COLUMN number {int}",
                "ALTER TABLE export_files ADD COLUMN detail {bytes}",
                "ALTER TABLE export_files ADD COLUMN name {text}",
                "CREATE UNIQUE INDEX export_files_name ON export_files (job_id, name) WHERE name IS NOT NULL",
            ])
    }
}
