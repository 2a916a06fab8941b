import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Matches on a page when the request does not say.
private let pageCountDefault = 50

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
        access.decision(.read, on: type) == .permitted(anyOf: [])
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
            try await self.database.read { connection in
                let compiler = self.compiler(connection, access, snapshot: 0)
                var condition = SQLCondition("v.type = ? AND v.id = ?", [.text(type), .text(id)])
                if let version { condition.add("v.version = ?", .int(version)) }
                let found = try connection.first(
                    """
                    SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE \(condition.text) \
                    ORDER BY v.version DESC LIMIT 1
                    """, condition.values
                ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
                guard let found, let allowed = compiler.allowed(type, "v", .read, 0) else { return found?.resource }
                let isAllowed = try connection.first(
                    "SELECT 1 FROM resource_versions v WHERE v.version_key = ? AND \(allowed.text)",
                    [.int(found.key)] + allowed.values
                ) { try $0.int(0) }
                return isAllowed == nil ? nil : found.resource
            }
        }
    }

    package func history(
        _ type: String, _ id: String, before: Int64?, count: Int, access: AccessContext
    ) async throws -> [StoredResource] {
        guard access.allows(.read, on: type) else { return [] }
        return try await translating {
            try await self.database.read { connection in
                var condition = SQLCondition(
                    "v.type = ? AND v.id = ? AND v.version < ?", [.text(type), .text(id), .int(before ?? .max)])
                if let allowed = self.compiler(connection, access, snapshot: 0).allowed(type, "v", .read, 0) {
                    condition.add(allowed.text, values: allowed.values)
                }
                return try connection.all(
                    """
                    SELECT \(ResourceTable.columns) FROM resource_versions v WHERE \(condition.text) \
                    ORDER BY v.version DESC LIMIT ?
                    """, condition.values + [.int(Int64(max(count, 0)))], ResourceTable.decode)
            }
        }
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
            try await self.database.read { connection in
                let compiler = self.compiler(connection, access, snapshot: snapshot)
                var condition = compiler.visible(type, deletions: since != nil)
                if let since { condition.add("v.time > ?", .int(since.microseconds)) }
                if let until { condition.add("v.time <= ?", .int(until.microseconds)) }
                condition.add("v.version_key > ?", .int(after ?? 0))
                let rows = try connection.all(
                    """
                    SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v WHERE \(condition.text) \
                    ORDER BY v.version_key LIMIT ?
                    """, condition.values + [.int(Int64(max(limit, 1)))]
                ) { (key: try $0.int(8), resource: try ResourceTable.decode($0)) }
                return (rows.map(\.resource), rows.count < max(limit, 1) ? nil : rows.last?.key)
            }
        }
    }

    package func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any ResourceUnitOfWork) throws -> T
    ) async throws -> T {
        try await writeUnit(access) { try body($0) }
    }

    // MARK: Search

    package func search(_ query: SearchQuery, token: String?, access: AccessContext) async throws -> SearchPage {
        try await translating {
            try await self.database.read { connection in
                let stamp = try CommitBatches.readStamp(connection)
                let now = UTCInstant(microseconds: self.now())
                var place: PageTokens.Content?
                if let token {
                    place = self.pageTokens.open(token, query: query, principal: access.principal, now: now)
                    if place == nil { throw StoreError(.notFound, "the page token is not valid any more") }
                }
                let compiler = self.compiler(connection, access, snapshot: place?.snapshot ?? stamp.sequence)
                return try self.page(query, place?.position, compiler, connection, access, now)
            }
        }
    }

    private func page(
        _ query: SearchQuery, _ position: SearchCompiler.Position?, _ compiler: SearchCompiler,
        _ connection: any SQLConnection, _ access: AccessContext, _ now: UTCInstant
    ) throws -> SearchPage {
        var page = SearchPage(matches: [], snapshot: compiler.snapshot)
        let wantsTotal = query.isTotalOnly || query.total == .accurate || query.total == .estimate
        if wantsTotal {
            let total = compiler.total(query)
            page.total = try connection.first(total.text, total.values) { Int(try $0.int(0)) } ?? 0
        }
        if query.isTotalOnly { return page }
        let count = query.count ?? pageCountDefault
        let statement = compiler.page(query, after: position, limit: count + 1)
        var places = try connection.all(statement.text, statement.values) { row in
            SearchCompiler.Position(
                sort: try query.sort.enumerated().map { try Self.sortValue(row, $0 + 1, $1) }, key: try row.int(0))
        }
        let hasMore = places.count > count
        if hasMore { places.removeLast(places.count - count) }
        if !hasMore, position == nil, query.total != TotalMode.none { page.total = page.total ?? places.count }
        let rows = try resources(places.map(\.key), connection)
        page.matches = rows.map(\.resource)
        if hasMore, let last = places.last {
            page.nextToken = try pageTokens.seal(
                PageTokens.Content(snapshot: compiler.snapshot, position: last), query: query,
                principal: access.principal,
                now: now)
        }
        if !query.includes.isEmpty {
            var includes = SearchIncludes(connection: connection, compiler: compiler, limits: searchLimits)
            try includes.run(query.includes, from: rows)
            page.included = includes.included
            if includes.isCapped {
                page.notices.append(
                    "More than \(searchLimits.includedMax) resources to include; the rest was left out.")
            }
        }
        return page
    }

    private static func sortValue(_ row: SQLRow, _ column: Int, _ key: SortKey) throws -> SQLValue {
        if row.isNull(column) { return .null }
        return switch SearchCompiler.sortKind(key) {
        case .int: .int(try row.int(column))
        case .double: .double(try row.double(column))
        default: .text(try row.text(column))
        }
    }

    /// The resources of these versions, in this order.
    private func resources(_ keys: [Int64], _ connection: any SQLConnection) throws -> [(
        key: Int64, resource: StoredResource
    )] {
        if keys.isEmpty { return [] }
        var found: [Int64: StoredResource] = [:]
        try connection.run(
            """
            SELECT \(ResourceTable.columns), v.version_key FROM resource_versions v \
            WHERE \(connection.dialect.isInInts("v.version_key"))
            """, [.ints(keys)]
        ) { found[try $0.int(8)] = try ResourceTable.decode($0) }
        return keys.compactMap { key in found[key].map { (key, $0) } }
    }

    private func compiler(_ connection: any SQLConnection, _ access: AccessContext, snapshot: Int64) -> SearchCompiler {
        SearchCompiler(
            dialect: connection.dialect, snapshot: snapshot, access: access,
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
        return try resourceTable.put(
            type, id, document, method: method, stamp: try writing(), indexer: indexer)
    }

    /// Stores a version that was made ready outside; nil when another than its basis is the newest.
    func putResource(_ type: String, _ id: String, _ prepared: ResourceTable.Prepared) throws -> StoredResource? {
        change(type, id)
        return try resourceTable.put(type, id, prepared, stamp: try writing())
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
        return try resourceTable.delete(type, id, stamp: try writing())
    }

    func resourceIDs(matching query: SearchQuery, access: AccessContext, limit: Int) throws -> [String] {
        // One below the greatest number: what this unit has just written counts, what it has replaced does not.
        let compiler = SearchCompiler(
            dialect: connection.dialect, snapshot: ResourceTable.current - 1, access: access,
            parser: SearchQueryParser(baseURL: indexer.baseURL, zone: indexer.zone))
        let matches = compiler.matches(query)
        return try connection.all(
            "SELECT v.id FROM resource_versions v WHERE \(matches.text) ORDER BY v.version_key LIMIT ?",
            matches.values + [.int(Int64(limit))]
        ) { try $0.text(0) }
    }
}
