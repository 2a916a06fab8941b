import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// One read of a scan.
///
/// Where an index gives a short list of what may be found, of a few patients' or of what has changed lately, that is read;
/// else the type is walked in the order of its keys.
struct ScanRun {
    let scan: ResourceScan
    let connection: any SQLConnection
    let compiler: SearchCompiler
    let paging: SearchPaging
    let indexer: SearchIndexer
    /// What the caller's rights, and the filter, ask of a row that is current still.
    private let allowed: SQLCondition?
    private let wanted: SQLCondition?
    /// The list that the rows that are current still are read from; nil where they are walked.
    private let list: SearchCompiler.Leader?

    /// What one read pours at most. It is over soon, so that the database can let go of what it holds for it.
    private static let bytesMax = 4 << 20
    private static let rowsMax = 10_000
    /// Rows of a page that is not poured.
    private static let pageRows = 200
    /// Replaced versions that are looked at by their time.
    private static let replacedMax = 10_000

    init(
        _ scan: ResourceScan, connection: any SQLConnection, compiler: SearchCompiler, paging: SearchPaging,
        indexer: SearchIndexer
    ) throws {
        self.scan = scan
        self.connection = connection
        self.compiler = compiler
        self.paging = paging
        self.indexer = indexer
        allowed = compiler.allowed(scan.type, "v", .search, 0)
        wanted = scan.filter.map { compiler.probe($0, scan.type, "v", 0) }
        let leaders = compiler.leaders(Self.query(scan, compiler.parser))
        if leaders.isEmpty {
            list = nil
            return
        }
        if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
        list = try SearchRun(connection: connection, compiler: compiler).list(among: leaders)
    }

    /// What is asked for, as far as a list may be had by it.
    private static func query(_ scan: ResourceScan, _ parser: SearchQueryParser) -> SearchQuery {
        var query = SearchQuery(scan.type, filters: scan.filter.map(conjuncts) ?? [])
        guard let updated = parser.parameter("_lastUpdated", for: scan.type) else { return query }
        for (prefix, time) in [(SearchPrefix.greater, scan.since), (.lessOrEqual, scan.until)] {
            guard let time else { continue }
            let range = DateTimeRange(lower: time.microseconds, upper: time.microseconds &+ 1)
            query.filters.append(
                .parameter(SearchCondition(updated, .matches([.date(prefix, range, isDay: false)]))))
        }
        return query
    }

    /// Filters that all hold where this one does.
    private static func conjuncts(_ filter: SearchFilter) -> [SearchFilter] {
        switch filter {
        case .allOf(let filters): filters.flatMap(conjuncts)
        case .anyOf(let filters) where filters.count == 1: conjuncts(filters[0])
        default: [filter]
        }
    }

    /// Rows by their own columns alone.
    private func condition(after: Int64, through: Int64, _ standing: SQLCondition) -> SQLCondition {
        var condition = SQLCondition("v.type = ? AND v.version_key > ?", [.text(scan.type), .int(after)])
        if through < .max { condition.add("v.version_key <= ?", .int(through)) }
        condition.add(standing)
        if let since = scan.since { condition.add("v.time > ?", .int(since.microseconds)) }
        if let until = scan.until { condition.add("v.time <= ?", .int(until.microseconds)) }
        return condition
    }

    /// A SELECT of columns of the rows `v` that are current still, in the order of their keys.
    func lasting(_ columns: String, after: Int64, through: Int64, limit: Int) -> SearchCompiler.Statement {
        var condition = condition(after: after, through: through, compiler.standing("v", .lasting))
        if let allowed { condition.add(allowed) }
        if let wanted { condition.add(wanted) }
        let table = list?.table
        if table != nil { condition.add("v.version_key = k.version_key") }
        return SearchCompiler.Statement(
            text: """
                \(table.map { "WITH \($0.text) " } ?? "")SELECT \(columns) \
                FROM \(table == nil ? "" : "k CROSS JOIN ")resource_versions v WHERE \(condition.text) \
                ORDER BY v.version_key LIMIT ?
                """, values: (table?.values ?? []) + condition.values + [.int(Int64(limit))])
    }

    // MARK: Page by page

    func page(after: Int64, through: Int64, limit: Int) throws -> (resources: [StoredResource], next: Int64?) {
        // Of what is current still the index tells what it holds; not of what was replaced since, and with `since` of what
        // was gone at the snapshot.
        let lasting = lasting("v.version_key", after: after, through: through, limit: limit)
        var rows = try connection.all(lasting.text, lasting.values) { (key: try $0.int(0), isIndexed: true) }
        var others = [compiler.standing("v", .replaced, deletions: scan.since != nil)]
        if scan.since != nil { others.append(compiler.gone("v")) }
        for standing in others {
            let condition = condition(after: after, through: through, standing)
            rows += try connection.all(
                """
                SELECT v.version_key FROM resource_versions v WHERE \(condition.text) \
                ORDER BY v.version_key LIMIT ?
                """, condition.values + [.int(Int64(limit))]
            ) { (key: try $0.int(0), isIndexed: false) }
        }
        rows.sort { $0.key < $1.key }
        var isLast = rows.count < limit
        rows = Array(rows.prefix(limit))
        let fitting = try paging.fitting(rows.map(\.key), connection)
        if fitting < rows.count {
            isLast = false
            rows.removeLast(rows.count - fitting)
        }
        let indexed = Set(rows.filter(\.isIndexed).map(\.key))
        let versions = try ResourceTable.versions(rows.map(\.key), connection)
        let seen = try seen(among: versions.filter { !indexed.contains($0.key) })
        let found = versions.filter { indexed.contains($0.key) || seen.contains($0.key) }
        return (found.map(\.resource), isLast ? nil : rows.last?.key)
    }

