import Workflow

extension ObservationProjection: FedType {

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        if let order = try order(basisOf: current, in: unit),
            let report = try unit.reports(ofOrder: order.id).first(where: { $0.observations.contains { $0.id == id } })
        {
            return .reportChanged(report.id)
        }
        return try statementEvent(of: id, current, in: unit)
    }
}
