import FHIRModel
import FHIRSearch

/// Lists of versions by a searched value.
extension SearchCompiler {
    /// The current versions that an index gives for one filter.
    struct Leader {
        /// A SELECT of `version_key`; one version may come more than once.
        let select: SQLCondition
        /// Whether every version of the list holds the filter; else it only may.
        var isExact = true
        /// The same by the entries `i` of one value, which an index gives in the order of their versions: the table and the
        /// condition.
        var entries: (table: String, test: SQLCondition)?
        /// Lists that this one is made of: where one of them is long, so is the work for this one.
        var inner: [Leader] = []
        /// Lists are tried from the lowest rank up: 0 is surely short.
        var rank = 7
        /// The filters of the query, by position, of which nothing is left to ask.
        var covers: Set<Int> = []

        /// Nil where a database would be longer at reading the statement than at what it asks: each step of a chain doubles
        /// the text, as does each role that sees patients.
        var short: Leader? { select.text.utf8.count <= Self.textBytesMax ? self : nil }

        private static let textBytesMax = 256 << 10

        /// The list as a table `k` for the WITH of a statement, each version once.
        var table: SQLCondition {
            SQLCondition(
                "k AS MATERIALIZED (SELECT DISTINCT version_key FROM (\(select.text)) l)", select.values)
        }
    }

    /// The leaders of a query, the likely shortest first.
    func leaders(_ query: SearchQuery) -> [Leader] {
        let type = query.resourceType
        var found: [Leader] = []
        var done: Set<Int> = []
        if let (leader, positions) = updated(query) {
            found.append(leader)
            done.formUnion(positions)
        }
        for (leader, positions) in ranges(query) {
            found.append(leader)
            done.formUnion(positions)
        }
        for (position, filter) in query.filters.enumerated() where !done.contains(position) {
            guard var leader = leader(filter, type, 0) else { continue }
            leader.rank = Self.rank(filter)
            if leader.isExact { leader.covers = [position] }
            found.append(leader)
        }
        if let leader = compartmentLeader(type) ?? practiceLeader(type) { found.append(leader) }
        return found.sorted { $0.rank < $1.rank }
    }

    private static func rank(_ filter: SearchFilter) -> Int {
        guard case .parameter(let condition) = filter, case .matches(let values) = condition.test else {
            if case .chain = filter { return 4 }
            return 5
        }
        switch (condition.parameter.code, condition.parameter.type) {
        case ("_id", _): return 0
        case ("identifier", _): return 1
        case (_, .reference): return 2
        case (_, .composite): return 3
        case (_, .string), (_, .uri):
            // Text anywhere is looked for in every entry of the parameter.
            if case .stringPart = values.first { return 8 }
            return 5
        case (let code, .token): return Self.coarse.contains(code) ? 9 : 6
        default: return 7
        }
    }

    /// Parameters that divide a type into a few large parts: their lists are tried last.
    private static let coarse: Set<String> = [
        "status", "gender", "active", "intent", "priority", "category", "class", "deceased", "clinical-status",
        "verification-status",
    ]

    /// The list of one filter; nil where no index gives one.
    func leader(_ filter: SearchFilter, _ type: String, _ depth: Int) -> Leader? {
        switch filter {
        case .parameter(let condition): return leader(condition, type)
        case .anyOf(let filters):
            let all = filters.compactMap { leader($0, type, depth) }
            guard all.count == filters.count, !all.isEmpty, all.count <= Self.unionsMax else { return nil }
            return Leader(
                select: Self.union(all.map(\.select)), isExact: all.allSatisfy(\.isExact), inner: all.flatMap(\.inner))
        case .allOf(let filters):
            let best = filters.sorted { Self.rank($0) < Self.rank($1) }.lazy.compactMap { leader($0, type, depth) }
                .first
            guard var best else { return nil }
            best.isExact = best.isExact && filters.count == 1
            best.entries = nil
            return best
        case .chain(let reference, let targets): return chain(reference, targets, type, depth)?.short
        case .reverseChain(let source, let reference, let inner):
            return reverseChain(source, reference, inner, type, depth)?.short
        }
    }

    /// SELECTs that one list is put together of, at most.
    static let unionsMax = 32

