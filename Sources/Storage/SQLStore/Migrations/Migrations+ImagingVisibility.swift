extension Migrations {
    /// Whose each series is, and which instances are kept aside within one, as columns that conditions can ask.
    static func imagingVisibility(_ number: Int) -> Migration {
        Migration(
            number, "imaging visibility",
            [
                "ALTER TABLE series ADD COLUMN patient_id {text}",
                """
                CREATE TABLE aside_instances (sop_uid {text} PRIMARY KEY, study_uid {text} NOT NULL, \
                series_uid {text} NOT NULL) {table}
                """,
                "CREATE INDEX aside_instances_series ON aside_instances (study_uid, series_uid)",
            ], rebuild: { try StudyTable(connection: $0).saveSeriesAgain() })
    }
}
