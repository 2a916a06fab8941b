import FHIRModel
import Workflow

extension ServiceRequestProjection {
    /// The order that a client says is replaced by another in `replaces`, of which the workflow knows nothing; the first of
    /// several. FHIR R4 servicerequest.html.
    package static func replaced(by id: EntityID, among changes: UnitChanges) -> EntityID? {
        let request = changes.resources.last { $0.resource.type == type && $0.resource.id == id.value }
        guard let bytes = request?.resource.bytes, let document = try? JSONDocument(parsing: bytes),
            let reference = JSONValue(document)["replaces"]?[0]?["reference"]?.string
        else { return nil }
        let parts = reference.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == type else { return nil }
        return EntityID(String(parts[parts.count - 1]))
    }
}