    static func union(_ parts: [SQLCondition]) -> SQLCondition {
        SQLCondition(parts.map(\.text).joined(separator: " UNION ALL "), parts.flatMap(\.values))
    }

    /// What can never be found.
    private static let nothing = Leader(
        select: SQLCondition("SELECT version_key FROM resource_versions WHERE version_key < 0 AND 1 = 0"))

    // MARK: One parameter

    private func leader(_ condition: SearchCondition, _ type: String) -> Leader? {
        guard case .matches(let values) = condition.test, let first = values.first else { return nil }
        let parameter = condition.parameter
        if container != nil, parameter.code == "_id" { return Self.nothing }
        if parameter.code == "_id" {
            let test = ownID(condition.test, "d")
            return Leader(select: versions(type, test))
        }
        if parameter.code == "_lastUpdated" { return nil }
        if parameter.type == .composite {
            let parts = values.compactMap { composite($0, parameter, type) }
            guard parts.count == values.count, parts.count <= Self.unionsMax else { return nil }
            return Leader(
                select: Self.union(
                    parts.map {
                        SQLCondition(
                            "SELECT c0.version_key AS version_key FROM \($0.table) c0 WHERE c0.is_current = 1 AND \($0.test.text)",
                            $0.test.values)
                    }))
        }
        let kind = Self.place(first).0
        let looks = looks(values, "i")
        guard looks.count <= Self.unionsMax, looks.allSatisfy(\.leads) else { return nil }
        let tests = keys(of: first, parameter, type).flatMap { key in
            looks.map { look in
                SQLCondition(
                    "i.param = ? AND i.is_current = 1 AND \(look.condition.text)", [key] + look.condition.values)
            }
        }
        var leader = Leader(select: Self.union(tests.map { Self.entries(kind, $0) }))
        if tests.count == 1, looks[0].isOne { leader.entries = (kind.table, tests[0]) }
        return leader
    }

    private static func entries(_ kind: SearchIndexTable.Kind, _ test: SQLCondition) -> SQLCondition {
        SQLCondition("SELECT i.version_key AS version_key FROM \(kind.table) i WHERE \(test.text)", test.values)
    }

    /// Current versions `d` of a type by their own columns.
    private func versions(_ type: String, _ test: SQLCondition) -> SQLCondition {
        SQLCondition(
            """
            SELECT d.version_key AS version_key FROM resource_versions d WHERE d.type = ? \
            AND d.end_sequence = \(ResourceTable.current) AND d.deleted = 0 AND \(test.text)
            """, [.text(type)] + test.values)
    }

    /// All conditions on the time of change as one range.
    private func updated(_ query: SearchQuery) -> (Leader, [Int])? {
        var tests: [SQLCondition] = []
        var positions: [Int] = []
        for (position, filter) in query.filters.enumerated() {
            guard case .parameter(let condition) = filter, condition.parameter.code == "_lastUpdated",
                case .matches(let values) = condition.test, values.count == 1,
                case .date(let prefix, _, _) = values[0], prefix != .notEqual
            else { continue }
            tests.append(lastUpdated(condition.test, "d"))
            positions.append(position)
        }
        guard !tests.isEmpty else { return nil }
        var leader = Leader(select: versions(query.resourceType, .allOf(tests)))
        leader.covers = Set(positions)
        return (leader, positions)
    }

    // MARK: Ranges

    /// What several conditions on one parameter ask of the entries of a resource: some entry ends above `low`, and some
    /// entry begins below `high`.
    private struct Bounds<Value: Comparable> {
        var low: Value?
        var high: Value?
        var positions: [Int] = []
        /// Whether one condition already bounds both ends of an entry, which no single order of an index can.
        var isOverlap = false

        /// How much further away an entry may be that stands for one within the bounds.
        var margin: Value?

        mutating func narrow(low: Value?, high: Value?, by position: Int, _ prefix: SearchPrefix) {
            isOverlap = isOverlap || prefix == .approximately
            if let low { self.low = self.low.map { Swift.max($0, low) } ?? low }
            if let high { self.high = self.high.map { Swift.min($0, high) } ?? high }
            positions.append(position)
        }
    }

