extension Migrations {
    /// The words of names and what they sound like, beside the names as they are written: fuzzy matching looks them up.
    /// PS3.4 §C.2.2.2.1.1.
    static func nameWords(_ number: Int) -> Migration {
        Migration(
            number, "words of names", [], rebuild: { try StudyKeyTable(connection: $0).rebuildWords() })
    }
}
