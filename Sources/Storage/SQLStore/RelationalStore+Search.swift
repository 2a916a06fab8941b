import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Matches on a page when the request does not say.
private let pageCountDefault = 50

extension RelationalStore {
    package func search(_ query: SearchQuery, token: String?, access: AccessContext) async throws -> SearchPage {
        try await translating {
            // One state of the database: what is current in it is the view of a first page.
            try await self.database.read(.search(client: access.principal.id), snapshot: true) { connection in
                if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
                let stamp = try CommitBatches.readStamp(connection)
                let now = UTCInstant(microseconds: self.now())
                var place: PageTokens.Content?
                if let token {
                    place = self.pageTokens.open(token, query: query, principal: access.principal, now: now)
                    if place == nil { throw StoreError(.notFound, "the page token is not valid any more") }
                }
                let snapshot = place?.snapshot ?? stamp.sequence
                let compiler = self.compiler(
                    connection, access, snapshot == stamp.sequence ? .current : .past(snapshot))
                let expires = place?.expires ?? now.microseconds &+ self.searchLimits.linkSeconds * 1_000_000
                return try self.page(
                    query, place?.position, snapshot, expires,
                    SearchRun(connection: connection, compiler: compiler), access)
            }
        }
    }

    private func page(
        _ query: SearchQuery, _ position: SearchCompiler.Position?, _ snapshot: Int64, _ expires: Int64,
        _ run: SearchRun, _ access: AccessContext
    ) throws -> SearchPage {
        var page = SearchPage(matches: [], snapshot: snapshot)
        if query.isTotalOnly || query.total == .accurate || query.total == .estimate {
            page.total = try run.total(query)
        }
        if query.isTotalOnly { return page }
        let count = query.count ?? pageCountDefault
        var places = try run.find(query, after: position, limit: count + 1)
        let fitting = min(count, try fitting(places.map(\.key), run.connection))
        let hasMore = places.count > fitting
        if hasMore { places.removeLast(places.count - fitting) }
        if !hasMore, position == nil, query.total != TotalMode.none { page.total = page.total ?? places.count }
        let rows = try ResourceTable.versions(places.map(\.key), run.connection)
        page.matches = rows.map(\.resource)
        if hasMore, let last = places.last {
            page.nextToken = try pageTokens.seal(
                PageTokens.Content(snapshot: snapshot, position: last, expires: expires), query: query,
                principal: access.principal)
        }
        if !query.includes.isEmpty {
            var includes = SearchIncludes(connection: run.connection, compiler: run.compiler, limits: searchLimits)
            try includes.run(query.includes, from: rows)
            page.included = includes.included
            if includes.isCapped {
                page.notices.append("There is more to include than a page holds; the rest was left out.")
            }
        }
        return page
    }

    /// How many of these versions fit on a page by their bytes; at least one.
    private func fitting(_ keys: [Int64], _ connection: any SQLConnection) throws -> Int {
        if keys.count < 2 { return keys.count }
        var sizes: [Int64: Int] = [:]
        try connection.run(
            "SELECT v.version_key, length(v.body) FROM resource_versions v WHERE \(connection.dialect.isInInts("v.version_key"))",
            [.ints(keys)]
        ) { sizes[try $0.int(0)] = Int(try $0.int(1)) }
        var bytes = 0
        for (count, key) in keys.enumerated() {
            bytes += sizes[key] ?? 0
            if count > 0, bytes > searchLimits.pageBytesMax { return count }
        }
        return keys.count
    }
}
