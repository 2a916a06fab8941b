extension Migrations {
    /// The studies that await publication get a small table of their own, so that a further instance changes a short row
    /// and not its study's. `studies.projected_at` is used no more.
    static let publication = Migration(
        8, "publication",
        [
            """
            CREATE TABLE study_publications (study_uid {text} PRIMARY KEY, since {int} NOT NULL, \
            changed_at {int} NOT NULL) {table}
            """,
            """
            INSERT INTO study_publications (study_uid, since, changed_at) SELECT uid, updated_at, updated_at FROM \
            studies WHERE projected_at IS NULL OR projected_at < updated_at
            """,
            "CREATE INDEX study_publications_since ON study_publications (since)",
            "DROP INDEX studies_waiting",
        ])
}
