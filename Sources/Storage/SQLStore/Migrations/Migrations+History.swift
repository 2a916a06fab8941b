extension Migrations {
    /// Finds the replaced versions of one type, newest first, for its history. Current ones and deletions have such
    /// indexes already; a version gets its entry here when it is replaced.
    static func history(_ number: Int) -> Migration {
        Migration(
            number, "histories of types",
            [
                """
                CREATE INDEX resource_versions_past ON resource_versions (type, version_key) \
                WHERE end_sequence < \(ResourceTable.current)
                """
            ])
    }
}
