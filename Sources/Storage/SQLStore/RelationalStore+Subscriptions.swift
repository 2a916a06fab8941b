import Access
import FHIRResources
import FHIRSearch
import Synchronization
import Workflow

/// What one pass of the matching found.
package struct SubscriptionPass: Sendable, Hashable {
    /// Versions that were looked at.
    package var versions = 0
    /// Entries that were put into the outbox.
    package var notices = 0
    /// Whether there may be more to look at now.
    package var hasMore = false

    package init(versions: Int = 0, notices: Int = 0, hasMore: Bool = false) {
        self.versions = versions
        self.notices = notices
        self.hasMore = hasMore
    }
}

extension RelationalStore: SubscriptionDirectory, SubscribedResources {
    package func subscription(_ id: EntityID) async throws -> (record: SubscriptionRecord, headers: [String])? {
        let keeping = subscriptionKeeping
        return try await translating {
            try await self.database.read { connection in
                guard let found = try SubscriptionTable(connection: connection).subscription(id) else { return nil }
                let sealed = found.sealed ?? []
                return (found.record, sealed.isEmpty ? [] : try keeping.open(sealed, of: id))
            }
        }
    }
}

/// The matching of Subscriptions: the versions of resources are the queue, in the order of their commits, and a number
/// says how far it was read. So a change costs its writer nothing, and what was committed is told whatever dies meanwhile.
///
/// A reader finds what matches, many versions at a time, by the same conditions as a search; one unit of work puts the
/// notices into the outbox and moves the number on.
extension RelationalStore {
    /// A match that was found.
    private struct Match: Sendable {
        let subscription: SubscriptionRecord
        let version: SubscriptionNotice.Version
    }
    private struct Found: Sendable {
        /// The number in the database, which another server may have moved on.
        var kept: Int64 = 0
        var from: Int64 = 0
        var to: Int64 = 0
        var versions = 0
        var matches: [Match] = []
        /// Subscriptions whose time is over.
        var ended: [SubscriptionRecord] = []
        var hasMore = false
    }

    /// Versions of which nothing came that are looked at again after a death, at most: a commit for each would be dearer.
    private static let unkeptMax: Int64 = 1_000

