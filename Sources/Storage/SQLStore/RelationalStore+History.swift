import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Histories. Versions get their keys in the order of their commits, and no commit is earlier than one before it: newest
/// first is by falling key, and a time is found by halving the keys.
extension RelationalStore {
    package func history(_ query: HistoryQuery, token: String?, access: AccessContext) async throws -> HistoryPage {
        try await translating {
            try await self.database.read(.search(client: access.principal.id), snapshot: true) { connection in
                let now = UTCInstant(microseconds: self.now())
                let identity = query.identity
                var place: PageTokens.Content?
                if let token {
                    place = self.paging.tokens.open(token, query: identity, principal: access.principal, now: now)
                    if place == nil { throw StoreError(.notFound, "the page token is not valid any more") }
                }
                let walk = HistoryWalk(
                    connection: connection, compiler: self.compiler(connection, access, .current),
                    indexer: self.indexer, access: access)
                let found = try walk.entries(query, below: place?.position.key)
                var page = HistoryPage(entries: found.entries.map(\.entry), hasMore: found.hasMore)
                if found.hasMore, let last = found.entries.last {
                    let expires = place?.expires ?? now.microseconds &+ self.paging.limits.linkSeconds * 1_000_000
                    page.nextToken = self.paging.tokens.seal(
                        PageTokens.Content(
                            snapshot: 0, position: SearchCompiler.Position(sort: [], key: last.key), expires: expires),
                        query: identity, principal: access.principal)
                }
                return page
            }
        }
    }
}

extension SQLUnitOfWork {
    func visibleHistory(_ query: HistoryQuery) throws -> HistoryPage {
        try settle()
        let walk = HistoryWalk(
            connection: connection, compiler: compiler(access), indexer: indexer, access: access)
        let found = try withinBudget { try walk.entries(query, below: nil) }
        return HistoryPage(entries: found.entries.map(\.entry), hasMore: found.hasMore)
    }
}

/// Finds the versions of a history that one caller may see.
private struct HistoryWalk {
    let connection: any SQLConnection
    /// Of the caller's access.
    let compiler: SearchCompiler
    let indexer: SearchIndexer
    let access: AccessContext

    func entries(
        _ query: HistoryQuery, below key: Int64?
    ) throws -> (entries: [(key: Int64, entry: HistoryPage.Entry)], hasMore: Bool) {
        // Of one resource whoever may read, of many whoever may search. SMART App Launch 2.2 §Scopes.
        let permission: Permissions = query.id == nil ? .search : .read
        let types = types(query, permission)
        var run = HistoryRun(connection: connection, query: query)
        try run.bound(below: key)
        var entries: [(key: Int64, entry: HistoryPage.Entry)] = []
        // One more than asked for tells whether there is more.
        while entries.count <= query.count {
            let found = try run.next(types, count: query.count + 1)
            if found.isEmpty { break }
            entries += try visible(found, permission)
        }
        let hasMore = entries.count > query.count
        entries.removeLast(max(0, entries.count - query.count))
        return (entries, hasMore)
    }

    /// The types whose versions are looked at; nil for all there are.
    private func types(_ query: HistoryQuery, _ permission: Permissions) -> [String]? {
        let all = query.type.map { [$0] } ?? FHIRDefinitions.r4.resourceTypes
        let visible = all.filter { !access.visibility(permission, of: $0).isNothing }
        return query.type == nil && visible.count == all.count ? nil : visible
    }

    /// Those that the caller may see. What a resource said before is seen by those only who may see it as it is now.
    private func visible(_ found: [HistoryRun.Row], _ permission: Permissions) throws -> [HistoryRun.Row] {
        var sights: [String: VersionSight?] = [:]
        var newest: [String: Bool] = [:]
        return try found.filter { row in
            let version = row.entry.version
            let sight: VersionSight?
            if let known = sights[version.type] {
                sight = known
            } else {
                sight = VersionSight(permission, of: version.type, compiler, connection, indexer)
                sights[version.type] = .some(sight)
            }
            guard let sight else { return true }
            let name = version.type + "/" + version.id
            let isSeen = try newest[name] ?? sight.seesNewest(of: version.id)
            newest[name] = isSeen
            return try isSeen && sight.sees((row.key, version))
        }
    }
}

