extension Migrations {
    /// What a person took out of all answers: the rows of instances and their headers, moved here as they were, and what
    /// is kept of their series.
    static func rejections(_ number: Int) -> Migration {
        Migration(
            number, "rejected images",
            [
                """
                CREATE TABLE rejected_series (study_uid {text} NOT NULL, series_uid {text} NOT NULL, \
                rejected_at {int} NOT NULL, detail {bytes} NOT NULL, PRIMARY KEY (study_uid, series_uid)) {table}
                """,
                "CREATE INDEX rejected_series_time ON rejected_series (rejected_at)",
                """
                CREATE TABLE rejected_instances (sop_uid {text} PRIMARY KEY, study_uid {text} NOT NULL, \
                series_uid {text} NOT NULL, sop_class {text} NOT NULL, number {int}, sort_number {int} NOT NULL, \
                transfer_syntax {text} NOT NULL, image_rows {int}, image_columns {int}, bits_allocated {int}, \
                frames {int} NOT NULL, blob_id {text} NOT NULL, size {int} NOT NULL, data_set_offset {int} NOT NULL, \
                pixel_offset {int}, pixel_length {int}, digest {text} NOT NULL, received_at {int} NOT NULL, \
                received_from {text}, header {bytes} NOT NULL, bulk {bytes} NOT NULL, frame_index {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX rejected_instances_series ON rejected_instances (study_uid, series_uid)",
                "CREATE UNIQUE INDEX rejected_instances_blob ON rejected_instances (blob_id)",
            ])
    }
}
