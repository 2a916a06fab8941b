extension Migrations {
    /// Bulk imports: how far each file was read, what was refused, and which line brought which resource.
    static func imports(_ number: Int) -> Migration {
        Migration(
            number, "imports",
            [
                """
                CREATE TABLE import_jobs (id {text} PRIMARY KEY, owner {text} NOT NULL, origin {text} NOT NULL, \
                state {text} NOT NULL, asked {text} NOT NULL, holder {text} NOT NULL, held_until {int} NOT NULL, \
                created_at {int} NOT NULL, detail {bytes} NOT NULL) {table}
                """,
                """
                CREATE UNIQUE INDEX import_jobs_asked ON import_jobs (asked) WHERE state IN ('accepted', 'running')
                """,
                "CREATE INDEX import_jobs_active ON import_jobs (owner) WHERE state IN ('accepted', 'running')",
                "CREATE INDEX import_jobs_created ON import_jobs (created_at)",
                """
                CREATE TABLE import_inputs (job_id {text} NOT NULL, place {int} NOT NULL, detail {bytes} NOT NULL, \
                PRIMARY KEY (job_id, place)) {table}
                """,
                """
                CREATE TABLE import_outcomes (job_id {text} NOT NULL, number {int} NOT NULL, outcome {bytes} NOT NULL, \
                PRIMARY KEY (job_id, number)) {table}
                """,
                """
                CREATE TABLE import_claims (job_id {text} NOT NULL, name {text} NOT NULL, place {int} NOT NULL, \
                line {int} NOT NULL, PRIMARY KEY (job_id, name)) {table}
                """,
            ])
    }
}
