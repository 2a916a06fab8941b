extension Migrations {
    /// What rejection notes refer to that has not come yet.
    static func awaitedRejections(_ number: Int) -> Migration {
        Migration(
            number, "awaited rejections",
            [
                """
                CREATE TABLE awaited_rejections (sop_uid {text} PRIMARY KEY, study_uid {text} NOT NULL, \
                series_uid {text} NOT NULL, sent_at {int} NOT NULL, detail {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX awaited_rejections_study ON awaited_rejections (study_uid)",
                "CREATE INDEX awaited_rejections_time ON awaited_rejections (sent_at)",
            ])
    }
}