    /// The keys of those that are wanted and may be seen, each judged by what it holds, and a deletion by what it deleted.
    private func seen(among versions: [(key: Int64, resource: StoredResource)]) throws -> Set<Int64> {
        var seen: Set<Int64> = []
        for (isDeleted, compiler) in [(false, compiler), (true, compiler.ofDeleted)] {
            let some = versions.filter { $0.resource.isDeleted == isDeleted }
            if some.isEmpty { continue }
            let sight = VersionSight(.search, of: scan.type, compiler, connection, indexer, matching: scan.filter)
            seen.formUnion(try sight?.seen(among: some) ?? Set(some.map(\.key)))
        }
        return seen
    }

    // MARK: Where they lie

    /// Rows that are current still go from the database's memory into the sink; where there are others among them, which
    /// have to be judged by what they hold, a page of both goes the longer way.
    func pour(after: Int64, through: Int64, into sink: any ResourceSink) throws -> Int64? {
        guard let other = try firstOther(after: after, through: through) else {
            return try pourLasting(after: after, through: through, into: sink)
        }
        if other - 1 > after, let next = try pourLasting(after: after, through: other - 1, into: sink) { return next }
        let page = try page(after: other - 1, through: through, limit: Self.pageRows)
        for resource in page.resources {
            if resource.isDeleted {
                try sink.takeDeletion(of: resource.id)
            } else {
                try resource.bytes.withUnsafeBytes { try sink.take($0) }
            }
        }
        return page.next
    }

    /// The key of the first row that is not current any more, or was a deletion; nil for none.
    private func firstOther(after: Int64, through: Int64) throws -> Int64? {
        let replaced = try connection.first(
            """
            SELECT COUNT(*), MIN(CASE WHEN r.type = ? AND r.version_key > ? AND r.version_key <= ? THEN r.version_key END) \
            FROM (SELECT v.version_key, v.type FROM resource_versions v \
            WHERE v.end_sequence > ? AND v.end_sequence < \(ResourceTable.current) ORDER BY v.end_sequence LIMIT ?) r
            """,
            [
                .text(scan.type), .int(after), .int(through), .int(scan.snapshot), .int(Int64(Self.replacedMax + 1)),
            ]
        ) { (count: Int(try $0.int(0)), key: try $0.optionalInt(1)) }
        var first = replaced?.key
        if let replaced, replaced.count > Self.replacedMax {
            first = try firstKey(
                after: after, through: through, compiler.standing("v", .replaced, deletions: scan.since != nil))
        }
        guard scan.since != nil, let gone = try firstKey(after: after, through: through, compiler.gone("v")) else {
            return first
        }
        return min(first ?? gone, gone)
    }

    private func firstKey(after: Int64, through: Int64, _ standing: SQLCondition) throws -> Int64? {
        let condition = condition(after: after, through: through, standing)
        return try connection.first(
            "SELECT v.version_key FROM resource_versions v WHERE \(condition.text) ORDER BY v.version_key LIMIT 1",
            condition.values
        ) { try $0.int(0) }
    }

    /// The read is full.
    private struct Full: Error {}

    private func pourLasting(after: Int64, through: Int64, into sink: any ResourceSink) throws -> Int64? {
        var through = through
        var limit = Self.rowsMax
        if list != nil || connection.dialect.holdsWholeResults {
            // What does not fit is not asked for: it would be held, or put in order with all that it has.
            guard let fitting = try fitting(after: after, through: through) else { return nil }
            (through, limit) = (fitting.through, fitting.count)
        }
        let statement = lasting(
            "v.version_key, v.body, v.type, v.id, v.version", after: after, through: through, limit: limit)
        var (last, count, bytes): (Int64?, Int, Int) = (nil, 0, 0)
        do {
            try connection.run(statement.text, statement.values) { row in
                if bytes >= Self.bytesMax { throw Full() }
                let key = try row.int(0)
                try row.withOpened(
                    1, .resourceBody,
                    ResourceTable.bodyIdentity(try row.text(2), try row.text(3), try row.int(4))
                ) {
                    try sink.take($0)
                    bytes += $0.count
                }
                last = key
                count += 1
            }
        } catch is Full { return last }
        return count < limit ? nil : last
    }

    /// The rows that one read holds: as many as have not too many bytes, and one at least. Nil where there are none.
    private func fitting(after: Int64, through: Int64) throws -> (through: Int64, count: Int)? {
        let statement = lasting("v.version_key, length(v.body)", after: after, through: through, limit: Self.rowsMax)
        var (bytes, count, last): (Int64, Int, Int64?) = (0, 0, nil)
        try connection.run(statement.text, statement.values) { row in
            if bytes >= Int64(Self.bytesMax) { return }
            bytes += try row.int(1)
            count += 1
            last = try row.int(0)
        }
        return last.map { ($0, count) }
    }
}
