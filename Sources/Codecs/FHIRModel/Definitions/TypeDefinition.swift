/// A resource type, a data type, or the unnamed type of a nested element, by its elements.
///
/// FHIR R4 structuredefinition.html, reduced to what reading, checking and searching need.
package struct TypeDefinition: Sendable {
    package enum Kind: String, Sendable {
        /// A resource type that can be instantiated.
        case resource = "r"
        /// `Resource` or `DomainResource`.
        case abstractResource = "a"
        /// A data type with elements, such as `HumanName`; `Element` and `BackboneElement` too.
        case complex = "t"
        /// A data type with a value, such as `date`.
        case primitive = "p"
        /// The type of a nested element, named by its path, such as `Patient.contact`.
        case nested = "n"
    }

    /// `Patient`, `HumanName`, `date`, or for a nested type the path of its element, `Patient.contact`.
    package let name: String
    package let kind: Kind
    /// The type whose elements come first; empty for `Resource` and `Element`.
    package let base: String
    /// All elements in the order of the definition, inherited ones first.
    package let elements: [ElementDefinition]
    /// The members that JSON may have, without their `_` siblings: a choice appears once for each of its types.
    let properties: [String: Property]

    /// One JSON member name: the element it stands for and, of a choice, the type it says.
    package struct Property: Sendable {
        /// Index into `elements`.
        package let position: Int
        package let type: String
    }

    /// The element called `name`; a choice goes by its name without `[x]`, such as `value`.
    package func element(_ name: String) -> ElementDefinition? {
        elements.first { $0.name == name }
    }

    /// The element and type that the JSON member `name` stands for, such as `valueQuantity`.
    package func property(_ name: String) -> (element: ElementDefinition, type: String)? {
        properties[name].map { (elements[$0.position], $0.type) }
    }
}

/// One element of a type. FHIR R4 elementdefinition.html.
package struct ElementDefinition: Sendable {
    /// One type that an element may have.
    package struct ElementType: Sendable, Hashable {
        /// The type's name: `HumanName`, `date`, or a path such as `Bundle.link` for nested elements and for
        /// content references. `*` stands for every data type of an open choice.
        package let name: String
        /// Resource types that a `Reference` or `canonical` may point at; empty means any.
        package let targets: [String]
    }

    /// The name without `[x]`.
    package let name: String
    /// The JSON name differs by type: `value` is `valueString`, `valueQuantity` and so on.
    package let isChoice: Bool
    /// 0 or more.
    package let min: Int
    /// nil when unbounded. JSON has an array exactly when this is not 1.
    package let max: Int?
    package let types: [ElementType]
    /// Name of the value set whose codes are the only ones allowed, when the set is enumerated here;
    /// see `FHIRDefinitions.codes(in:)`.
    package let requiredValueSet: String?
    /// Name of the value set that a `code` is bound to, enumerated here or not; see
    /// `FHIRDefinitions.codeSystem(ofValueSet:)`.
    package let boundValueSet: String?
    /// Part of `_summary=true`. FHIR R4 search.html#summary.
    package let isSummary: Bool
    /// Changes the meaning of the rest. FHIR R4 conformance-rules.html#isModifier.
    package let isModifier: Bool

    /// JSON writes the element as an array.
    package var isArray: Bool { max != 1 }
}
