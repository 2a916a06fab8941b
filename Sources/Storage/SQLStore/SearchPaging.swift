import Access
import FHIRResources
import FHIRSearch
import Workflow

/// Makes pages of searches from what a run finds.
struct SearchPaging: Sendable {
    /// Matches on a page when the request does not say.
    private static let countDefault = 50

    let tokens: PageTokens
    let limits: SearchLimits

    /// One page.
    /// - Parameters:
    ///   - position: of the last match of the page before; nil for the first.
    ///   - snapshot: the sequence number that the whole paged search is read at.
    ///   - expires: when links to further pages end, in microseconds since 1970 UTC.
    ///   - principal: to whom they are bound.
    func page(
        _ query: SearchQuery, after position: SearchCompiler.Position?, snapshot: Int64, expires: Int64,
        of run: SearchRun, for principal: Principal
    ) throws -> SearchPage {
        var page = SearchPage(matches: [], snapshot: snapshot)
        if query.isTotalOnly || query.total == .accurate || query.total == .estimate {
            page.total = try run.total(query)
        }
        if query.isTotalOnly { return page }
        let count = query.count ?? Self.countDefault
        var places = try run.find(query, after: position, limit: count + 1)
        let fitting = min(count, try fitting(places.map(\.key), run.connection))
        let hasMore = places.count > fitting
        if hasMore { places.removeLast(places.count - fitting) }
        if !hasMore, position == nil, query.total != TotalMode.none { page.total = page.total ?? places.count }
        let rows = try ResourceTable.versions(places.map(\.key), run.connection)
        page.matches = rows.map(\.resource)
        if hasMore, let last = places.last {
            page.nextToken = tokens.seal(
                PageTokens.Content(snapshot: snapshot, position: last, expires: expires), query: query,
                principal: principal)
        }
        if !query.includes.isEmpty {
            var includes = SearchIncludes(connection: run.connection, compiler: run.compiler, limits: limits)
            try includes.run(query.includes, from: rows)
            page.included = includes.included
            if includes.isCapped {
                page.notices.append("There is more to include than a page holds; the rest was left out.")
            }
        }
        return page
    }

    /// How many of these versions fit on a page by their bytes; at least one.
    func fitting(_ keys: [Int64], _ connection: any SQLConnection) throws -> Int {
        if keys.count < 2 { return keys.count }
        var sizes: [Int64: Int] = [:]
        try connection.run(
            "SELECT v.version_key, length(v.body) FROM resource_versions v WHERE \(connection.dialect.isInInts("v.version_key"))",
            [.ints(keys)]
        ) { sizes[try $0.int(0)] = Int(try $0.int(1)) }
        var bytes = 0
        for (count, key) in keys.enumerated() {
            bytes += sizes[key] ?? 0
            if count > 0, bytes > limits.pageBytesMax { return count }
        }
        return keys.count
    }
}
