import Access
import FHIRModel
import FHIRSearch

/// The statements of one page: where its matches come from, their order, the place to go on from, and the size.
extension SearchCompiler {
    /// One statement with its bound values.
    struct Statement {
        let text: String
        let values: [SQLValue]
    }

    /// Where a page ended: the sort values of its last match, and its key.
    struct Position: Sendable, Hashable {
        var sort: [SQLValue]
        var key: Int64
    }

    /// From where the matches of a page are read.
    enum Source {
        /// A list of versions, read whole and put in order.
        case list(Leader)
        /// The entries of one value, read in the order of the versions; for searches without sort keys.
        case entries(Leader)
        /// All current versions in the order of the page: of their making, or of a sort key that is a column of theirs.
        case versions
        /// The entries of the first sort key, in its order.
        case sorted
        /// The current versions without a value for the first sort key, which come last.
        case unsorted
        /// The versions in view that are not current any more, of which there are few.
        case replaced
    }

    /// Keys and sort values of the matches from one source after `position`, at most `limit`, in order.
    ///
    /// Columns: version key, then one for each sort key. What has no value to sort by comes last, in both directions; the
    /// version key settles what is equal throughout, in the direction of the first sort key.
    func page(_ query: SearchQuery, _ source: Source, after position: Position?, limit: Int) -> Statement {
        var plan = SourcePlan(self, query, source)
        if query.sort.isEmpty {
            if let position { plan.conditions.append(SQLCondition("\(plan.key) > ?", [.int(position.key)])) }
            return plan.statement(
                "\(plan.isRepeating ? "DISTINCT " : "")\(plan.key) AS version_key", [],
                then: "ORDER BY \(plan.key) LIMIT ?", [.int(Int64(limit))])
        }
        let direction = query.sort[0].isDescending ? " DESC" : ""
        var columns = ["\(plan.key) AS version_key"]
        var values: [SQLValue] = []
        var order: [String] = []
        for (number, key) in query.sort.enumerated() {
            let isFirst = number == 0
            let expression =
                isFirst ? plan.first ?? sortValue(key, query.resourceType) : sortValue(key, query.resourceType)
            columns.append("\(expression.text) AS s\(number)")
            values += expression.values
            if isFirst, plan.isWithoutFirst { continue }
            // Where the source gives the first key every version has a value, and the order is the index's own.
            if !isFirst || plan.first == nil { order.append("s\(number) IS NULL") }
            order.append("s\(number)\(key.isDescending ? " DESC" : "")")
        }
        order.append("version_key\(direction)")
        if let position, let seek = plan.seek(position, isOnlyKey: query.sort.count == 1, query.sort[0].isDescending) {
            plan.conditions.append(seek)
        }
        var rest = ") m"
        var restValues: [SQLValue] = []
        if let position {
            let after = self.after(position, query.sort)
            rest += " WHERE \(after.text)"
            restValues = after.values
        }
        rest += " ORDER BY \(order.joined(separator: ", ")) LIMIT ?"
        return plan.statement(
            columns.joined(separator: ", "), values, inside: "* FROM (SELECT ", then: rest,
            restValues + [.int(Int64(limit))])
    }

    /// The number of matches from one source.
    func total(_ query: SearchQuery, _ source: Source) -> Statement {
        var unsorted = query
        unsorted.sort = []
        let plan = SourcePlan(self, unsorted, source)
        return plan.statement("count(\(plan.isRepeating ? "DISTINCT \(plan.key)" : "*"))", [], then: "", [])
    }

    /// How many versions a list has, counted up to `limit`; one that comes twice counts twice.
    func size(_ leader: Leader, limit: Int) -> Statement {
        Statement(
            text: "SELECT count(*) FROM (SELECT 1 AS one FROM (\(leader.select.text)) l LIMIT ?) c",
            values: leader.select.values + [.int(Int64(limit))])
    }

    // MARK: Order

    /// What a sort key's values are, for reading them back.
    static func sortKind(_ key: SortKey) -> SQLColumnKind {
        if key.parameter.code == "_id" { return .text }
        return switch key.parameter.type {
        case .date: .int
        case .number, .quantity: .double
        default: .text
        }
    }

    /// The column of the version that a sort key names, if it names one.
    fileprivate static func ownColumn(_ key: SortKey) -> String? {
        switch key.parameter.code {
        case "_id": "id"
        case "_lastUpdated": "time"
        default: nil
        }
    }

