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
    /// Whether the conditions are on more than a version's own columns.
    private let asksEntries: Bool
    /// Values of entries in one statement, unless one version has more: the text of the statement grows with them.
    private static let boundMax = 2_000

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
        asksEntries = SearchIndexTable.Kind.allCases.contains { kind in
            conditions.contains { $0.text.contains(kind.table) }
        }
    }

    /// Whether the version by itself may be seen.
    func sees(_ version: (key: Int64, resource: StoredResource)) throws -> Bool { try !seen(among: [version]).isEmpty }

    /// The keys of those that may be seen, each by itself. Many are asked about at once: what is asked of them may be a
    /// very long list, which each statement reads again.
    func seen(among versions: [(key: Int64, resource: StoredResource)]) throws -> Set<Int64> {
        var seen: Set<Int64> = []
        var (keys, entries, values): ([Int64], [(key: Int64, entry: IndexEntry)], Int) = ([], [], 0)
        func ask() throws {
            if keys.isEmpty { return }
            seen.formUnion(try self.found(keys, by: entries))
            (keys, entries, values) = ([], [], 0)
        }
        for (key, resource) in versions {
            guard let found = try self.entries(of: resource) else { continue }
            let count = found.count * SearchIndexTable.rowValuesMax
            if values + count > Self.boundMax { try ask() }
            keys.append(key)
            entries += found.map { (key: key, entry: $0) }
            values += count
        }
        try ask()
        return seen
    }

    /// Those of some keys whose versions may be seen by these entries.
    private func found(_ keys: [Int64], by entries: [(key: Int64, entry: IndexEntry)]) throws -> [Int64] {
        let tables = SearchIndexTable.rows(of: entries, connection.dialect)
        return try connection.all(
            """
            WITH \(tables.text) SELECT v.version_key FROM resource_versions v \
            WHERE \(connection.dialect.isInInts("v.version_key")) AND \(allowed.text)
            """, tables.values + [.ints(keys)] + allowed.values
        ) { try $0.int(0) }
    }

    /// Runs of nothing the statements that ``sees(_:)`` takes for a deletion, so that how long an answer takes tells not
    /// what was there. CWE-208.
    func asksInVain(_ id: String) throws {
        _ = try contentBefore(id, 0)
        // No version has such a key.
        _ = try found([-1], by: [])
    }

    /// What the version holds of the parameters that are asked about; nil for a deletion of what is not kept any more.
    private func entries(of version: StoredResource) throws -> [IndexEntry]? {
        let content = version.isDeleted ? try contentBefore(version.id, version.version) : version.bytes
        guard let content else { return nil }
        guard asksEntries else { return [] }
        let resource: Resource
        do { resource = try Resource(parsing: content, limits: .stored) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) cannot be read", cause: error)
        }
        return indexer.entries(of: resource).filter { parameters.contains($0.parameter) }
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

    /// What the deletion that is a version has deleted; nil where that is not kept any more.
    private func contentBefore(_ id: String, _ deletion: Int64) throws -> [UInt8]? {
        try connection.first(
            """
            SELECT v.body, v.version FROM resource_versions v WHERE v.type = ? AND v.id = ? AND v.version < ? AND v.deleted = 0 \
            ORDER BY v.version DESC LIMIT 1
            """, [.text(type), .text(id), .int(deletion)]
        ) { try $0.opened(0, .resourceBody, ResourceTable.bodyIdentity(type, id, try $0.int(1))) }
    }
}
