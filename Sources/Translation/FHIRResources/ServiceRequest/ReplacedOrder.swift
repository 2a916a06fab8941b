import FHIRModel
import Workflow

/// The order that a client says is replaced by another. The workflow knows nothing of it.
package enum ReplacedOrder {
    /// What `replaces` refers to in the last state of an order that the changes hold; the first of several. FHIR R4
    /// servicerequest.html.
    package static func id(by order: EntityID, among changes: UnitChanges) -> EntityID? {
        let type = ServiceRequestProjection.type
        let request = changes.resources.last { $0.resource.type == type && $0.resource.id == order.value }
        guard let bytes = request?.resource.bytes, let document = try? JSONDocument(parsing: bytes),
            let reference = JSONValue(document)["replaces"]?[0]?["reference"]?.string
        else { return nil }
        let parts = reference.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == type else { return nil }
        return EntityID(String(parts[parts.count - 1]))
    }
}
