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

    package func remembered(_ type: String, _ id: String, access: AccessContext) -> RememberedResource? {
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
        if isCacheable, let known = cache.find(.init(type: type, id: id)) { return known.resource }
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

    package func snapshot() async throws -> (sequence: Int64, time: UTCInstant) {
        let stamp = try await translating { try await self.database.read { try CommitBatches.readStamp($0) } }
        return (stamp.sequence, UTCInstant(microseconds: stamp.time))
    }

    package func scan(
        _ type: String, snapshot: Int64, since: UTCInstant?, until: UTCInstant?, matching filter: SearchFilter?,
        after: Int64?, limit: Int, access: AccessContext
    ) async throws -> (resources: [StoredResource], next: Int64?) {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                let limit = max(limit, 1)
                let compiler = self.compiler(connection, access, .past(snapshot))
                let allowed = compiler.allowed(type, "v", .search, 0)
                let wanted = filter.map { compiler.probe($0, type, "v", 0) }
                // What is current still, what was replaced since, and with `since` what was gone at the snapshot.
                var parts = [
                    (compiler.standing("v", .lasting), true),
                    (compiler.standing("v", .replaced, deletions: since != nil), false),
                ]
                if since != nil { parts.append((compiler.gone("v"), false)) }
                // Of the former the index tells what they hold.
                var rows: [(key: Int64, isIndexed: Bool)] = []
                for (standing, isIndexed) in parts {
                    var condition = SQLCondition("v.type = ? AND v.version_key > ?", [.text(type), .int(after ?? 0)])
                    condition.add(standing)
                    if let since { condition.add("v.time > ?", .int(since.microseconds)) }
                    if let until { condition.add("v.time <= ?", .int(until.microseconds)) }
                    if let allowed, isIndexed { condition.add(allowed) }
                    if let wanted, isIndexed { condition.add(wanted) }
                    rows += try connection.all(
                        """
                        SELECT v.version_key FROM resource_versions v WHERE \(condition.text) \
                        ORDER BY v.version_key LIMIT ?
                        """, condition.values + [.int(Int64(limit))]
                    ) { (key: try $0.int(0), isIndexed: isIndexed) }
                }
                rows.sort { $0.key < $1.key }
                var isLast = rows.count < limit
                rows = Array(rows.prefix(limit))
                let fitting = try self.paging.fitting(rows.map(\.key), connection)
                if fitting < rows.count {
                    isLast = false
                    rows.removeLast(rows.count - fitting)
                }
                let indexed = Set(rows.filter(\.isIndexed).map(\.key))
                let versions = try ResourceTable.versions(rows.map(\.key), connection)
                let others = versions.filter { !indexed.contains($0.key) }
                let seen =
                    others.isEmpty
                    ? nil
                    : try VersionSight(.search, of: type, compiler, connection, self.indexer, matching: filter)?
                        .seen(among: others)
                let found = versions.filter { indexed.contains($0.key) || seen?.contains($0.key) ?? true }
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
