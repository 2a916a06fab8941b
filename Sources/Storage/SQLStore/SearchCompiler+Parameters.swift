import FHIRModel
import FHIRSearch

/// One parameter's probe.
extension SearchCompiler {
    func probe(_ condition: SearchCondition, _ type: String, _ alias: String) -> SQLCondition {
        if container != nil, condition.parameter.code == "_id" || condition.parameter.code == "_lastUpdated" {
            return SQLCondition("1 = 0")
        }
        if condition.parameter.code == "_id" { return ownID(condition.test, alias) }
        if condition.parameter.code == "_lastUpdated" { return lastUpdated(condition.test, alias) }
        switch condition.test {
        case .isMissing(let isMissing): return missing(isMissing, condition.parameter, type, alias)
        case .matches(let values): return matches(values, condition.parameter, type, alias)
        case .matchesNone(let values):
            return .not(matches(values, condition.parameter, type, alias))
        }
    }

    // MARK: Columns of the version itself

    func ownID(_ test: SearchCondition.Test, _ alias: String) -> SQLCondition {
        switch test {
        case .isMissing(let isMissing): SQLCondition(isMissing ? "1 = 0" : "1 = 1")
        case .matches(let values): SQLCondition(dialect.isInTexts("\(alias).id"), [.texts(Self.ids(values))])
        case .matchesNone(let values):
            SQLCondition("NOT (\(dialect.isInTexts("\(alias).id")))", [.texts(Self.ids(values))])
        }
    }

    private static func ids(_ values: [SearchValue]) -> [String] {
        values.compactMap { value in
            // An id has no system, so one with a system is nobody's.
            switch value {
            case .token(.any, let code?), .token(.none, let code?): code
            default: nil
            }
        }
    }

    func lastUpdated(_ test: SearchCondition.Test, _ alias: String) -> SQLCondition {
        switch test {
        case .isMissing(let isMissing): SQLCondition(isMissing ? "1 = 0" : "1 = 1")
        case .matches(let values), .matchesNone(let values):
            .anyOf(
                values.map { value in
                    guard case .date(let prefix, let range, _) = value else { return SQLCondition("1 = 0") }
                    return Self.instant(prefix, range, "\(alias).time")
                })
        }
    }

    private static func instant(_ prefix: SearchPrefix, _ range: DateTimeRange, _ column: String) -> SQLCondition {
        let (low, high) = (SQLValue.int(range.lower), SQLValue.int(range.upper))
        switch prefix {
        case .equal, .approximately: return SQLCondition("\(column) >= ? AND \(column) < ?", [low, high])
        case .notEqual: return SQLCondition("(\(column) < ? OR \(column) >= ?)", [low, high])
        case .greater, .startsAfter: return SQLCondition("\(column) >= ?", [high])
        case .greaterOrEqual: return SQLCondition("\(column) >= ?", [low])
        case .less, .endsBefore: return SQLCondition("\(column) < ?", [low])
        case .lessOrEqual: return SQLCondition("\(column) < ?", [high])
        }
    }

    // MARK: Index entries

    /// The table in which a parameter's own entries are.
    static func kind(_ type: SearchParameterDefinition.ParameterType) -> SearchIndexTable.Kind {
        switch type {
        case .token, .special, .composite: .token
        case .string: .string
        case .date: .date
        case .reference: .reference
        case .quantity, .number: .quantity
        case .uri: .uri
        }
    }

    private func missing(
        _ isMissing: Bool, _ parameter: SearchParameterDefinition, _ type: String, _ alias: String
    ) -> SQLCondition {
        var tables: [(SearchIndexTable.Kind, SQLValue)] = []
        switch parameter.type {
        case .reference:
            // A reference that has only an identifier is there all the same.
            tables = [
                (.reference, key(type, parameter.code)), (.token, key(type, parameter.code, .identifier)),
            ]
        case .composite:
            let first = parameter.components.first.flatMap { component in
                parser.parameter(component.code, for: type).map { Self.kind($0.type) }
            }
            tables = [(first ?? .token, key(type, parameter.code, .component(0)))]
        default: tables = [(Self.kind(parameter.type), key(type, parameter.code))]
        }
        let parts = tables.map { kind, key in
            exists(
                "\(kind.table) i WHERE i.version_key = \(alias).version_key AND i.param = ?", [key])
        }
        let present = SQLCondition.anyOf(parts)
        return isMissing ? .not(present) : present
    }

