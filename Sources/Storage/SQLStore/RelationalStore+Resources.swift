import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

extension RelationalStore: ResourceStore {
    package var zone: LocalZone { indexer.zone }

    package func read(_ type: String, _ id: String, access: AccessContext) async throws -> StoredResource? {
        try await version(type, id, nil, access)
    }

    package func remembered(_ type: String, _ id: String, access: AccessContext) -> StoredResource? {
        guard mayReadAll(type, access) else { return nil }
        return database.resources.find(.init(type: type, id: id))
    }

    /// Who may read the whole type needs no question to the database about one resource.
    private func mayReadAll(_ type: String, _ access: AccessContext) -> Bool {
        access.visibility(.read, of: type).isWhole
    }

    package func read(_ type: String, _ id: String, version: Int64, access: AccessContext) async throws
        -> StoredResource?
    {
        try await self.version(type, id, version, access)
    }

    private func version(_ type: String, _ id: String, _ version: Int64?, _ access: AccessContext) async throws
        -> StoredResource?
    {
        guard access.allows(.read, on: type) else { return nil }
        let isCacheable = version == nil && mayReadAll(type, access)
        let cache = database.resources
        if isCacheable, let known = cache.find(.init(type: type, id: id)) { return known }
        let epoch = cache.epoch
        let found = try await fromDatabase(type, id, version, access)
        if isCacheable, let found { cache.keep(found, readAt: epoch) }
        return found
    }

    private func fromDatabase(_ type: String, _ id: String, _ version: Int64?, _ access: AccessContext) async throws
        -> StoredResource?
    {
        try await translating {
            // One state of the database, where a version is judged by others too.
            try await self.database.read(snapshot: !self.mayReadAll(type, access)) {
                try self.visible($0, access).version(type, id, version)
            }
        }
    }

    /// What tells of versions whether the caller may see them; nil where it may see all.
    private func sight(
        _ permission: Permissions, of type: String, _ access: AccessContext, _ connection: any SQLConnection
    ) -> VersionSight? {
        VersionSight(permission, of: type, compiler(connection, access, .current), connection, indexer)
    }

    package func snapshot() async throws -> (sequence: Int64, time: UTCInstant) {
        let stamp = try await translating { try await self.database.read { try CommitBatches.readStamp($0) } }
        return (stamp.sequence, UTCInstant(microseconds: stamp.time))
    }

    package func scan(
        _ type: String, snapshot: Int64, since: UTCInstant?, until: UTCInstant?, after: Int64?, limit: Int,
        access: AccessContext
    ) async throws -> (resources: [StoredResource], next: Int64?) {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                let limit = max(limit, 1)
                let compiler = self.compiler(connection, access, .past(snapshot))
                let allowed = compiler.allowed(type, "v", .search, 0)
                // What is current still, what was replaced since, and with `since` what was gone at the snapshot.
                var parts = [
                    (compiler.standing("v", .lasting), true),
                    (compiler.standing("v", .replaced, deletions: since != nil), false),
                ]
                if since != nil { parts.append((compiler.gone("v"), false)) }
                let sight = self.sight(.search, of: type, access, connection)
                // Of the former the index tells what they hold.
                var rows: [(key: Int64, resource: StoredResource, isIndexed: Bool)] = []
                for (standing, isIndexed) in parts {
                    var condition = SQLCondition("v.type = ? AND v.version_key > ?", [.text(type), .int(after ?? 0)])
                    condition.add(standing)
                    if let since { condition.add("v.time > ?", .int(since.microseconds)) }
                    if let until { condition.add("v.time <= ?", .int(until.microseconds)) }
                    if let allowed, isIndexed { condition.add(allowed) }
                    rows += try connection.all(
                        """
                        SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE \(condition.text) \
                        ORDER BY v.version_key LIMIT ?
                        """, condition.values + [.int(Int64(limit))]
                    ) { (key: try $0.int(8), resource: try ResourceTable.decode($0), isIndexed: isIndexed) }
                }
                rows.sort { $0.key < $1.key }
                let isLast = rows.count < limit
                if rows.count > limit { rows.removeLast(rows.count - limit) }
                let found = try rows.filter { row in
                    guard !row.isIndexed, let sight else { return true }
                    return try sight.sees((row.key, row.resource))
                }
                return (found.map(\.resource), isLast ? nil : rows.last?.key)
            }
        }
    }

    package func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any ResourceUnitOfWork) throws -> T
    ) async throws -> T {
        try await writeUnit(access) { try body($0) }
    }

    private func visible(_ connection: any SQLConnection, _ access: AccessContext) -> VisibleVersions {
        VisibleVersions(connection: connection, compiler: compiler(connection, access, .current), indexer: indexer)
    }

    func compiler(
        _ connection: any SQLConnection, _ access: AccessContext, _ view: SearchCompiler.View
    ) -> SearchCompiler {
        SearchCompiler(
            dialect: connection.dialect, view: view, access: access,
            parser: SearchQueryParser(baseURL: baseURL, zone: indexer.zone))
    }
}

