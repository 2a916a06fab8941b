import FHIRModel

/// Compartments as search conditions. FHIR R4 compartmentdefinition.html.
extension SearchQueryParser {
    /// The condition that puts a resource of `type` into the compartment of `compartment/id`, such as `Patient/1`: any
    /// of the definition's parameters refers to it, or it is the focal resource itself. Nil when no resource of the
    /// type is ever in such a compartment.
    package func compartmentFilter(_ compartment: String, id: String, type: String) -> SearchFilter? {
        compartmentFilter(compartment, ids: [id], type: type)
    }

    /// The same of any of several focal resources.
    ///
    /// - Parameter ids: logical ids, none of which is nobody's compartment; nil for that of any focal resource that the
    ///   asker may see.
    package func compartmentFilter(_ compartment: String, ids: [String]?, type: String) -> SearchFilter? {
        var filters: [SearchFilter] = []
        if type == compartment {
            guard let ids else { return .allOf([]) }
            filters.append(idFilter(ids, type: type))
        }
        for code in definitions.compartment(compartment)?.parameters[type] ?? [] {
            guard let parameter = definitions.searchParameter(code, for: type), parameter.type == .reference else {
                continue
            }
            guard let ids else {
                filters.append(
                    .chain(
                        reference: parameter,
                        targets: [SearchFilter.Target(type: compartment, filter: .allOf([]))]))
                continue
            }
            let values = ids.map { SearchValue.reference(types: [compartment], id: $0) }
            filters.append(values.isEmpty ? .anyOf([]) : .parameter(SearchCondition(parameter, .matches(values))))
        }
        return filters.isEmpty ? nil : .anyOf(filters)
    }

    /// The condition that the logical id is one of these; nothing meets it where there are none.
    package func idFilter(_ ids: [String], type: String) -> SearchFilter {
        guard let own = definitions.searchParameter("_id", for: type), !ids.isEmpty else { return .anyOf([]) }
        return .parameter(SearchCondition(own, .matches(ids.map { .token(system: .any, code: $0) })))
    }
}
