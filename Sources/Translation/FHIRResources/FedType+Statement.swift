import FHIRModel
import Workflow

/// What the conformers ask of the domain to find whose a resource without a domain object of its own id is.
extension FedType {
    /// The order that a stored resource names as the one it is based on.
    static func order(basisOf current: StoredResource?, in unit: any ResourceUnitOfWork) throws -> ImagingOrder? {
        guard let value = try content(current),
            let id = Datatypes.id(inReference: value["basedOn"]?[0], type: ServiceRequestProjection.type)
        else { return nil }
        return try unit.order(id)
    }

    /// The patient or order beside which a stored resource was told.
    static func statementEvent(
        of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork
    ) throws -> DomainEvent? {
        guard let subject, let value = try content(current),
            let patientID = Datatypes.id(inReference: value[subject], type: PatientProjection.type)
        else { return nil }
        func holds(_ statements: [ClinicalStatement]?) -> Bool { statements?.contains { $0.id == id } ?? false }
        if holds(try unit.patient(patientID)?.statements) { return .patientChanged(patientID) }
        let order = try unit.orders(of: patientID).first { holds($0.statements) }
        return order.map { .orderChanged($0.id) }
    }

    private static func content(_ current: StoredResource?) throws -> JSONValue? {
        guard let current, !current.isDeleted else { return nil }
        return JSONValue(try JSONDocument(parsing: current.bytes, limits: .stored))
    }
}