extension HistoryQuery {
    /// What a page token is bound to.
    fileprivate var identity: SearchQuery {
        var identity = SearchQuery("_history \(type ?? "*")/\(id ?? "*")")
        identity.parameters = [
            .init(name: "_since", value: since.map { "\($0.microseconds)" } ?? ""),
            .init(name: "_at", value: at.map { "\($0.lower) \($0.upper)" } ?? ""),
        ]
        return identity
    }
}

/// Walks versions by falling key.
private struct HistoryRun {
    typealias Row = (key: Int64, entry: HistoryPage.Entry)

    let connection: any SQLConnection
    let query: HistoryQuery
    /// Keys at or above this are behind.
    private var below = Int64.max
    /// Keys below this are too old.
    private var lowest = Int64.min

    init(connection: any SQLConnection, query: HistoryQuery) {
        self.connection = connection
        self.query = query
    }

    /// Sets where the walk begins and ends.
    mutating func bound(below key: Int64?) throws {
        below = key ?? .max
        if let since = query.since { lowest = try firstKey(from: since.microseconds) }
        // What was made after the range was not there in it.
        if let at = query.at { below = min(below, try firstKey(from: at.upper)) }
    }

    /// The smallest key of a version made at this time or later; the greatest number when there is none.
    private func firstKey(from time: Int64) throws -> Int64 {
        var (low, high) = (Int64(0), try newestKey() + 1)
        while low < high {
            let middle = low + (high - low) / 2
            let next = try connection.first(
                """
                SELECT v.version_key, v.time FROM resource_versions v WHERE v.version_key >= ? \
                ORDER BY v.version_key LIMIT 1
                """, [.int(middle)]
            ) { (key: try $0.int(0), time: try $0.int(1)) }
            if let next, next.time < time { low = next.key + 1 } else { high = middle }
        }
        return low
    }

    private func newestKey() throws -> Int64 {
        try connection.first(
            "SELECT v.version_key FROM resource_versions v ORDER BY v.version_key DESC LIMIT 1", []
        ) { try $0.int(0) } ?? 0
    }

    /// The next versions of these types, newest first; none when there are no more.
    /// - Parameter types: nil for all.
    mutating func next(_ types: [String]?, count: Int) throws -> [Row] {
        guard below > lowest else { return [] }
        var rows: [Row] = []
        if let id = query.id, let type = query.type {
            if types?.isEmpty == true { return [] }
            rows = try read(SQLCondition("v.type = ? AND v.id = ?", [.text(type), .text(id)]), count, by: "v.version")
        } else if let types {
            // Each part has an index by type and key.
            let current = "v.end_sequence = \(ResourceTable.current)"
            for type in types {
                for part in [
                    "\(current) AND v.deleted = 0", "\(current) AND v.deleted = 1",
                    "v.end_sequence < \(ResourceTable.current)",
                ] {
                    rows += try read(SQLCondition("v.type = ? AND \(part)", [.text(type)]), count, by: "v.version_key")
                }
            }
            rows.sort { $0.key > $1.key }
            rows.removeLast(max(0, rows.count - count))
        } else {
            rows = try read(SQLCondition("1 = 1"), count, by: "v.version_key")
        }
        below = rows.last?.key ?? .min
        return rows
    }

    private func read(_ which: SQLCondition, _ count: Int, by order: String) throws -> [Row] {
        var condition = which
        if below < .max { condition.add("v.version_key < ?", .int(below)) }
        if lowest > .min { condition.add("v.version_key >= ?", .int(lowest)) }
        if let at = query.at {
            // Replaced by then: it was not the newest one at any time of the range.
            condition.add(
                SQLCondition(
                    """
                    NOT EXISTS (SELECT 1 FROM resource_versions n WHERE n.type = v.type AND n.id = v.id \
                    AND n.version = v.version + 1 AND n.time <= ?)
                    """, [.int(at.lower)]))
        }
        return try connection.all(
            """
            SELECT \(ResourceTable.columns), v.version_key, (SELECT p.deleted FROM resource_versions p \
            WHERE p.type = v.type AND p.id = v.id AND p.version = v.version - 1) FROM resource_versions v \
            WHERE \(condition.text) ORDER BY \(order) DESC LIMIT ?
            """, condition.values + [.int(Int64(count))]
        ) { row in
            let version = try ResourceTable.decode(row)
            // A version before it that is not kept any more was no deletion, or its successor had been a creation.
            let wasDeleted = try row.optionalInt(9).map { $0 != 0 } ?? (version.method == .create)
            return (try row.int(8), HistoryPage.Entry(version: version, isCreation: version.version == 1 || wasDeleted))
        }
    }
}
