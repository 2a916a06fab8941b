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

    /// One version, or the newest, a deletion marker included; nil where there is none or it may not be seen.
    func version(_ type: String, _ id: String, _ version: Int64?) throws -> StoredResource? {
        var condition = SQLCondition("v.type = ? AND v.id = ?", [.text(type), .text(id)])
        if let version { condition.add("v.version = ?", .int(version)) }
        let found = try connection.first(
            """
            SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE \(condition.text) \
            ORDER BY v.version DESC LIMIT 1
            """, condition.values
        ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
        guard let found else { return nil }
        if let sight = sight(of: type) {
            guard try sight.sees(found), try version == nil || sight.seesNewest(of: id) else { return nil }
        }
        return found.resource
    }

    /// What tells of versions whether the caller may see them; nil where it may see all.
    private func sight(of type: String) -> VersionSight? {
        VersionSight(.read, of: type, compiler, connection, indexer)
    }
}
