import FHIRModel
import Workflow

/// The order that a client says is replaced by another. The workflow knows nothing of it.
package enum ReplacedOrder {
    /// What `replaces` refers to in the last state of an order that the changes hold; the first of several. Nil for an
    /// absolute reference: what it names is on another server, and may have the id of another order here. FHIR R4
    /// servicerequest.html.
    package static func id(by order: EntityID, among changes: UnitChanges) -> EntityID? {
        let type = ServiceRequestProjection.type
        let request = changes.resources.last { $0.resource.type == type && $0.resource.id == order.value }
        guard let bytes = request?.resource.bytes,
            let document = try? JSONDocument(parsing: bytes, limits: .stored),
            let reference = document["replaces"]?[0]
        else { return nil }
        return Datatypes.id(inReference: JSONValue(reference), type: type)
    }
}
