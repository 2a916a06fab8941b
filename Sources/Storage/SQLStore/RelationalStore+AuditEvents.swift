import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

extension RelationalStore: AuditEventStore {
    /// Rows that one page looks at, at most: past that it ends, with a link to what is older.
    static let auditRowsPerPage = 20_000
    /// Rows that are looked at to count them, at most; past that the search is refused as too costly.
    static let auditRowsCounted = 200_000
    private static let auditRowsAtOnce = 500
    private static let auditCountDefault = 50

    package func auditEvent(_ number: Int64, access: AccessContext) async throws -> StoredResource? {
        guard number > 0, number < .max else { return nil }
        let plan = AuditEventPlan([], .read, access, auditParser)
        return try await translating {
            try await self.database.read { connection in
                let rows = try AuditPatientTable.rows(
                    of: nil, above: number - 1, below: number + 1, limit: 1, connection)
                let seen = try Self.withMerged(plan, connection)
                if let why = rows.first?.unopened { throw SQLStoreError(.unopened, why) }
                return try rows.first.flatMap { try self.event($0, seen)?.resource }
            }
        }
    }

    package func searchAuditEvents(
        _ query: SearchQuery, token: String?, access: AccessContext
    ) async throws -> SearchPage {
        let plan = AuditEventPlan(query.filters, .search, access, auditParser)
        // The order is the only one: a token has the place alone.
        let identity = query.unsorted
        return try await translating {
            try await self.database.read(.search(client: access.principal.id), snapshot: true) { connection in
                let now = UTCInstant(microseconds: self.now())
                var place: PageTokens.Content?
                if let token {
                    place = self.paging.tokens.open(token, query: identity, principal: access.principal, now: now)
                    if place == nil { throw StoreError(.notFound, "the page token is not valid any more") }
                }
                let plan = try Self.withMerged(plan, connection)
                let walk = try AuditWalk(plan, connection) { try self.event($0, plan) }
                var page = SearchPage(matches: [], snapshot: try CommitBatches.readStamp(connection).sequence)
                if query.isTotalOnly || query.total == .accurate || query.total == .estimate {
                    page.total = try walk.total()
                }
                if query.isTotalOnly { return page }
                let found = try walk.page(
                    below: place?.position.key, count: query.count ?? Self.auditCountDefault,
                    bytesMax: self.paging.limits.pageBytesMax)
                page.matches = found.matches
                if let last = found.last {
                    let expires = place?.expires ?? now.microseconds &+ self.paging.limits.linkSeconds * 1_000_000
                    page.nextToken = self.paging.tokens.seal(
                        PageTokens.Content(
                            snapshot: page.snapshot, position: SearchCompiler.Position(sort: [], key: last),
                            expires: expires), query: identity, principal: access.principal)
                } else if token == nil, query.total != TotalMode.none {
                    page.total = page.total ?? page.matches.count
                }
                if !found.unopened.isEmpty {
                    self.tellUnopened(found.unopened)
                    page.notices.append("Events whose records do not open are left out; the operator is told which.")
                }
                if found.isCutShort {
                    page.notices.append("Older events were not looked at yet; the next link goes on.")
                }
                return page
            }
        }
    }

    private static func withMerged(_ plan: AuditEventPlan, _ connection: any SQLConnection) throws -> AuditEventPlan {
        try plan.following { survivor in
            try connection.all(
                "SELECT id FROM patients WHERE merged_into = ? ORDER BY id LIMIT 1000", [.text(survivor)]
            ) { try $0.text(0) }
        }
    }

    private var auditParser: SearchQueryParser {
        SearchQueryParser(baseURL: baseURL, now: now(), zone: indexer.zone)
    }

    /// Nil also for a row whose record is of another version's form, or does not open: it takes the others from nobody.
    private func event(_ row: AuditChain.Row, _ plan: AuditEventPlan) throws -> AuditEvent? {
        guard let record = AuditRecordText.decode(row.record) else { return nil }
        return plan.event(AuditRow(number: row.number, time: row.time, record: record), base: baseURL)
    }

    /// Goes through the rows that can answer, the newest first.
    private struct AuditWalk {
        let plan: AuditEventPlan
        let connection: any SQLConnection
        let event: (AuditChain.Row) throws -> AuditEvent?
        /// Rows at or below are too old, rows at or above `end` too new.
        let floor: Int64
        let end: Int64

        init(
            _ plan: AuditEventPlan, _ connection: any SQLConnection,
            event: @escaping (AuditChain.Row) throws -> AuditEvent?
        ) throws {
            self.plan = plan
            self.connection = connection
            self.event = event
            let (from, to) = (plan.times.lowerBound, plan.times.upperBound)
            floor = from == .min ? 0 : try AuditPatientTable.firstNumber(from: from, connection) - 1
            end = to == .max ? .max : try AuditPatientTable.firstNumber(from: to, connection)
        }

        struct Found {
            var matches: [StoredResource]
            /// Where more may be: the number of the last row that was looked at; nil at the end.
            var last: Int64?
            /// Whether that is so because enough rows were looked at.
            var isCutShort = false
            /// Rows whose records do not open.
            var unopened: [Int64]
        }

        func page(below place: Int64?, count: Int, bytesMax: Int) throws -> Found {
            var unopened: [Int64] = []
            var matches: [StoredResource] = []
            var bytes = 0
            var looked = 0
            var last = min(place ?? .max, end)
            while true {
                let rows = try next(below: last)
                for row in rows {
                    if row.unopened != nil { unopened.append(row.number) }
                    if let found = try event(row)?.resource {
                        bytes += found.bytes.count
                        if matches.count == count || !matches.isEmpty && bytes > bytesMax {
                            return Found(matches: matches, last: last, unopened: unopened)
                        }
                        matches.append(found)
                    }
                    last = row.number
                }
                if rows.count < RelationalStore.auditRowsAtOnce {
                    return Found(matches: matches, last: nil, unopened: unopened)
                }
                looked += rows.count
                if looked >= RelationalStore.auditRowsPerPage {
                    return Found(matches: matches, last: last, isCutShort: true, unopened: unopened)
                }
            }
        }

        /// Throws `.costly` where too many rows have to be looked at.
        func total() throws -> Int {
            if plan.isExact {
                return try AuditPatientTable.count(of: plan.patients, above: floor, below: end, connection)
            }
            var (count, looked, last) = (0, 0, end)
            while true {
                let rows = try next(below: last)
                for row in rows where try event(row) != nil { count += 1 }
                guard rows.count == RelationalStore.auditRowsAtOnce, let lowest = rows.last else { return count }
                last = lowest.number
                looked += rows.count
                if looked >= RelationalStore.auditRowsCounted {
                    throw SQLStoreError(
                        .costly, "more than \(RelationalStore.auditRowsCounted) audit rows would be looked at")
                }
            }
        }

        private func next(below number: Int64) throws -> [AuditChain.Row] {
            try AuditPatientTable.rows(
                of: plan.patients, above: floor, below: number, limit: RelationalStore.auditRowsAtOnce, connection)
        }
    }
}

extension SearchQuery {
    fileprivate var unsorted: SearchQuery {
        var query = self
        query.sort = []
        return query
    }
}
