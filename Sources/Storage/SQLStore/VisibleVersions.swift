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
        let found = try connection.all(
            """
            SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE \(condition.text) \
            ORDER BY v.version DESC LIMIT 1
            """, condition.values
        ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
        return try of(found, .read, on: type).first?.resource
    }

    /// Versions of one resource, newest first, below `before`; at most `count`.
    func history(_ type: String, _ id: String, before: Int64?, count: Int) throws -> [StoredResource] {
        var found: [StoredResource] = []
        var before = before ?? .max
        while found.count < count {
            let versions = try connection.all(
                """
                SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v \
                WHERE v.type = ? AND v.id = ? AND v.version < ? ORDER BY v.version DESC LIMIT ?
                """, [.text(type), .text(id), .int(before), .int(Int64(count))]
            ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
            found += try of(versions, .read, on: type).map(\.resource)
            guard let last = versions.last, versions.count == count else { break }
            before = last.resource.version
        }
        return Array(found.prefix(count))
    }

    /// Those of the versions of a type that the caller may see, judged by what they hold: a version that was replaced
    /// long ago has no entries any more.
    func of(
        _ versions: [(key: Int64, resource: StoredResource)], _ permission: Permissions, on type: String
    ) throws -> [(key: Int64, resource: StoredResource)] {
        guard let allowed = compiler.allowed(type, "v", permission, 0) else { return versions }
        let parameters = Set(
            allowed.values.compactMap { value -> Int64? in
                if case .int(let number) = value { number } else { nil }
            })
        return try versions.filter { version in
            var entries: [IndexEntry] = []
            if !version.resource.isDeleted {
                let resource: Resource
                do { resource = try Resource(parsing: version.resource.bytes, limits: .stored) } catch {
                    throw SQLStoreError(.corrupt, "a stored \(type) cannot be read", cause: error)
                }
                entries = indexer.entries(of: resource).filter { parameters.contains($0.parameter) }
            }
            let tables = SearchIndexTable.rows(of: entries, versionKey: version.key, connection.dialect)
            return try connection.first(
                "WITH \(tables.text) SELECT 1 FROM resource_versions v WHERE v.version_key = ? AND \(allowed.text)",
                tables.values + [.int(version.key)] + allowed.values
            ) { try $0.int(0) } != nil
        }
    }
}
