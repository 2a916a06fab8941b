extension Migrations {
    /// The keys of erasable blobs, which lie apart from them: of export files. Wrapped, so that they open nothing by
    /// themselves.
    static func blobKeys(_ number: Int) -> Migration {
        Migration(
            number, "keys of blobs",
            ["CREATE TABLE blob_keys (blob_id {text} PRIMARY KEY, wrapped {bytes} NOT NULL) {table}"])
    }
}
