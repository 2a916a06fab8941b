import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Resources of a type as of a snapshot, in the order of their keys: what exports read.
extension RelationalStore {
    package func scan(
        _ type: String, snapshot: Int64, since: UTCInstant?, until: UTCInstant?, matching filter: SearchFilter?,
        after: Int64?, limit: Int, access: AccessContext
    ) async throws -> (resources: [StoredResource], next: Int64?) {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                let scan = self.scan(
                    ResourceScan(type: type, snapshot: snapshot, since: since, until: until, filter: filter),
                    connection, access)
                return try scan.page(after: after ?? 0, through: .max, limit: max(limit, 1))
            }
        }
    }

    package func pour(
        _ scan: ResourceScan, after: Int64, through: Int64, access: AccessContext, into sink: any ResourceSink
    ) async throws -> Int64? {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                try self.scan(scan, connection, access).pour(after: after, through: through, into: sink)
            }
        }
    }

    package func extents(of type: String, every count: Int) async throws -> [Int64] {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                let isThere = try connection.first(
                    "SELECT 1 FROM resource_versions WHERE type = ? LIMIT 1", [.text(type)]
                ) { _ in true }
                guard isThere == true else { return [] }
                var ends: [Int64] = []
                while ends.count < Self.extentsMax {
                    let end = try connection.first(
                        """
                        SELECT v.version_key FROM resource_versions v WHERE v.type = ? AND v.version_key > ? \
                        AND v.end_sequence = \(ResourceTable.current) AND v.deleted = 0 \
                        ORDER BY v.version_key LIMIT 1 OFFSET ?
                        """, [.text(type), .int(ends.last ?? 0), .int(Int64(max(count, 1)))]
                    ) { try $0.int(0) }
                    guard let end else { break }
                    ends.append(end)
                }
                return ends + [.max]
            }
        }
    }

    /// What one type is parted into at most.
    private static let extentsMax = 10_000

    private func scan(_ scan: ResourceScan, _ connection: any SQLConnection, _ access: AccessContext) -> ScanRun {
        let compiler = compiler(connection, access, .past(scan.snapshot))
        return ScanRun(
            scan: scan, connection: connection, compiler: compiler, paging: paging, indexer: indexer,
            allowed: compiler.allowed(scan.type, "v", .search, 0),
            wanted: scan.filter.map { compiler.probe($0, scan.type, "v", 0) })
    }
}

/// One read of a scan.
private struct ScanRun {
    let scan: ResourceScan
    let connection: any SQLConnection
    let compiler: SearchCompiler
    let paging: SearchPaging
    let indexer: SearchIndexer
    /// What the caller's rights, and the filter, ask of a row that is current still.
    let allowed: SQLCondition?
    let wanted: SQLCondition?

    /// What one read pours at most. It is over soon, so that the database can let go of what it holds for it.
    private static let bytesMax = 4 << 20
    private static let rowsMax = 10_000
    /// Rows of a page that is not poured.
    private static let pageRows = 200
    /// Replaced versions that are looked at by their time.
    private static let replacedMax = 10_000

    private func condition(after: Int64, through: Int64, _ standing: SQLCondition, isIndexed: Bool) -> SQLCondition {
        var condition = SQLCondition("v.type = ? AND v.version_key > ?", [.text(scan.type), .int(after)])
        if through < .max { condition.add("v.version_key <= ?", .int(through)) }
        condition.add(standing)
        if let since = scan.since { condition.add("v.time > ?", .int(since.microseconds)) }
        if let until = scan.until { condition.add("v.time <= ?", .int(until.microseconds)) }
        if let allowed, isIndexed { condition.add(allowed) }
        if let wanted, isIndexed { condition.add(wanted) }
        return condition
    }

    // MARK: Page by page

    func page(after: Int64, through: Int64, limit: Int) throws -> (resources: [StoredResource], next: Int64?) {
        // What is current still, what was replaced since, and with `since` what was gone at the snapshot.
        var parts = [
            (compiler.standing("v", .lasting), true),
            (compiler.standing("v", .replaced, deletions: scan.since != nil), false),
        ]
        if scan.since != nil { parts.append((compiler.gone("v"), false)) }
        // Of the former the index tells what they hold.
        var rows: [(key: Int64, isIndexed: Bool)] = []
        for (standing, isIndexed) in parts {
            let condition = condition(after: after, through: through, standing, isIndexed: isIndexed)
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
        let replaced = try connection.all(
            """
            SELECT v.version_key, v.type FROM resource_versions v \
            WHERE v.end_sequence > ? AND v.end_sequence < \(ResourceTable.current) ORDER BY v.end_sequence LIMIT ?
            """, [.int(scan.snapshot), .int(Int64(Self.replacedMax + 1))]
        ) { (key: try $0.int(0), type: try $0.text(1)) }
        var first: Int64?
        if replaced.count > Self.replacedMax {
            first = try firstKey(
                after: after, through: through, compiler.standing("v", .replaced, deletions: scan.since != nil))
        } else {
            first = replaced.lazy.filter { $0.type == scan.type && $0.key > after && $0.key <= through }.map(\.key)
                .min()
        }
        guard scan.since != nil, let gone = try firstKey(after: after, through: through, compiler.gone("v")) else {
            return first
        }
        return min(first ?? gone, gone)
    }

    private func firstKey(after: Int64, through: Int64, _ standing: SQLCondition) throws -> Int64? {
        let condition = condition(after: after, through: through, standing, isIndexed: false)
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
        if connection.dialect.holdsWholeResults {
            // What does not fit is not asked for.
            guard let fitting = try fitting(after: after, through: through) else { return nil }
            (through, limit) = (fitting.through, fitting.count)
        }
        let condition = condition(after: after, through: through, compiler.standing("v", .lasting), isIndexed: true)
        var (last, count, bytes): (Int64?, Int, Int) = (nil, 0, 0)
        do {
            try connection.run(
                """
                SELECT v.version_key, v.body FROM resource_versions v WHERE \(condition.text) \
                ORDER BY v.version_key LIMIT ?
                """, condition.values + [.int(Int64(limit))]
            ) { row in
                if bytes >= Self.bytesMax { throw Full() }
                let key = try row.int(0)
                try row.withBytes(1) {
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
        let condition = condition(after: after, through: through, compiler.standing("v", .lasting), isIndexed: true)
        var (bytes, count, last): (Int64, Int, Int64?) = (0, 0, nil)
        try connection.run(
            """
            SELECT v.version_key, length(v.body) FROM resource_versions v WHERE \(condition.text) \
            ORDER BY v.version_key LIMIT ?
            """, condition.values + [.int(Int64(Self.rowsMax))]
        ) { row in
            if bytes >= Int64(Self.bytesMax) { return }
            bytes += try row.int(1)
            count += 1
            last = try row.int(0)
        }
        return last.map { ($0, count) }
    }
}
