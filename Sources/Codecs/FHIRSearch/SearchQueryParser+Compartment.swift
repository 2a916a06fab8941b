import FHIRModel

/// Compartments as search conditions. FHIR R4 compartmentdefinition.html.
extension SearchQueryParser {
    /// The condition that puts a resource of `type` into the compartment of `compartment/id`, such as `Patient/1`: any
    /// of the definition's parameters refers to it, or it is the focal resource itself. Nil when no resource of the
    /// type is ever in such a compartment.
    package func compartmentFilter(_ compartment: String, id: String, type: String) -> SearchFilter? {
        var filters: [SearchFilter] = []
        if type == compartment, let own = definitions.searchParameter("_id", for: type) {
            filters.append(.parameter(SearchCondition(own, .matches([.token(system: .any, code: id)]))))
        }
        for code in definitions.compartment(compartment)?.parameters[type] ?? [] {
            guard let parameter = definitions.searchParameter(code, for: type), parameter.type == .reference else {
                continue
            }
            filters.append(
                .parameter(SearchCondition(parameter, .matches([.reference(types: [compartment], id: id)]))))
        }
        return filters.isEmpty ? nil : .anyOf(filters)
    }
}
