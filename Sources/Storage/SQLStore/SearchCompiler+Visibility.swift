import Access
import FHIRSearch

/// What the caller may see of the resources, as a condition on one version. The other reader of ``Access/Visibility`` is
/// of the imaging tables.
extension SearchCompiler {
    /// What the caller's rights ask of a row; nil when they ask nothing.
    ///
    /// A condition that is not understood, or has no meaning for the type, lets nothing through. Chains are not followed
    /// here: a scope must not be able to look further than the resource it limits.
    func allowed(_ type: String, _ alias: String, _ permission: Permissions, _ depth: Int) -> SQLCondition? {
        condition(access.visibility(permission, of: type), type, alias, depth)
    }

    func condition(_ visibility: Visibility, _ type: String, _ alias: String, _ depth: Int) -> SQLCondition? {
        switch visibility {
        case .whole: nil
        case .nothing: SQLCondition("1 = 0")
        case .anyOf(let rules):
            .anyOf(rules.compactMap { filter($0, type) }.map { probe($0, type, alias, depth) })
        }
    }

    /// Nil for a rule that no resource of the type meets.
    private func filter(_ rule: VisibilityRule, _ type: String) -> SearchFilter? {
        var filters: [SearchFilter] = []
        for condition in rule.conditions {
            guard let filter = parser.filter(condition, type) else { return nil }
            filters.append(filter)
        }
        return .allOf(filters)
    }
}

extension SearchQueryParser {
    /// One condition of a rule as a search has it; nil where no resource of the type meets it.
    fileprivate func filter(_ condition: VisibilityRule.Condition, _ type: String) -> SearchFilter? {
        switch condition {
        case .search(let constraint):
            guard let filter = filter(type, .init(name: constraint.name, value: constraint.value)),
                case .parameter = filter
            else { return nil }
            return filter
        case .compartment(let compartment):
            return compartmentFilter(compartment.type, id: compartment.id, type: type)
        case .carriesNone(let labels):
            guard let security = parameter("_security", for: type) else { return nil }
            let values = labels.map { SearchValue.token(system: .uri($0.system), code: $0.code) }
            return .parameter(SearchCondition(security, .matchesNone(values)))
        }
    }
}