    /// A leader for each parameter that is bounded on both sides by different conditions, such as
    /// `date=ge2024-03-01&date=lt2024-03-08`.
    ///
    /// The two may be met by different entries of one resource. An entry that is the only one of its parameter and no
    /// longer than a day has to meet both, so it is found by both bounds; the others, marked as wide, by one.
    private func ranges(_ query: SearchQuery) -> [(Leader, [Int])] {
        var dates: [String: Bounds<Int64>] = [:]
        var numbers: [String: Bounds<Double>] = [:]
        for (position, filter) in query.filters.enumerated() {
            guard case .parameter(let condition) = filter, case .matches(let values) = condition.test,
                values.count == 1, condition.parameter.code != "_lastUpdated"
            else { continue }
            switch values[0] {
            case .date(let prefix, let range, let isDay):
                let (low, high) = Self.bounds(prefix, range)
                // The day on its own clock may meet a bound that the time itself misses by the distance of the clocks.
                if isDay { dates[condition.parameter.code, default: Bounds()].margin = Self.clocksApart }
                dates[condition.parameter.code, default: Bounds()].narrow(
                    low: low, high: high, by: position, prefix)
            case .number(let prefix, let number), .quantity(let prefix, let number, _):
                let (low, high) = Self.bounds(prefix, number)
                numbers[condition.parameter.code, default: Bounds()].narrow(
                    low: low, high: high, by: position, prefix)
            default: continue
            }
        }
        var found: [(Leader, [Int])] = []
        for (code, bounds) in dates.sorted(by: { $0.key < $1.key }) {
            guard bounds.positions.count > 1 || bounds.isOverlap, let low = bounds.low, let high = bounds.high else {
                continue
            }
            let margin = bounds.margin ?? 0
            let (first, isBelow) = low.subtractingReportingOverflow(SearchIndexTable.dayMicroseconds + margin)
            let (last, isAbove) = high.addingReportingOverflow(margin)
            found.append(
                (
                    range(
                        .date, code, query.resourceType, .int(isBelow ? .min : first), .int(isAbove ? .max : last), "<"),
                    bounds.positions
                ))
        }
        for (code, bounds) in numbers.sorted(by: { $0.key < $1.key }) {
            guard bounds.positions.count > 1 || bounds.isOverlap, let low = bounds.low, let high = bounds.high else {
                continue
            }
            found.append(
                (range(.quantity, code, query.resourceType, .double(low), .double(high), "<="), bounds.positions))
        }
        return found
    }

    /// Microseconds between the clocks furthest apart, UTC+14:00 and UTC-12:00.
    private static let clocksApart: Int64 = 26 * 3_600_000_000

    private func range(
        _ kind: SearchIndexTable.Kind, _ code: String, _ type: String, _ low: SQLValue, _ high: SQLValue,
        _ below: String
    ) -> Leader {
        let key = key(type, code)
        let plain = SQLCondition(
            "i.param = ? AND i.is_current = 1 AND i.wide = 0 AND i.low >= ? AND i.low \(below) ?", [key, low, high])
        let wide = SQLCondition(
            "i.param = ? AND i.is_current = 1 AND i.wide = 1 AND i.low \(below) ?", [key, high])
        return Leader(
            select: Self.union([Self.entries(kind, plain), Self.entries(kind, wide)]), isExact: false, rank: 6)
    }

    /// What a date asks of the end (above, not at) and of the beginning (below, not at) of some entry.
    private static func bounds(_ prefix: SearchPrefix, _ range: DateTimeRange) -> (low: Int64?, high: Int64?) {
        switch prefix {
        case .equal, .approximately: (range.lower, range.upper)
        case .notEqual: (nil, nil)
        case .greater, .startsAfter: (range.upper, nil)
        case .greaterOrEqual: (range.lower, nil)
        case .less, .endsBefore: (nil, range.lower)
        case .lessOrEqual: (nil, range.upper)
        }
    }

    /// What a number asks of the end (at or above) and of the beginning (at or below) of some entry.
    private static func bounds(_ prefix: SearchPrefix, _ number: SearchNumber) -> (low: Double?, high: Double?) {
        switch prefix {
        case .equal: (number.lower, number.upper)
        case .notEqual: (nil, nil)
        case .greater, .startsAfter, .greaterOrEqual: (number.value, nil)
        case .less, .endsBefore, .lessOrEqual: (nil, number.value)
        case .approximately: (number.approximateRange.lower, number.approximateRange.upper)
        }
    }

