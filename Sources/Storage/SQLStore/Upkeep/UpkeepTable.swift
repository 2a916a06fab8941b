/// How far each part of the store's upkeep has come.
struct UpkeepTable {
    /// One remembered number.
    enum Name: String {
        /// The commit that replaced the last versions whose entries were swept, and the last of these versions.
        case sweptSequence = "swept sequence"
        case sweptKey = "swept key"
        /// The form that all entries have; see ``FHIRSearch/SearchIndexer/form``.
        case indexForm = "index form"
        /// The form that those up to the reindexed key have.
        case reindexedForm = "reindexed form"
        /// The last version that was looked at while entries of another form are made anew.
        case reindexedKey = "reindexed key"
        /// The newest version when statistics were gathered.
        case analyzedKey = "analyzed key"
        /// The form of the rows by which studies are found beside what their senders wrote; see ``StudySubjectTable/form(_:)``.
        case subjectForm = "subject form"
        /// The last version that Subscriptions were matched with.
        case subscriptionKey = "subscription key"
    }

    let connection: any SQLConnection

    /// 0 where nothing was remembered.
    func value(_ name: Name) throws -> Int64 {
        try connection.first("SELECT value FROM upkeep WHERE name = ?", [.text(name.rawValue)]) { try $0.int(0) } ?? 0
    }

    func set(_ name: Name, _ value: Int64) throws {
        try connection.run(
            "INSERT INTO upkeep (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [.text(name.rawValue), .int(value)])
    }
}
