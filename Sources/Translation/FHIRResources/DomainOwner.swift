import FHIRModel
import Workflow

/// Which order or report a stored Task or Observation is part of: those two types have no domain object of their own id
/// that could be asked.
enum DomainOwner {
    /// What to project again when a client has changed the resource; nil for one that is the client's own.
    static func event(of resource: StoredResource, in unit: any ResourceUnitOfWork) throws -> DomainEvent? {
        guard !resource.isDeleted, [TaskProjection.type, ObservationProjection.type].contains(resource.type) else {
            return nil
        }
        let value = JSONValue(try JSONDocument(parsing: resource.bytes, limits: .stored))
        guard let orderID = Datatypes.id(inReference: value["basedOn"]?[0], type: ServiceRequestProjection.type) else {
            return nil
        }
        let id = EntityID(resource.id)
        if resource.type == TaskProjection.type {
            guard let order = try unit.order(orderID), order.steps.contains(where: { $0.id == id }) else { return nil }
            return .orderChanged(orderID)
        }
        let report = try unit.reports(ofOrder: orderID).first { $0.observations.contains { $0.id == id } }
        return report.map { .reportChanged($0.id) }
    }
}
