import Access
import FHIRModel
import FHIRSearch

/// Makes SQL conditions of search filters and access decisions. Every value is bound, never written into the text.
///
/// A condition speaks of one row of `resource_versions` under an alias: `v` for the matches, `t1`, `t2` inside chains.
/// What the caller may not see is cut out at every node, so a chain cannot ask about it either (house decision 5).
struct SearchCompiler {
    let dialect: SQLDialect
    /// Versions are seen as of this commit.
    let snapshot: Int64
    let access: AccessContext
    /// Reads the conditions of granular scopes.
    let parser: SearchQueryParser
    /// Set while the conditions are on a resource that is contained in the row: the row's type and the reference to it.
    var container: (type: String, reference: String)?

    /// The number under which the entries of a parameter are.
    func key(_ type: String, _ code: String, _ aspect: SearchParameterKey.Aspect = .value) -> SQLValue {
        let own = SearchParameterKey(type, code, aspect)
        guard let container else { return .int(own.number) }
        return .int(SearchParameterKey(container.type, reference: container.reference, contained: own).number)
    }

    /// The versions of a type that stand at the snapshot, are no deletion markers, and may be seen.
    func visible(
        _ type: String, _ alias: String = "v", permission: Permissions = .search, depth: Int = 0,
        deletions: Bool = false
    ) -> SQLCondition {
        var condition = SQLCondition("\(alias).type = ?", [.text(type)])
        condition.add("\(alias).first_sequence <= ?", .int(snapshot))
        condition.add("\(alias).end_sequence > ?", .int(snapshot))
        if !deletions { condition.add("\(alias).deleted = 0") }
        if let allowed = allowed(type, alias, permission, depth) { condition.add(allowed.text, values: allowed.values) }
        return condition
    }

    /// All matches of a query.
    func matches(_ query: SearchQuery) -> SQLCondition {
        var condition = visible(query.resourceType)
        let filter = all(query.filters, query.resourceType, "v", 0, isDriver: true)
        condition.add(filter.text, values: filter.values)
        return condition
    }

    // MARK: Access

    /// What the caller's scopes ask of a row; nil when they ask nothing.
    ///
    /// A scope condition that is not understood grants nothing. Chains are not followed here: a scope must not be able
    /// to look further than the resource it limits.
    func allowed(_ type: String, _ alias: String, _ permission: Permissions, _ depth: Int) -> SQLCondition? {
        let alternatives: [[ScopeConstraint]]
        switch access.decision(permission, on: type) {
        case .refused: return SQLCondition("1 = 0")
        case .permitted(let anyOf): alternatives = anyOf
        }
        if alternatives.isEmpty { return nil }
        var parts: [SQLCondition] = []
        for constraints in alternatives {
            var filters: [SearchFilter] = []
            for constraint in constraints {
                guard let filter = parser.filter(type, .init(name: constraint.name, value: constraint.value)),
                    case .parameter = filter
                else { break }
                filters.append(filter)
            }
            if filters.count == constraints.count { parts.append(all(filters, type, alias, depth, isDriver: false)) }
        }
        return Self.anyOf(parts)
    }

    // MARK: Filters

    /// Whether a list of versions found by the index is likely short: the shortest one leads the query.
    private static func rank(_ filter: SearchFilter) -> Int {
        guard case .parameter(let condition) = filter, case .matches = condition.test else {
            if case .chain = filter { return 4 }
            if case .reverseChain = filter { return 5 }
            return 9
        }
        switch (condition.parameter.code, condition.parameter.type) {
        case ("_id", _): return 0
        case ("_lastUpdated", _): return 9
        case ("identifier", _): return 1
        case (_, .reference): return 2
        case (_, .composite): return 3
        case (_, .string), (_, .uri): return 5
        case (let code, .token): return Self.coarse.contains(code) ? 8 : 6
        default: return 7
        }
    }

    /// Parameters that divide a type into a few large parts: reading the type in order and looking at each row ends with
    /// the page, while a list of all that match would have to be made whole first.
    private static let coarse: Set<String> = [
        "status", "gender", "active", "intent", "priority", "category", "class", "deceased", "clinical-status",
        "verification-status",
    ]
    /// The highest rank that may lead.
    private static let leadingRankMax = 7

