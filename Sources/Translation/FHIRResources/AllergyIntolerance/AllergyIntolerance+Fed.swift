import Workflow

extension AllergyIntoleranceProjection: FedType {
    static var subject: String? { "patient" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try statementEvent(of: id, current, in: unit)
    }
}
