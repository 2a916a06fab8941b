import Workflow

extension EncounterProjection: FedType {
    static var held: String { "this Encounter comes from the registration feed" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.visit(id) == nil ? nil : .visitChanged(id)
    }

    static func question(_ version: ResourceEvent, in unit: any ResourceUnitOfWork) throws -> ArchiveQuestion? {
        guard version.kind == .created, let visit = try unit.visit(EntityID(version.resource.id)),
            visit.status.isOpen, visit.status != .unknown
        else { return nil }
        return ArchiveQuestion(patientID: visit.patientID, cause: .admission, subject: visit.id)
    }
}
