extension Migrations {
    /// Other content that came under SOP Instance UIDs in use, and the versions that it superseded, whose blobs are kept.
    static let instanceConflicts = Migration(
        13, "instance conflicts",
        [
            """
            CREATE TABLE instance_conflicts (sop_uid {text} NOT NULL, peer {text} NOT NULL, version {text} NOT NULL, \
            study_uid {text} NOT NULL, series_uid {text} NOT NULL, outcome {text} NOT NULL, difference {text}, \
            time {int} NOT NULL, count {int} NOT NULL, blob_id {text}, superseded {bytes}, \
            PRIMARY KEY (sop_uid, peer, version)) {table}
            """,
            "CREATE INDEX instance_conflicts_time ON instance_conflicts (time)",
            "CREATE INDEX instance_conflicts_blob ON instance_conflicts (blob_id) WHERE blob_id IS NOT NULL",
        ])
}
