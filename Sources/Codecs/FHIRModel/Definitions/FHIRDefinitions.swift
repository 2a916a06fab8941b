/// The R4 definitions as data: types, search parameters, compartments and the codes of required bindings.
///
/// Read from a compact text at first use, some milliseconds, and immutable after. FHIR R4 (4.0.1).
package struct FHIRDefinitions: Sendable {
    /// FHIR R4, version 4.0.1.
    package static let r4 = DefinitionText.definitions(
        types: R4Definitions.types, valueSets: R4Definitions.valueSets, codeSystems: R4Definitions.codeSystems,
        searchParameters: R4Definitions.searchParameters, compartments: R4Definitions.compartments)

    /// Names of the resource types that can be instantiated, sorted.
    package let resourceTypes: [String]
    let types: [String: TypeDefinition]
    let valueSets: [String: Set<String>]
    /// Canonical URLs by value set.
    let codeSystems: [String: String]
    /// By base type.
    let searchParameters: [String: [SearchParameterDefinition]]
    let compartments: [String: CompartmentDefinition]

    /// Whether `name` is a resource type that can be instantiated.
    package func isResourceType(_ name: String) -> Bool { types[name]?.kind == .resource }

    /// The type called `name`; nested types go by their path, such as `Patient.contact`.
    package func type(named name: String) -> TypeDefinition? { types[name] }

    /// The parameters of a resource type: its own, then those of all resources; nothing for an unknown type.
    package func searchParameters(for type: String) -> [SearchParameterDefinition] {
        var found: [SearchParameterDefinition] = []
        var name = type
        while let definition = types[name] {
            found += searchParameters[name] ?? []
            name = definition.base
        }
        return found
    }

    /// The parameter `code` of a resource type, its own or one of all resources.
    package func searchParameter(_ code: String, for type: String) -> SearchParameterDefinition? {
        var name = type
        while let definition = types[name] {
            if let found = searchParameters[name]?.first(where: { $0.code == code }) { return found }
            name = definition.base
        }
        return nil
    }

    /// The compartment called `name`, such as `Patient`.
    package func compartment(_ name: String) -> CompartmentDefinition? { compartments[name] }

    /// The one code system whose codes a value set has; nil when there are several, or none that is named. What a `code`
    /// is bound to implies its system. FHIR R4 search.html#token.
    package func codeSystem(ofValueSet name: String) -> String? { codeSystems[name] }

    /// The codes of a required binding's value set; nil when the set is not enumerated here.
    package func codes(in valueSet: String) -> Set<String>? { valueSets[valueSet] }
}