    /// Looks at the next versions, at most `limit`, and turns off what is over where `ends` asks for it.
    package func matchSubscriptions(limit: Int = 500, ends: Bool = false) async throws -> SubscriptionPass {
        let now = UTCInstant(microseconds: now())
        let indexer = indexer
        let known = matchedKey.withLock { $0 }
        let found = try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                try Self.find(limit, after: known, ends, now, indexer, connection)
            }
        }
        guard found.versions > 0 || !found.ended.isEmpty else { return SubscriptionPass() }
        if found.matches.isEmpty, found.ended.isEmpty, found.to - found.kept < Self.unkeptMax {
            matchedKey.withLock { $0 = found.to }
            return SubscriptionPass(versions: found.versions, hasMore: found.hasMore)
        }
        let kept = try await writeUnit(.server(requestID: "subscriptions")) { unit in
            try Self.keep(found, in: unit)
        }
        matchedKey.withLock { $0 = kept == nil ? 0 : found.to }
        return SubscriptionPass(
            versions: found.versions, notices: kept ?? 0, hasMore: found.hasMore || kept == nil)
    }

    private static func find(
        _ limit: Int, after known: Int64, _ ends: Bool, _ now: UTCInstant, _ indexer: SearchIndexer,
        _ connection: any SQLConnection
    ) throws -> Found {
        let table = SubscriptionTable(connection: connection)
        var found = Found()
        guard try table.hasLive else { return found }
        func isOver(_ record: SubscriptionRecord) -> Bool { record.end.map { $0 <= now } ?? false }
        if ends { found.ended = try table.live().filter(isOver) }
        found.kept = try table.matchedKey()
        found.from = max(found.kept, known)
        let rows = try connection.all(
            """
            SELECT version_key, type, id, version, deleted FROM resource_versions WHERE version_key > ? \
            ORDER BY version_key LIMIT ?
            """, [.int(found.from), .int(Int64(limit))]
        ) {
            (
                key: try $0.int(0),
                version: SubscriptionNotice.Version(type: try $0.text(1), id: try $0.text(2), number: try $0.int(3)),
                isDeleted: try $0.bool(4)
            )
        }
        found.to = rows.last?.key ?? found.from
        found.versions = rows.count
        found.hasMore = rows.count == limit
        let byType = Dictionary(grouping: rows.filter { !$0.isDeleted }) { $0.version.type }
        var matched: [(key: Int64, match: Match)] = []
        let live = byType.isEmpty ? [] : try table.live(Set(byType.keys))
        for record in live where !isOver(record) {
            guard let rows = byType[record.type] else { continue }
            let keys = rows.map(\.key).filter { $0 > record.sinceKey }
            if keys.isEmpty { continue }
            let hits = Set(try Self.matches(record, keys, now, indexer, connection))
            for row in rows where hits.contains(row.key) {
                matched.append((row.key, Match(subscription: record, version: row.version)))
            }
        }
        found.matches = matched.sorted { $0.key < $1.key }.map(\.match)
        return found
    }

    /// Those of the versions that the criteria are true for, with what the owner may see beside them.
    private static func matches(
        _ record: SubscriptionRecord, _ keys: [Int64], _ now: UTCInstant, _ indexer: SearchIndexer,
        _ connection: any SQLConnection
    ) throws -> [Int64] {
        let parser = SearchQueryParser(baseURL: indexer.baseURL, now: now.microseconds, zone: indexer.zone)
        // Criteria that an earlier version took and this one does not match nothing.
        guard let query = try? SubscriptionCriteria.query(record.criteria, parser, bytesMax: .max) else { return [] }
        let compiler = SearchCompiler(
            dialect: connection.dialect, view: .current, access: record.accessStated(requestID: "subscriptions"),
            parser: parser)
        var condition = SQLCondition(connection.dialect.isInInts("v.version_key"), [.ints(keys)])
        for filter in query.filters { condition.add(compiler.probe(filter, record.type, "v", 0)) }
        return try connection.all(
            "SELECT v.version_key FROM resource_versions v WHERE \(condition.text)", condition.values
        ) { try $0.int(0) }
    }

    /// Nil, and nothing is kept, when another pass came before.
    private static func keep(_ found: Found, in unit: SQLUnitOfWork) throws -> Int? {
        let table = SubscriptionTable(connection: unit.connection)
        guard try table.matchedKey() == found.kept else { return nil }
        var current: [EntityID: SubscriptionRecord] = [:]
        for record in found.ended {
            guard var known = try unit.subscription(record.id), known.epoch == record.epoch, known.state.isLive else {
                continue
            }
            (known.state, known.error) = (.off, SubscriptionRecord.ended)
            try known.keep(in: unit)
        }
        var count = 0
        for match in found.matches {
            let id = match.subscription.id
            if current[id] == nil { current[id] = try Self.stillLive(match.subscription, in: unit) }
            guard let record = current[id], record.state.isLive, record.epoch == match.subscription.epoch else {
                continue
            }
            try unit.enqueue(SubscriptionNotice(record, match.version).draft)
            count += 1
        }
        if found.to > found.from { try table.setMatchedKey(found.to) }
        return count
    }

    /// A Subscription as it is now; turned off when more waits for it than the site keeps.
    private static func stillLive(_ record: SubscriptionRecord, in unit: SQLUnitOfWork) throws -> SubscriptionRecord? {
        guard var known = try unit.subscription(record.id) else { return nil }
        let most = unit.subscriptionRules.waitingMax
        guard known.state == .error,
            try OutboxTable(connection: unit.connection).isDeeper(known.destination, than: most)
        else { return known }
        (known.state, known.error) = (.off, "turned off: more than \(most) notifications wait; \(known.error ?? "")")
        try known.keep(in: unit)
        try unit.resume(known.destination)
        return known
    }
}
