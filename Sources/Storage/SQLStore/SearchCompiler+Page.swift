import FHIRModel
import FHIRSearch

/// The statements of one page: order, place to go on from, size.
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

    /// Keys and sort values of the matches after `position`, at most `limit`, in order.
    ///
    /// Columns: version key, then one for each sort key. Without sort keys the order is that of the versions' making.
    /// What has no value to sort by comes last, in both directions.
    func page(_ query: SearchQuery, after position: Position?, limit: Int) -> Statement {
        let matches = self.matches(query)
        if query.sort.isEmpty {
            var condition = matches
            if let position { condition.add("v.version_key > ?", .int(position.key)) }
            return Statement(
                text:
                    "SELECT v.version_key FROM resource_versions v WHERE \(condition.text) ORDER BY v.version_key LIMIT ?",
                values: condition.values + [.int(Int64(limit))])
        }
        var columns = ["v.version_key AS version_key"]
        var values: [SQLValue] = []
        var order: [String] = []
        for (number, key) in query.sort.enumerated() {
            let expression = sortValue(key, query.resourceType)
            columns.append("\(expression.text) AS s\(number)")
            values += expression.values
            order += ["s\(number) IS NULL", "s\(number)\(key.isDescending ? " DESC" : "")"]
        }
        values += matches.values
        var text =
            "SELECT * FROM (SELECT \(columns.joined(separator: ", ")) FROM resource_versions v WHERE \(matches.text)) m"
        if let position {
            let after = self.after(position, query.sort)
            text += " WHERE \(after.text)"
            values += after.values
        }
        text += " ORDER BY \(order.joined(separator: ", ")), version_key LIMIT ?"
        return Statement(text: text, values: values + [.int(Int64(limit))])
    }

    /// The number of matches.
    func total(_ query: SearchQuery) -> Statement {
        let matches = self.matches(query)
        return Statement(text: "SELECT count(*) FROM resource_versions v WHERE \(matches.text)", values: matches.values)
    }

    /// What a sort key's values are, for reading them back.
    static func sortKind(_ key: SortKey) -> SQLColumnKind {
        switch key.parameter.type {
        case .date: .int
        case .number, .quantity: .double
        default: .text
        }
    }

    /// Of several values the lowest counts when ascending and the highest when descending. FHIR R4 search.html#sort.
    private func sortValue(_ key: SortKey, _ type: String) -> SQLCondition {
        switch key.parameter.code {
        case "_id": return SQLCondition("v.id")
        case "_lastUpdated": return SQLCondition("v.time")
        default: break
        }
        let column =
            switch Self.kind(key.parameter.type) {
            case .token: "code"
            case .string: "folded"
            case .date, .quantity: key.isDescending ? "high" : "low"
            case .reference: "target_id"
            case .uri: "uri"
            }
        return SQLCondition(
            """
            (SELECT \(key.isDescending ? "max" : "min")(\(dialect.probeMark)i.\(column)) FROM \(Self.kind(key.parameter.type).table) i \
            WHERE i.version_key = v.version_key AND i.param = ?)
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
                Self.joined(
                    equal + [
                        SQLCondition("(s\(number) \(key.isDescending ? "<" : ">") ? OR s\(number) IS NULL)", [value])
                    ]))
            equal.append(SQLCondition("s\(number) = ?", [value]))
        }
        alternatives.append(Self.joined(equal + [SQLCondition("version_key > ?", [.int(position.key)])]))
        return Self.anyOf(alternatives)
    }

    private static func joined(_ parts: [SQLCondition]) -> SQLCondition {
        SQLCondition(parts.map(\.text).joined(separator: " AND "), parts.flatMap(\.values))
    }
}