    /// The column of the entries that a sort key goes by. Of several values the lowest counts when ascending and the
    /// highest when descending. FHIR R4 search.html#sort.
    fileprivate static func entryColumn(_ key: SortKey) -> String {
        switch kind(key.parameter.type) {
        case .token: "code"
        case .string: "folded"
        case .date, .quantity: key.isDescending ? "high" : "low"
        case .reference: "target_id"
        case .uri: "uri"
        }
    }

    private func sortValue(_ key: SortKey, _ type: String) -> SQLCondition {
        if let column = Self.ownColumn(key) { return SQLCondition("v.\(column)") }
        return SQLCondition(
            """
            (SELECT \(key.isDescending ? "max" : "min")(\(dialect.probeMark)o.\(Self.entryColumn(key))) \
            FROM \(Self.kind(key.parameter.type).table) o WHERE o.version_key = v.version_key AND o.param = ?)
            """, [self.key(type, key.parameter.code)])
    }

    /// Rows strictly after a position: after it by the first sort key, or equal to it there and after it by the next,
    /// and so on; the version key settles what is equal throughout.
    private func after(_ position: Position, _ sort: [SortKey]) -> SQLCondition {
        var alternatives: [SQLCondition] = []
        var equal: [SQLCondition] = []
        for (number, key) in sort.enumerated() where number < position.sort.count {
            let value = position.sort[number]
            if value == .null {
                // Nothing comes after what has no value.
                equal.append(SQLCondition("s\(number) IS NULL"))
                continue
            }
            alternatives.append(
                .allOf(
                    equal + [
                        SQLCondition("(s\(number) \(key.isDescending ? "<" : ">") ? OR s\(number) IS NULL)", [value])
                    ]))
            equal.append(SQLCondition("s\(number) = ?", [value]))
        }
        let isDescending = sort.first?.isDescending ?? false
        alternatives.append(
            .allOf(equal + [SQLCondition("version_key \(isDescending ? "<" : ">") ?", [.int(position.key)])]))
        return .anyOf(alternatives)
    }

    /// Whether `left` comes before `right` in the order of a page.
    static func precedes(_ left: Position, _ right: Position, _ sort: [SortKey]) -> Bool {
        for (number, key) in sort.enumerated() {
            let (a, b) = (left.sort[number], right.sort[number])
            if a == b { continue }
            if a == .null || b == .null { return b == .null }
            let isLess =
                switch (a, b) {
                case (.int(let x), .int(let y)): x < y
                case (.double(let x), .double(let y)): x < y
                // As both databases compare: by bytes.
                case (.text(let x), .text(let y)): x.utf8.lexicographicallyPrecedes(y.utf8)
                default: false
                }
            return isLess != key.isDescending
        }
        return (left.key < right.key) != (sort.first?.isDescending ?? false)
    }
}

/// One source as the FROM and WHERE of a statement.
private struct SourcePlan {
    /// The expression of the version's key.
    let key: String
    /// The value of the first sort key, where the source gives it in order.
    private(set) var first: SQLCondition?
    /// Whether the versions are those without a value for the first sort key.
    private(set) var isWithoutFirst = false
    /// Whether one version may come more than once.
    private(set) var isRepeating = false
    var conditions: [SQLCondition] = []
    private var with: SQLCondition?
    private let table: String

