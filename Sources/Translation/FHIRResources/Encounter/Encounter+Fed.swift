import Workflow

extension EncounterProjection: FedType {
    static var held: String { "this Encounter comes from the registration feed" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.visit(id) == nil ? nil : .visitChanged(id)
    }
}
