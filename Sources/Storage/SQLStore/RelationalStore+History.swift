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
                var walk = HistoryWalk(
                    connection: connection, compiler: self.compiler(connection, access, .current),
                    indexer: self.indexer, access: access, paging: self.paging)
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
        guard let paging else { throw StoreError(.misuse, "a read has no pages") }
        try settle()
        var walk = HistoryWalk(
            connection: connection, compiler: compiler(access), indexer: indexer, access: access, paging: paging)
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
    let paging: SearchPaging
    private var sights: [String: VersionSight?] = [:]
    /// Whether a resource may be seen as it is now, by type and id.
    private var newest: [String: Bool] = [:]

    init(
        connection: any SQLConnection, compiler: SearchCompiler, indexer: SearchIndexer, access: AccessContext,
        paging: SearchPaging
    ) {
        self.connection = connection
        self.compiler = compiler
        self.indexer = indexer
        self.access = access
        self.paging = paging
    }

    /// As many as are asked for, or as fit on a page by their bytes; at least one.
    mutating func entries(
        _ query: HistoryQuery, below key: Int64?
    ) throws -> (entries: [HistoryRun.Row], hasMore: Bool) {
        // Of one resource whoever may read, of many whoever may search. SMART App Launch 2.2 §Scopes.
        let permission: Permissions = query.id == nil ? .search : .read
        let types = types(query, permission)
        // What may not be seen as it is now costs what a read of it does, whether anything was there or not.
        if let type = query.type, let id = query.id, let sight = types?.first, sight.seen != nil {
            let versions = VisibleVersions(connection: connection, compiler: compiler, indexer: indexer)
            guard try versions.version(type, id, nil) != nil else { return ([], false) }
            newest[type + "/" + id] = true
        }
        var run = HistoryRun(connection: connection, query: query)
        try run.bound(below: key)
        var entries: [HistoryRun.Row] = []
        var room = paging.limits.pageBytesMax
        while true {
            // One more than asked for tells whether there is more.
            var keys = try run.next(types, count: query.count + 1)
            if keys.isEmpty { return (entries, false) }
            while !keys.isEmpty {
                let fitting = try paging.fitting(keys, connection)
                for row in try run.rows(Array(keys.prefix(fitting))) where try isVisible(row, permission) {
                    let bytes = row.entry.version.bytes.count
                    if entries.count == query.count || !entries.isEmpty && bytes > room { return (entries, true) }
                    room -= bytes
                    entries.append(row)
                }
                keys.removeFirst(fitting)
            }
        }
    }

    /// The types whose versions are looked at; nil for all versions there are.
    private func types(_ query: HistoryQuery, _ permission: Permissions) -> [HistoryRun.TypeSight]? {
        let all = query.type.map { [$0] } ?? FHIRDefinitions.r4.resourceTypes
        let visible = all.filter { !access.visibility(permission, of: $0).isNothing }
        let isWhole = visible.count == all.count && all.allSatisfy { access.visibility(permission, of: $0).isWhole }
        return query.type == nil && isWhole ? nil : visible.map { ($0, newestSeen($0, permission)) }
    }

    /// Versions `v` of what may be seen as it is now, by the index. What was deleted last has no entries there, and is
    /// left to be looked at. Nil where the whole type may be seen.
    private func newestSeen(_ type: String, _ permission: Permissions) -> SQLCondition? {
        guard let allowed = compiler.allowed(type, "newest", permission, 0) else { return nil }
        return compiler.exists(
            """
            resource_versions newest WHERE newest.type = v.type AND newest.id = v.id \
            AND newest.end_sequence = \(ResourceTable.current) AND (newest.deleted = 1 OR (\(allowed.text)))
            """, allowed.values)
    }

    /// Whether the caller may see a version. What a resource said before is seen by those only who may see it as it is
    /// now.
    private mutating func isVisible(_ row: HistoryRun.Row, _ permission: Permissions) throws -> Bool {
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
    /// A type, and a condition on its versions `v`; nil for all of them.
    typealias TypeSight = (type: String, seen: SQLCondition?)

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

    /// The keys of the next versions of these types, newest first; none when there are no more.
    /// - Parameter types: nil for all.
    mutating func next(_ types: [TypeSight]?, count: Int) throws -> [Int64] {
        guard below > lowest else { return [] }
        var found: [Int64] = []
        if let types {
            for type in types {
                var own = SQLCondition("v.type = ?", [.text(type.type)])
                if let id = query.id {
                    own.add("v.id = ?", .text(id))
                    found += try keys(own, type.seen, count, by: "v.version")
                } else {
                    for part in Self.parts { found += try keys(own, type.seen, count, part, by: "v.version_key") }
                }
            }
            found.sort(by: >)
            found.removeLast(max(0, found.count - count))
        } else {
            found = try keys(SQLCondition("1 = 1"), nil, count, by: "v.version_key")
        }
        below = found.last ?? .min
        return found
    }

    /// Each has an index by type and key.
    private static let parts = [
        "v.end_sequence = \(ResourceTable.current) AND v.deleted = 0",
        "v.end_sequence = \(ResourceTable.current) AND v.deleted = 1",
        "v.end_sequence < \(ResourceTable.current)",
    ]

    private func keys(
        _ which: SQLCondition, _ seen: SQLCondition?, _ count: Int, _ part: String? = nil, by order: String
    ) throws -> [Int64] {
        var condition = which
        if let part { condition.add(part) }
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
        if let seen { condition.add(seen) }
        return try connection.all(
            "SELECT v.version_key FROM resource_versions v WHERE \(condition.text) ORDER BY \(order) DESC LIMIT ?",
            condition.values + [.int(Int64(count))]
        ) { try $0.int(0) }
    }

    /// The versions of these keys, in this order.
    func rows(_ keys: [Int64]) throws -> [Row] {
        var found: [Int64: HistoryPage.Entry] = [:]
        try connection.run(
            """
            SELECT \(ResourceTable.columns), v.version_key, (SELECT p.deleted FROM resource_versions p \
            WHERE p.type = v.type AND p.id = v.id AND p.version = v.version - 1) FROM resource_versions v \
            WHERE \(connection.dialect.isInInts("v.version_key"))
            """, [.ints(keys)]
        ) { row in
            let version = try ResourceTable.decode(row)
            // A version before it that is not kept any more was no deletion, or its successor had been a creation.
            let wasDeleted = try row.optionalInt(9).map { $0 != 0 } ?? (version.method == .create)
            found[try row.int(8)] = HistoryPage.Entry(
                version: version, isCreation: version.version == 1 || wasDeleted)
        }
        return keys.compactMap { key in found[key].map { (key, $0) } }
    }
}
