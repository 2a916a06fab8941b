import FHIRResources
import Workflow

/// What a unit of work has told so far, for its observers.
struct UnitChangeLog {
    private var waiting: [DomainEvent] = []
    private var told: [DomainEvent] = []
    private var resources: [ResourceCache.Name: Noted] = [:]
    private var noted = 0

    private struct Noted {
        let place: Int
        /// Before the unit.
        let existed: Bool
        var event: ResourceEvent
    }

    var hasResources: Bool { !resources.isEmpty }

    mutating func note(_ event: DomainEvent) { waiting.append(event) }

    /// A later version of the same unit takes the place of an earlier one.
    mutating func note(_ resource: StoredResource, replacedLive: Bool) {
        let name = ResourceCache.Name(type: resource.type, id: resource.id)
        let first = resources[name]
        let existed = first?.existed ?? replacedLive
        if first == nil { noted += 1 }
        resources[name] = Noted(
            place: first?.place ?? noted, existed: existed,
            event: ResourceEvent(resource.isDeleted ? .deleted : existed ? .updated : .created, resource))
    }

    /// The resource is as it was before the unit.
    mutating func forget(_ type: String, _ id: String) {
        resources[ResourceCache.Name(type: type, id: id)] = nil
    }

    /// The domain events since the last call.
    mutating func takeEvents() -> [DomainEvent] {
        defer { waiting = [] }
        told += waiting
        return waiting
    }

    var changes: UnitChanges {
        UnitChanges(events: told, resources: resources.values.sorted { $0.place < $1.place }.map(\.event))
    }
}