    init(_ compiler: SearchCompiler, _ query: SearchQuery, _ source: SearchCompiler.Source) {
        let type = query.resourceType
        var covered: Set<Int> = []
        if case .list(let leader) = source { covered = leader.covers }
        if case .entries(let leader) = source { covered = leader.covers }
        var asked = query.filters.enumerated().filter { !covered.contains($0.offset) }.map {
            compiler.probe($0.element, type, "v", 0)
        }
        if let allowed = compiler.allowed(type, "v", .search, 0) { asked.insert(allowed, at: 0) }
        if case .past(let sequence) = compiler.view {
            asked.insert(SQLCondition("v.first_sequence <= ?", [.int(sequence)]), at: 0)
        }
        // The rows of the versions themselves are read only where something is asked of them.
        let isRead = !asked.isEmpty
        switch source {
        case .list(let leader):
            with = leader.table
            let isJoined = isRead || !query.sort.isEmpty
            table = isJoined ? "k CROSS JOIN resource_versions v" : "k"
            key = isJoined ? "v.version_key" : "k.version_key"
            conditions = isJoined ? [SQLCondition("v.version_key = k.version_key")] : []
        case .entries(let leader):
            let entries = leader.entries ?? (table: "idx_token", test: SQLCondition("1 = 0"))
            table = "\(entries.table) i" + (isRead ? " CROSS JOIN resource_versions v" : "")
            key = "i.version_key"
            isRepeating = true
            conditions = [entries.test] + (isRead ? [SQLCondition("v.version_key = i.version_key")] : [])
        case .versions, .unsorted:
            table = "resource_versions v"
            key = "v.version_key"
            conditions = [SQLCondition("v.type = ?", [.text(type)]), compiler.standing("v", .lasting)]
            guard let sort = query.sort.first else { break }
            if let column = SearchCompiler.ownColumn(sort) {
                first = SQLCondition("v.\(column)")
            } else {
                first = SQLCondition("NULL")
                isWithoutFirst = true
                let missing = compiler.exists(
                    "\(SearchCompiler.kind(sort.parameter.type).table) i WHERE i.version_key = v.version_key AND i.param = ?",
                    [compiler.key(type, sort.parameter.code)])
                conditions.append(.not(missing))
            }
        case .sorted:
            let isRead = isRead || query.sort.count > 1
            let sort = query.sort[0]
            let kind = SearchCompiler.kind(sort.parameter.type)
            let column = SearchCompiler.entryColumn(sort)
            table = "\(kind.table) i" + (isRead ? " CROSS JOIN resource_versions v" : "")
            key = "i.version_key"
            first = SQLCondition("i.\(column)")
            conditions = [
                SQLCondition(
                    "i.param = ? AND i.is_current = 1",
                    [compiler.key(type, sort.parameter.code)])
            ]
            if isRead { conditions.append(SQLCondition("v.version_key = i.version_key")) }
            conditions.append(Self.isFirst(kind, column, isDescending: sort.isDescending))
        case .replaced:
            let standing = compiler.standing("d", .replaced)
            with = SQLCondition(
                "k AS MATERIALIZED (SELECT d.version_key AS version_key FROM resource_versions d WHERE \(standing.text) AND d.type = ?)",
                standing.values + [.text(type)])
            table = "k CROSS JOIN resource_versions v"
            key = "v.version_key"
            conditions = [SQLCondition("v.version_key = k.version_key")]
        }
        conditions += asked
    }

    /// Of a version's several entries of one parameter, the one it is sorted by.
    private static func isFirst(
        _ kind: SearchIndexTable.Kind, _ column: String, isDescending: Bool
    ) -> SQLCondition {
        let columns = [column] + kind.valueColumns.map(\.name).filter { $0 != column }
        func row(_ alias: String) -> String { "(" + columns.map { "\(alias).\($0)" }.joined(separator: ", ") + ")" }
        return SQLCondition(
            """
            NOT EXISTS (SELECT 1 FROM \(kind.table) j WHERE j.version_key = i.version_key AND j.param = i.param \
            AND \(row("j")) \(isDescending ? ">" : "<") \(row("i")))
            """)
    }

    /// The condition by which the index starts where the last page ended; nil where the source has no order of its own.
    func seek(_ position: SearchCompiler.Position, isOnlyKey: Bool, _ isDescending: Bool) -> SQLCondition? {
        guard let first else { return nil }
        let mark = isDescending ? "<" : ">"
        if isWithoutFirst { return isOnlyKey ? SQLCondition("\(key) \(mark) ?", [.int(position.key)]) : nil }
        guard let value = position.sort.first, value != .null else { return nil }
        if isOnlyKey { return SQLCondition("(\(first.text), \(key)) \(mark) (?, ?)", [value, .int(position.key)]) }
        return SQLCondition("\(first.text) \(mark)= ?", [value])
    }

    /// A SELECT of columns from the source.
    /// - Parameters:
    ///   - outer: the beginning of a SELECT around it.
    ///   - rest: what follows the conditions.
    func statement(
        _ columns: String, _ values: [SQLValue], inside outer: String = "", then rest: String, _ restValues: [SQLValue]
    ) -> SearchCompiler.Statement {
        let tests = conditions.map(\.text).joined(separator: " AND ")
        return SearchCompiler.Statement(
            text: (with.map { "WITH \($0.text) " } ?? "") + "SELECT \(outer)\(columns) FROM \(table)"
                + (tests.isEmpty ? "" : " WHERE \(tests)") + (outer.isEmpty && !rest.isEmpty ? " " : "") + rest,
            values: (with?.values ?? []) + values + conditions.flatMap(\.values) + restValues)
    }
}
