/// Checks a resource against the definition of its type: shapes, cardinalities, primitive values, required codes,
/// targets of references, narratives, also of resources inside the resource.
///
/// An element that R4 does not define gives a warning and is kept: adapters and newer clients send such elements,
/// and what was sent must come back. FHIR R4 json.html#2.6.2 would have them refused; that deviation is deliberate.
/// Invariants, slices, profiles and terminology beyond required codes are not looked at. FHIR R4 validation.html.
package struct StructureValidator: Sendable {
    private let definitions: FHIRDefinitions
    /// Issues after which the rest of the resource is not looked at.
    private let issuesMax: Int
    private let narrative: NarrativePolicy

    /// - Parameter narrative: what is said of a narrative that R4 does not allow.
    package init(definitions: FHIRDefinitions = .r4, issuesMax: Int = 100, narrative: NarrativePolicy = .refuse) {
        self.definitions = definitions
        self.issuesMax = issuesMax
        self.narrative = narrative
    }

    /// What is wrong with `resource`, in the order of its elements; empty when nothing is.
    ///
    /// Errors come as `.structure` (JSON of the wrong shape), `.required`, `.value`, `.codeInvalid` and `.tooLong`;
    /// warnings as `.structure` for elements that R4 does not define and as `.value` for references to a type that
    /// the element does not allow. No issue carries a value.
    package func issues(in resource: Resource) -> [OperationOutcome.Issue] {
        var walk = StructureWalk(definitions: definitions, issuesMax: issuesMax, narrative: narrative)
        walk.resource(resource.root, as: resource.resourceType)
        return walk.issues
    }

    /// The same for a resource that stands inside another document, such as a Bundle's entry.
    package func issues(in node: JSONNode, as resourceType: String) -> [OperationOutcome.Issue] {
        var walk = StructureWalk(definitions: definitions, issuesMax: issuesMax, narrative: narrative)
        walk.resource(node, as: resourceType)
        return walk.issues
    }
}
