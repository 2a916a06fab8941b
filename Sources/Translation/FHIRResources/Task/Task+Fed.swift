import Workflow

extension TaskProjection: FedType {
    static var subject: String? { "for" }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        guard let order = try order(basisOf: current, in: unit), order.steps.contains(where: { $0.id == id }) else {
            return nil
        }
        return .orderChanged(order.id)
    }
}