    // MARK: Chains

    /// FHIR R4 search.html#chaining.
    private func chain(
        _ reference: SearchParameterDefinition, _ targets: [SearchFilter.Target], _ type: String, _ depth: Int
    ) -> Leader? {
        let (k, t, r) = ("k\(depth + 1)", "t\(depth + 1)", "r\(depth)")
        var selects: [SQLCondition] = []
        var inner: [Leader] = []
        var lists = 0
        for target in targets {
            guard let first = outside.leader(target.filter, target.type, depth + 1) else { return nil }
            inner.append(first)
            lists += 1
            for part in parts {
                let wanted = outside.listed(target.filter, target.type, t, depth + 1, by: first, part)
                let from = Self.rows(t, k, by: first, part)
                selects.append(
                    SQLCondition(
                        """
                        SELECT \(r).version_key AS version_key FROM \(from.text) CROSS JOIN idx_reference \(r) \
                        WHERE \(wanted.text)\(part == .replaced ? "" : " AND \(t).version_key = \(k).version_key") \
                        AND \(r).param = ? AND \(r).target_id = \(t).id AND \(r).is_current = 1 AND \(r).target_type = ?
                        """,
                        from.values + wanted.values + [key(type, reference.code), .text(target.type)]))
            }
            // What is contained is found by entries of its container.
            guard let within = within(type, reference.code) else { continue }
            guard let contained = within.leader(target.filter, target.type, depth + 1) else { return nil }
            lists += 1
            if contained.isExact {
                selects.append(contained.select)
            } else {
                let w = "w\(depth + 1)"
                let test = within.probe(target.filter, target.type, w, depth + 1)
                selects.append(
                    SQLCondition(
                        "SELECT \(w).version_key AS version_key FROM (\(contained.select.text)) \(w) WHERE \(test.text)",
                        contained.select.values + test.values))
            }
        }
        guard !selects.isEmpty, lists <= Self.unionsMax else { return nil }
        return Leader(select: Self.union(selects), inner: inner)
    }

    /// The rows `t` that a list leads to, or all, of which few were replaced.
    private static func rows(_ t: String, _ k: String, by list: Leader, _ part: Part) -> SQLCondition {
        part == .replaced
            ? SQLCondition("resource_versions \(t)")
            : SQLCondition("(\(list.select.text)) \(k) CROSS JOIN resource_versions \(t)", list.select.values)
    }

    /// What is left to ask of them.
    private func listed(
        _ filter: SearchFilter, _ type: String, _ t: String, _ depth: Int, by list: Leader, _ part: Part
    ) -> SQLCondition {
        list.isExact && part != .replaced
            ? visible(type, t, depth: depth, part: part) : wanted(filter, type, t, depth, part: part)
    }

    /// FHIR R4 search.html#has.
    private func reverseChain(
        _ source: String, _ reference: SearchParameterDefinition, _ filter: SearchFilter, _ type: String, _ depth: Int
    ) -> Leader? {
        guard container == nil else { return Self.nothing }
        guard let inner = leader(filter, source, depth + 1) else { return nil }
        let (k, t, r, d) = ("k\(depth + 1)", "t\(depth + 1)", "r\(depth)", "d\(depth)")
        var selects: [SQLCondition] = []
        for part in parts {
            var wanted = listed(filter, source, t, depth + 1, by: inner, part)
            let from = Self.rows(t, k, by: inner, part)
            if part != .replaced { wanted.add("\(t).version_key = \(k).version_key") }
            selects.append(
                SQLCondition(
                    """
                    SELECT \(d).version_key AS version_key FROM \(from.text) CROSS JOIN idx_reference \(r) \
                    CROSS JOIN resource_versions \(d) WHERE \(wanted.text) AND \(r).version_key = \(t).version_key \
                    AND \(r).param = ? AND \(dialect.probeMark)\(r).target_type = ? AND \(d).type = ? \
                    AND \(d).id = \(r).target_id AND \(d).end_sequence = \(ResourceTable.current) AND \(d).deleted = 0
                    """,
                    from.values + wanted.values
                        + [key(source, reference.code), .text(type), .text(type)]))
        }
        return Leader(select: Self.union(selects), inner: [inner])
    }
}
