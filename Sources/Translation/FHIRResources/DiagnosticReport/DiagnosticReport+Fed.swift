import Workflow

extension DiagnosticReportProjection: FedType {
    static var held: String { "this DiagnosticReport comes from the result feed" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.report(id) == nil ? nil : .reportChanged(id)
    }

    static func told(_ version: ResourceEvent) -> DomainEvent? {
        version.kind == .deleted ? nil : .reportChanged(EntityID(version.resource.id))
    }
}
