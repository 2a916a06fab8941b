extension Migrations {
    /// The blobs of copies of archives' instances whose rows are gone and whose files are to go.
    static func leftBlobs(_ number: Int) -> Migration {
        Migration(
            number, "blobs of copies that left",
            [
                "CREATE TABLE left_blobs (blob_id {text} PRIMARY KEY, left_at {int} NOT NULL) {table}",
                "CREATE INDEX left_blobs_time ON left_blobs (left_at)",
            ])
    }
}
