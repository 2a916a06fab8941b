import FHIRResources
import Workflow

/// What a unit of work has told so far, for its observers.
struct UnitChangeLog {
    private var waiting: [DomainEvent] = []
    private var told: [DomainEvent] = []
    private var order: [ResourceCache.Name] = []
    private var resources: [ResourceCache.Name: ResourceEvent] = [:]

    mutating func note(_ event: DomainEvent) { waiting.append(event) }

    /// A later version of the same unit takes the place of an earlier one.
    mutating func note(_ resource: StoredResource, replacedLive: Bool) {
        let name = ResourceCache.Name(type: resource.type, id: resource.id)
        var existed = replacedLive
        if let first = resources[name] {
            existed = first.kind != .created
        } else {
            order.append(name)
        }
        resources[name] = ResourceEvent(resource.isDeleted ? .deleted : existed ? .updated : .created, resource)
    }

    /// The resource is as it was before the unit.
    mutating func forget(_ type: String, _ id: String) {
        let name = ResourceCache.Name(type: type, id: id)
        guard resources.removeValue(forKey: name) != nil else { return }
        order.removeAll { $0 == name }
    }

    /// The domain events since the last call.
    mutating func takeEvents() -> [DomainEvent] {
        defer { waiting = [] }
        told += waiting
        return waiting
    }

    var changes: UnitChanges { UnitChanges(events: told, resources: order.compactMap { resources[$0] }) }
}