    private func matches(
        _ values: [SearchValue], _ parameter: SearchParameterDefinition, _ type: String, _ alias: String
    ) -> SQLCondition {
        if parameter.type == .composite {
            return .anyOf(
                values.map { value in
                    guard let condition = composite(value, parameter, type) else { return SQLCondition("1 = 0") }
                    return exists(
                        "\(condition.table) c0 WHERE \(condition.test.text) AND c0.version_key = \(alias).version_key",
                        condition.test.values)
                })
        }
        guard let first = values.first else { return SQLCondition("1 = 0") }
        let test = SQLCondition.anyOf(looks(values, dialect.probeMark + "i").map(\.condition))
        let keys = keys(of: first, parameter, type)
        let isOfParameter = keys.count == 1 ? "i.param = ?" : "i.param IN (?, ?)"
        return exists(
            "\(Self.place(first).0.table) i WHERE \(test.text) AND i.version_key = \(alias).version_key AND \(isOfParameter)",
            test.values + keys)
    }

    /// The numbers of the entries that a value compares with, one or two: a text is also found by its later words, a time
    /// by the day on its own clock.
    func keys(of value: SearchValue, _ parameter: SearchParameterDefinition, _ type: String) -> [SQLValue] {
        let first = key(type, parameter.code, Self.place(value).1)
        return switch value {
        case .stringStart: [first, key(type, parameter.code, .word)]
        case .date(let prefix, _, isDay: true) where [.equal, .greaterOrEqual, .lessOrEqual].contains(prefix):
            [first, key(type, parameter.code, .day)]
        default: [first]
        }
    }

    /// Where the entries that a value compares with are kept.
    static func place(_ value: SearchValue) -> (SearchIndexTable.Kind, SearchParameterKey.Aspect) {
        switch value {
        case .token: (.token, .value)
        case .tokenText: (.string, .text)
        case .identifierOfType: (.token, .ofType)
        case .referenceIdentifier: (.token, .identifier)
        case .stringStart, .stringPart, .stringExact: (.string, .value)
        case .date: (.date, .value)
        case .number, .quantity: (.quantity, .value)
        case .reference, .referenceURL: (.reference, .value)
        case .uri, .uriBelow, .uriAbove: (.uri, .value)
        case .composite: (.token, .component(0))
        }
    }

    /// The components' entries of one part, as a condition on the first one's, `c0`. FHIR R4 search.html#composite.
    func composite(
        _ value: SearchValue, _ parameter: SearchParameterDefinition, _ type: String
    ) -> (table: String, test: SQLCondition)? {
        guard case .composite(let values) = value, let first = values.first else { return nil }
        func key(_ position: Int) -> SQLValue {
            self.key(type, parameter.code, .component(position))
        }
        let mark = dialect.probeMark
        let test = SQLCondition.anyOf(looks([first], "c0").map(\.condition))
        var all: [SQLCondition] = []
        for (position, value) in values.enumerated().dropFirst() {
            let table = "c\(position)"
            let test = SQLCondition.anyOf(looks([value], mark + table).map(\.condition))
            all.append(
                exists(
                    """
                    \(Self.place(value).0.table) \(table) WHERE \(test.text) AND \(table).version_key = c0.version_key \
                    AND \(table).param = ? AND \(mark)\(table).part = c0.part
                    """, test.values + [key(position)]))
        }
        return (
            Self.place(first).0.table, .allOf(all + [SQLCondition("c0.param = ?", [key(0)]), test])
        )
    }
}
