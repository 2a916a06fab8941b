import Access
import FHIRModel
import FHIRResources
import FHIRSearch

/// Stored versions as far as one caller may see them.
struct VisibleVersions {
    let connection: any SQLConnection
    /// Of the caller's access.
    let compiler: SearchCompiler
    let indexer: SearchIndexer

    private typealias Found = (key: Int64, resource: StoredResource)

    /// One version, or the newest, a deletion marker included; nil where there is none or it may not be seen.
    ///
    /// Of a resource that may not be seen as it is now the database finds nothing, as of an id that nobody has: the one
    /// costs what the other does. A deletion has no entries to be asked about, and is looked at by itself: what is not
    /// found is asked about by as many statements.
    func version(_ type: String, _ id: String, _ version: Int64?) throws -> StoredResource? {
        guard let allowed = compiler.allowed(type, "v", .read, 0) else {
            let wanted = version.map { SQLCondition("v.version = ?", [.int($0)]) }
            return try found(type, id, wanted)?.resource
        }
        guard let newest = try newest(type, id, allowed) else { return nil }
        guard let version, version != newest.version else { return newest }
        guard let older = try found(type, id, SQLCondition("v.version = ?", [.int(version)])), try sees(older)
        else { return nil }
        return older.resource
    }

    /// Whether the version by itself may be seen.
    private func sees(_ found: Found) throws -> Bool {
        try VersionSight(.read, of: found.resource.type, compiler, connection, indexer)?.sees(found) ?? true
    }

    /// The newest version, if it may be seen. Where entries may be of rules before these, what it holds counts as well.
    private func newest(_ type: String, _ id: String, _ allowed: SQLCondition) throws -> StoredResource? {
        let newest = try connection.first(
            """
            SELECT \(ResourceTable.columns), v.version_key, (SELECT u.value FROM upkeep u WHERE u.name = ?) \
            FROM resource_versions v WHERE v.type = ? AND v.id = ? AND v.end_sequence = \(ResourceTable.current) \
            AND (v.deleted = 1 OR (\(allowed.text))) LIMIT 1
            """, [.text(UpkeepTable.Name.indexForm.rawValue), .text(type), .text(id)] + allowed.values
        ) {
            (
                found: (key: try $0.int(8), resource: try ResourceTable.decode($0)),
                isOfTheseRules: try $0.optionalInt(9) == indexer.form
            )
        }
        guard let newest else {
            try VersionSight(.read, of: type, compiler, connection, indexer)?.asksInVain(id)
            return nil
        }
        let resource = newest.found.resource
        return try (newest.isOfTheseRules && !resource.isDeleted) || sees(newest.found) ? resource : nil
    }

    /// The newest version that meets a condition.
    private func found(_ type: String, _ id: String, _ wanted: SQLCondition?) throws -> Found? {
        var condition = SQLCondition("v.type = ? AND v.id = ?", [.text(type), .text(id)])
        if let wanted { condition.add(wanted) }
        return try connection.first(
            """
            SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE \(condition.text) \
            ORDER BY v.version DESC LIMIT 1
            """, condition.values
        ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
    }
}
