import Access
import FHIRModel
import FHIRResources
import FHIRSearch

/// Tells of single versions of one type whether the caller may see them, by what they hold: a version that was replaced
/// long ago has no entries in the index any more.
///
/// A deletion is seen by whoever could see what it deleted. What a resource said before is seen by those only who may see
/// it as it is now: otherwise an old version would tell what a correction or a label has hidden since.
struct VersionSight {
    private let connection: any SQLConnection
    private let indexer: SearchIndexer
    private let type: String
    /// What the caller's rights, and a filter, ask of a row `v`.
    private let allowed: SQLCondition
    /// The numbers of the parameters that are asked about, and other numbers.
    private let parameters: Set<Int64>

    /// Nil where the whole type may be seen, so that there is nothing to ask of a version.
    ///
    /// - Parameter filter: what has to hold beside the rights.
    init?(
        _ permission: Permissions, of type: String, _ compiler: SearchCompiler, _ connection: any SQLConnection,
        _ indexer: SearchIndexer, matching filter: SearchFilter? = nil
    ) {
        let conditions = [
            compiler.allowed(type, "v", permission, 0), filter.map { compiler.probe($0, type, "v", 0) },
        ].compactMap { $0 }
        guard var allowed = conditions.first else { return nil }
        for condition in conditions.dropFirst() { allowed.add(condition) }
        self.connection = connection
        self.indexer = indexer
        self.type = type
        self.allowed = allowed
        parameters = Set(
            allowed.values.compactMap { value -> Int64? in
                if case .int(let number) = value { number } else { nil }
            })
    }

    /// Whether the version by itself may be seen.
    func sees(_ version: (key: Int64, resource: StoredResource)) throws -> Bool {
        let isDeletion = version.resource.isDeleted
        guard let content = isDeletion ? try contentBefore(version.resource) : version.resource.bytes else {
            return false
        }
        let resource: Resource
        do { resource = try Resource(parsing: content, limits: .stored) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) cannot be read", cause: error)
        }
        let entries = indexer.entries(of: resource).filter { parameters.contains($0.parameter) }
        let tables = SearchIndexTable.rows(of: entries, versionKey: version.key, connection.dialect)
        return try connection.first(
            "WITH \(tables.text) SELECT 1 FROM resource_versions v WHERE v.version_key = ? AND \(allowed.text)",
            tables.values + [.int(version.key)] + allowed.values
        ) { try $0.int(0) } != nil
    }

    /// Whether the resource may be seen as it is now, or, after its deletion, as it was last.
    func seesNewest(of id: String) throws -> Bool {
        let newest = try connection.first(
            """
            SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE v.type = ? AND v.id = ? \
            ORDER BY v.version DESC LIMIT 1
            """, [.text(type), .text(id)]
        ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
        return try newest.map(sees) ?? false
    }

    /// What a deletion has deleted; nil where that is not kept any more.
    private func contentBefore(_ deletion: StoredResource) throws -> [UInt8]? {
        try connection.first(
            """
            SELECT v.body FROM resource_versions v WHERE v.type = ? AND v.id = ? AND v.version < ? AND v.deleted = 0 \
            ORDER BY v.version DESC LIMIT 1
            """, [.text(type), .text(deletion.id), .int(deletion.version)]
        ) { try $0.bytes(0) }
    }
}
