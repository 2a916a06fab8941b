import Workflow

/// What follows from a change, inside the unit of work that made it: all of it is committed with the change or none is.
///
/// A store has an ordered list of them. Each is told twice: of domain events as soon as a result of the unit is asked
/// for, so that what is answered holds what the workflow knows; and of everything once, when the unit ends. An error
/// undoes the unit. House decisions 1 and 8.
package protocol CommitObserver: Sendable {
    /// Brings what is kept of the domain's objects in line with them. Called with what was emitted since the last call,
    /// in order, as often as somebody asks; events that it emits itself are told to all observers after it.
    func project(_ events: [DomainEvent], in unit: any ResourceUnitOfWork) throws
    /// What ``project(_:in:)`` would change for an event, worked out by a unit that only reads; nil where that can be
    /// known only while it is made, and for observers that change no resource.
    func prepare(_ event: DomainEvent, in unit: any ResourceUnitOfWork) throws -> PreparedProjection?
    /// Takes note of all that the unit has changed, after the last projection: each resource once, as it will be
    /// committed. It changes no resource and emits nothing; what it writes (messages to send) is part of the unit.
    func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws
}

extension CommitObserver {
    package func project(_ events: [DomainEvent], in unit: any ResourceUnitOfWork) throws {}
    package func prepare(_ event: DomainEvent, in unit: any ResourceUnitOfWork) throws -> PreparedProjection? { nil }
    package func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {}
}

extension [any CommitObserver] {
    /// The change that the first observer which can has made ready.
    package func prepare(_ event: DomainEvent, in unit: any ResourceUnitOfWork) throws -> PreparedProjection? {
        for observer in self {
            if let prepared = try observer.prepare(event, in: unit) { return prepared }
        }
        return nil
    }
}

/// What one unit of work has changed.
package struct UnitChanges: Sendable {
    /// What the domain's services told, in order, repeats kept.
    package let events: [DomainEvent]
    /// The resources with a new version, whoever wrote it (a client, a message, a projection), in the order in which
    /// each was first changed.
    package let resources: [ResourceEvent]

    package init(events: [DomainEvent], resources: [ResourceEvent]) {
        self.events = events
        self.resources = resources
    }

    package var isEmpty: Bool { events.isEmpty && resources.isEmpty }
}

/// A resource has a new version.
package struct ResourceEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// There was none of this id, or it was deleted.
        case created
        case updated
        case deleted
    }

    package let kind: Kind
    /// The version as it is committed: type, id, number, time and bytes; a deletion's has no bytes.
    package let resource: StoredResource

    package init(_ kind: Kind, _ resource: StoredResource) {
        self.kind = kind
        self.resource = resource
    }
}
