/// A search parameter of one base type. FHIR R4 searchparameter.html, searchparameter-registry.html.
package struct SearchParameterDefinition: Sendable, Hashable {
    /// FHIR R4 valueset-search-param-type.html.
    package enum ParameterType: String, Sendable, Hashable, CaseIterable {
        case number, date, string, token, reference, composite, quantity, uri, special
    }

    /// One part of a composite. FHIR R4 search.html#composite.
    package struct Component: Sendable, Hashable {
        /// Code of the parameter of the same base type.
        package let code: String
        /// FHIRPath from the elements that the composite selects.
        package let expression: String

        package init(code: String, expression: String) {
            self.code = code
            self.expression = expression
        }
    }

    /// The type it is defined on: a resource type, `Resource` or `DomainResource`.
    package let base: String
    /// The name in a URL.
    package let code: String
    package let type: ParameterType
    /// FHIRPath from a resource of `base`: the alternatives that concern this base only. Empty for parameters that
    /// are not read from elements, such as `_text`.
    package let expression: String
    /// Resource types that a reference may point at; of a reference, empty means any type.
    package let targets: [String]
    /// Empty unless `type` is `.composite`.
    package let components: [Component]
    /// Last part of the canonical URL, after `http://hl7.org/fhir/SearchParameter/`.
    package let id: String

    package init(
        base: String, code: String, type: ParameterType, expression: String, targets: [String] = [],
        components: [Component] = [], id: String
    ) {
        self.base = base
        self.code = code
        self.type = type
        self.expression = expression
        self.targets = targets
        self.components = components
        self.id = id
    }

    /// The canonical URL.
    package var url: String { "http://hl7.org/fhir/SearchParameter/" + id }
}

/// Which resources belong to one patient, practitioner and so on. FHIR R4 compartmentdefinition.html.
package struct CompartmentDefinition: Sendable, Hashable {
    /// `Patient`, `Practitioner`, `Encounter`, `Device` or `RelatedPerson`.
    package let name: String
    /// For each resource type in the compartment, the reference parameters any of which puts a resource into it.
    /// The focal resource itself is always in, named or not.
    package let parameters: [String: [String]]
}
