import Access
import Basics
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
import Workflow

/// Patch: JSON Patch and FHIRPath Patch. FHIR R4 http.html#patch.
extension FHIRService {
    func patch(_ call: FHIRCall, type: String, id: String) throws -> ResourceChange {
        ResourceChange(type, .patch(try patch(in: call)), .id(id), try call.precondition())
    }

    func patchConditional(_ call: FHIRCall, type: String) throws -> ResourceChange {
        let condition = try condition(call.query, type: type, of: "A conditional patch")
        return ResourceChange(type, .patch(try patch(in: call)), .matching(condition), try call.precondition())
    }

    /// The patch of a body: JSON Patch by its media type, Parameters as a resource. In a Bundle, where there is no media
    /// type, a Binary that has it. Throws ``PatchError``, ``InteractionError`` and 415.
    private func patch(in call: FHIRCall) throws -> any ResourcePatch {
        var call = call
        if call.headers[.contentType] == nil, let binary = try? document(in: call),
            binary["resourceType"]?.isString("Binary") == true
        {
            guard let data = binary["data"]?.string.flatMap({ Base64.decode($0.utf8, ignoringWhiteSpace: true) }) else {
                throw InteractionError(.malformed, "the patch is a Binary without data in base 64")
            }
            call.headers[.contentType] = binary["contentType"]?.string ?? ""
            call.body = data
        }
        let media = call.headers[.contentType].flatMap { MediaType($0) }
        if let media, media.type == "application", media.subtype == "json-patch+json" {
            call.headers[.contentType] = nil
            let patch = try JSONPatch(try document(in: call))
            return CheckedPatch(validator: check.validator) { try patch.applied(to: $0) }
        }
        guard media.map({ $0.type == "application" && ["fhir+json", "json"].contains($0.subtype) }) ?? true else {
            throw OutcomeError(
                status: 415,
                outcome: OperationOutcome(
                    .error, .notSupported,
                    details: "a patch is application/json-patch+json, or Parameters as application/fhir+json"))
        }
        let patch = try FHIRPathPatch(try document(in: call))
        return CheckedPatch(validator: check.validator) { try patch.applied(to: $0) }
    }

    /// A patch whose result must be a valid resource.
    private struct CheckedPatch: ResourcePatch {
        let validator: StructureValidator
        let apply: @Sendable (JSONValue) throws -> JSONValue

        func patched(_ document: JSONDocument) throws -> JSONDocument {
            let resource: Resource
            do { resource = try Resource(try apply(JSONValue(document))) } catch is ResourceError {
                throw InteractionError(.invalid, "what the patch makes is no FHIR resource")
            }
            let issues = validator.issues(in: resource)
            if issues.contains(where: { $0.severity == .error || $0.severity == .fatal }) {
                throw OutcomeError(status: 422, outcome: OperationOutcome(issues))
            }
            return resource.document
        }
    }
}