/// The projection that one stored version consists of.
private struct KeptProjection: Sendable {
    let version: Int64
    let content: JSONValue
    /// Larger resources are read again.
    static let bytesMax = 4 << 10
}

extension SQLUnitOfWork: ResourceTransaction {
    func currentResource(_ type: String, _ id: String) throws -> StoredResource? {
        try resourceTable.newest(type, id)
    }

    private func change(_ type: String, _ id: String) {
        transaction?.memo.forget(KeptProjection.self, type + "/" + id)
        transaction?.memo.changed.insert(.init(type: type, id: id))
    }

    private var resourceTable: ResourceTable { ResourceTable(connection: connection, memo: transaction?.memo) }

    @discardableResult
    func putResource(
        _ type: String, _ id: String, _ document: JSONDocument, method: StoredResource.Method
    ) throws -> StoredResource {
        change(type, id)
        let put = try resourceTable.put(type, id, document, method: method, stamp: try writing(), indexer: indexer)
        if put.isNew { log.note(put.stored, replacedLive: put.replacedLive) }
        if put.isRestored { log.forget(type, id) }
        return put.stored
    }

    /// Stores a version that was made ready outside; nil when another than its basis is the newest.
    func putResource(_ type: String, _ id: String, _ prepared: ResourceTable.Prepared) throws -> StoredResource? {
        change(type, id)
        guard let put = try resourceTable.put(type, id, prepared, stamp: try writing()) else { return nil }
        log.note(put.stored, replacedLive: put.replacedLive)
        return put.stored
    }

    func newestVersion(_ type: String, _ id: String) throws -> Int64? { try resourceTable.newestVersion(type, id) }

    func projection(of version: StoredResource) -> JSONValue? {
        guard let kept = transaction?.memo.find(KeptProjection.self, version.type + "/" + version.id),
            kept.version == version.version
        else { return nil }
        return kept.content
    }

    func keep(_ projection: JSONValue, of version: StoredResource) {
        guard version.bytes.count <= KeptProjection.bytesMax else { return }
        transaction?.memo.remember(
            KeptProjection(version: version.version, content: projection), version.type + "/" + version.id)
    }

    @discardableResult
    func deleteResource(_ type: String, _ id: String) throws -> StoredResource? {
        change(type, id)
        let deleted = try resourceTable.delete(type, id, stamp: try writing())
        if let deleted { log.note(deleted, replacedLive: true) }
        return deleted
    }

    func compiler(_ access: AccessContext) -> SearchCompiler {
        SearchCompiler(
            dialect: connection.dialect, view: .current, access: access,
            parser: SearchQueryParser(baseURL: indexer.baseURL, zone: indexer.zone))
    }

    func visibleResource(_ type: String, _ id: String, version: Int64?) throws -> StoredResource? {
        guard access.allows(.read, on: type) else { return nil }
        return try visible.version(type, id, version)
    }

    private var visible: VisibleVersions {
        VisibleVersions(connection: connection, compiler: compiler(access), indexer: indexer)
    }

    func resourceIDs(matching query: SearchQuery, access: AccessContext, limit: Int) throws -> [String] {
        // What this unit has just written counts, what it has replaced does not.
        try settle()
        var query = query
        query.sort = []
        return try withinBudget {
            let keys = try SearchRun(connection: connection, compiler: compiler(access))
                .find(query, after: nil, limit: limit).map(\.key)
            if keys.isEmpty { return [] }
            return try connection.all(
                """
                SELECT v.id FROM resource_versions v WHERE \(connection.dialect.isInInts("v.version_key")) \
                ORDER BY v.version_key
                """, [.ints(keys)]
            ) { try $0.text(0) }
        }
    }

    func page(of query: SearchQuery) throws -> SearchPage {
        guard let paging, let transaction else { throw StoreError(.misuse, "a read has no pages") }
        try settle()
        let stamp = transaction.stamp
        return try withinBudget {
            try paging.page(
                query, after: nil, snapshot: stamp.sequence,
                expires: stamp.time &+ paging.limits.linkSeconds * 1_000_000,
                of: SearchRun(connection: connection, compiler: compiler(access)), for: access.principal)
        }
    }

    /// All searches of one unit have one budget: every other change waits for them.
    func withinBudget<Value>(_ search: () throws -> Value) throws -> Value {
        guard transaction != nil else { return try search() }
        searchBudget.start()
        connection.budget = searchBudget
        defer {
            connection.budget = nil
            searchBudget.pause()
        }
        do { return try search() } catch let error as SQLStoreError where error.code == .timeout {
            throw SQLStoreError(
                .costly, "the searches within a change used up their limit of time or rows", cause: error)
        }
    }
}
