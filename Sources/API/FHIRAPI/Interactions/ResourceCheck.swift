import FHIRModel
import FHIRResources

/// What every resource is held to before it is written, whichever way it came.
struct ResourceCheck: Sendable {
    let validator: StructureValidator
    let limits: FHIRLimits

    init(_ limits: FHIRLimits) {
        validator = StructureValidator(narrative: limits.narrative)
        self.limits = limits
    }

    /// Throws ``InteractionError`` `.malformed` for what is no resource, `.mismatch` for one of another type, and
    /// ``OutcomeError`` for one that breaks its definition or is too large.
    /// - Parameter place: what says the type: `the URL`.
    func resource(_ document: JSONDocument, type: String, saidBy place: String) throws -> Resource {
        let resource: Resource
        do { resource = try Resource(document) } catch {
            throw InteractionError(.malformed, "the body is no FHIR resource: \(error)")
        }
        guard resource.resourceType == type else {
            throw InteractionError(.mismatch, "the body is a \(resource.resourceType), \(place) says \(type)")
        }
        if type == "Bundle", let count = resource["entry"]?.count, count > limits.bundleEntriesMax {
            throw OutcomeError(
                status: 413,
                outcome: OperationOutcome(
                    .error, .tooCostly, details: "a Bundle of at most \(limits.bundleEntriesMax) entries is taken"))
        }
        let issues = validator.issues(in: resource)
        if issues.contains(where: { $0.severity == .error || $0.severity == .fatal }) {
            throw OutcomeError(status: 422, outcome: OperationOutcome(issues))
        }
        return resource
    }
}