    /// All filters hold. The most selective one, when it may lead, gives a list; the others are looked up row by row.
    private func all(
        _ filters: [SearchFilter], _ type: String, _ alias: String, _ depth: Int, isDriver: Bool
    ) -> SQLCondition {
        var condition: SQLCondition?
        let best = filters.indices.min { Self.rank(filters[$0]) < Self.rank(filters[$1]) }
        let driver = best.flatMap { isDriver && Self.rank(filters[$0]) <= Self.leadingRankMax ? $0 : nil }
        for (position, filter) in filters.enumerated() {
            let next = self.filter(filter, type, alias, depth, isDriver: position == driver)
            if condition == nil { condition = next } else { condition?.add(next.text, values: next.values) }
        }
        return condition ?? SQLCondition("1 = 1")
    }

    func filter(
        _ filter: SearchFilter, _ type: String, _ alias: String, _ depth: Int, isDriver: Bool
    ) -> SQLCondition {
        switch filter {
        case .parameter(let condition): parameter(condition, type, alias, isDriver: isDriver)
        case .anyOf(let filters):
            Self.anyOf(filters.map { self.filter($0, type, alias, depth, isDriver: isDriver) })
        case .allOf(let filters):
            SQLCondition.grouped(all(filters, type, alias, depth, isDriver: isDriver))
        case .chain(let reference, let targets):
            Self.anyOf(targets.map { chain(reference, $0, type, alias, depth) })
        case .reverseChain(let source, let reference, let inner):
            reverseChain(source, reference, inner, type, alias, depth)
        }
    }

    /// FHIR R4 search.html#chaining.
    private func chain(
        _ reference: SearchParameterDefinition, _ target: SearchFilter.Target, _ type: String, _ alias: String,
        _ depth: Int
    ) -> SQLCondition {
        let inner = "t\(depth + 1)"
        var wanted = visible(target.type, inner, depth: depth + 1)
        let filter = filter(target.filter, target.type, inner, depth + 1, isDriver: true)
        wanted.add(filter.text, values: filter.values)
        let contained = contained(reference, target, type, depth)
        return SQLCondition(
            """
            \(alias).version_key IN (SELECT r.version_key FROM idx_reference r WHERE r.param = ? AND r.target_type = ? \
            AND r.target_id IN (SELECT \(inner).id FROM resource_versions \(inner) WHERE \(wanted.text)) \
            UNION ALL \(contained.text))
            """,
            [key(type, reference.code), .text(target.type)] + wanted.values + contained.values)
    }

    /// A select of the rows whose reference leads to a resource within them for which the condition holds. What is contained
    /// is seen with its container. FHIR R4 search.html#contained.
    private func contained(
        _ reference: SearchParameterDefinition, _ target: SearchFilter.Target, _ type: String, _ depth: Int
    ) -> SQLCondition {
        guard container == nil else { return SQLCondition("SELECT 0 WHERE 1 = 0") }
        var within = self
        within.container = (type, reference.code)
        let alias = "w\(depth + 1)"
        let filter = within.filter(target.filter, target.type, alias, depth + 1, isDriver: true)
        return SQLCondition(
            "SELECT \(alias).version_key FROM idx_token \(alias) WHERE \(alias).param = ? AND \(filter.text)",
            [within.key(target.type, SearchIndexer.typeCode)] + filter.values)
    }

    /// FHIR R4 search.html#has.
    private func reverseChain(
        _ source: String, _ reference: SearchParameterDefinition, _ filter: SearchFilter, _ type: String,
        _ alias: String,
        _ depth: Int
    ) -> SQLCondition {
        // Nothing refers to a contained resource but its container.
        guard container == nil else { return SQLCondition("1 = 0") }
        let inner = "t\(depth + 1)"
        var wanted = visible(source, inner, depth: depth + 1)
        let condition = self.filter(filter, source, inner, depth + 1, isDriver: true)
        wanted.add(condition.text, values: condition.values)
        return SQLCondition(
            """
            \(alias).id IN (SELECT r.target_id FROM idx_reference r WHERE r.param = ? AND r.target_type = ? \
            AND r.version_key IN (SELECT \(inner).version_key FROM resource_versions \(inner) WHERE \(wanted.text)))
            """,
            [key(source, reference.code), .text(type)] + wanted.values)
    }

    static func anyOf(_ parts: [SQLCondition]) -> SQLCondition {
        guard let first = parts.first else { return SQLCondition("1 = 0") }
        if parts.count == 1 { return first }
        return SQLCondition(
            "(" + parts.map { "(\($0.text))" }.joined(separator: " OR ") + ")", parts.flatMap(\.values))
    }
}

extension SQLCondition {
    /// The condition in parentheses.
    static func grouped(_ condition: SQLCondition) -> SQLCondition {
        SQLCondition("(\(condition.text))", condition.values)
    }
}
