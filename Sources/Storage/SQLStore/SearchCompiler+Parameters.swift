import FHIRModel
import FHIRSearch

/// One parameter's condition on one row.
extension SearchCompiler {
    func parameter(
        _ condition: SearchCondition, _ type: String, _ alias: String, isDriver: Bool
    ) -> SQLCondition {
        if container != nil, condition.parameter.code == "_id" || condition.parameter.code == "_lastUpdated" {
            return SQLCondition("1 = 0")
        }
        if condition.parameter.code == "_id" { return ownID(condition.test, alias) }
        if condition.parameter.code == "_lastUpdated" { return lastUpdated(condition.test, alias) }
        switch condition.test {
        case .isMissing(let isMissing): return missing(isMissing, condition.parameter, type, alias)
        case .matches(let values): return matches(values, condition.parameter, type, alias, isDriver: isDriver)
        case .matchesNone(let values):
            let found = matches(values, condition.parameter, type, alias, isDriver: false)
            return SQLCondition("NOT (\(found.text))", found.values)
        }
    }

    // MARK: Columns of the version itself

    private func ownID(_ test: SearchCondition.Test, _ alias: String) -> SQLCondition {
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

    private func lastUpdated(_ test: SearchCondition.Test, _ alias: String) -> SQLCondition {
        switch test {
        case .isMissing(let isMissing): SQLCondition(isMissing ? "1 = 0" : "1 = 1")
        case .matches(let values), .matchesNone(let values):
            Self.anyOf(
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
            SQLCondition(
                "EXISTS (SELECT 1 FROM \(kind.table) i WHERE i.version_key = \(alias).version_key AND i.param = ?)",
                [key])
        }
        let present = Self.anyOf(parts)
        return isMissing ? SQLCondition("NOT (\(present.text))", present.values) : present
    }

    private func matches(
        _ values: [SearchValue], _ parameter: SearchParameterDefinition, _ type: String, _ alias: String, isDriver: Bool
    ) -> SQLCondition {
        if parameter.type == .composite {
            return Self.anyOf(values.map { composite($0, parameter, type, alias) })
        }
        guard let first = values.first else { return SQLCondition("1 = 0") }
        let (kind, aspect) = Self.place(first)
        // A text is also found by its later words, a time by the day on its own clock.
        let more = Self.secondPlace(first)
        let keys = [key(type, parameter.code, aspect)] + (more.map { [key(type, parameter.code, $0)] } ?? [])
        let isOfParameter = keys.count == 1 ? "i.param = ?" : "i.param IN (?, ?)"
        if isDriver {
            let test = entry(values, "i")
            return SQLCondition(
                "\(alias).version_key IN (SELECT i.version_key FROM \(kind.table) i WHERE \(isOfParameter) AND \(test.text))",
                keys + test.values)
        }
        let test = entry(values, dialect.probeMark + "i")
        return SQLCondition(
            """
            EXISTS (SELECT 1 FROM \(kind.table) i WHERE i.version_key = \(alias).version_key AND \(isOfParameter) \
            AND \(test.text))
            """, keys + test.values)
    }

    /// Where else the entries that a value compares with are kept.
    private static func secondPlace(_ value: SearchValue) -> SearchParameterKey.Aspect? {
        switch value {
        case .stringStart: .word
        case .date(let prefix, _, isDay: true) where [.equal, .greaterOrEqual, .lessOrEqual].contains(prefix): .day
        default: nil
        }
    }

    /// Where the entries that a value compares with are kept.
    private static func place(_ value: SearchValue) -> (SearchIndexTable.Kind, SearchParameterKey.Aspect) {
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

    /// The components' entries of one part. FHIR R4 search.html#composite.
    private func composite(
        _ value: SearchValue, _ parameter: SearchParameterDefinition, _ type: String, _ alias: String
    ) -> SQLCondition {
        guard case .composite(let values) = value, let first = values.first else { return SQLCondition("1 = 0") }
        func key(_ position: Int) -> SQLValue {
            self.key(type, parameter.code, .component(position))
        }
        let test = entry([first], "c0")
        var condition = SQLCondition("c0.param = ? AND \(test.text)", [key(0)] + test.values)
        for (position, value) in values.enumerated().dropFirst() {
            let table = "c\(position)"
            let mark = dialect.probeMark
            let test = entry([value], mark + table)
            condition.add(
                """
                EXISTS (SELECT 1 FROM \(Self.place(value).0.table) \(table) WHERE \(table).version_key = c0.version_key \
                AND \(table).param = ? AND \(mark)\(table).part = c0.part AND \(test.text))
                """, values: [key(position)] + test.values)
        }
        return SQLCondition(
            "\(alias).version_key IN (SELECT c0.version_key FROM \(Self.place(first).0.table) c0 WHERE \(condition.text))",
            condition.values)
    }
}
