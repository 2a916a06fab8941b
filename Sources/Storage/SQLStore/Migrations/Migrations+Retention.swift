extension Migrations {
    /// What retention leans on: replaced versions by the commit that replaced them, and how far it has come. Steps that are
    /// off the worklist have no row of their own any more; their orders hold them.
    static let retention = Migration(
        10, "retention",
        [
            "CREATE TABLE retention_marks (kind {text} PRIMARY KEY, mark {int} NOT NULL) {table}",
            """
            CREATE INDEX resource_versions_replaced ON resource_versions (end_sequence) \
            WHERE end_sequence < \(ResourceTable.current)
            """, "DELETE FROM steps WHERE is_on_worklist = 0",
        ])
}
