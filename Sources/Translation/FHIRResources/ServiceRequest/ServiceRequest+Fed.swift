import FHIRModel
import Workflow

extension ServiceRequestProjection: FedType {
    static func understood(_ existing: JSONValue, id: EntityID) -> JSONValue? {
        ServiceRequestCommand.order(existing, id: id, stored: nil).map(project)
    }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.order(id) == nil ? nil : .orderChanged(id)
    }

    static func question(_ version: ResourceEvent, in unit: any ResourceUnitOfWork) throws -> ArchiveQuestion? {
        guard version.kind == .created, let order = try unit.order(EntityID(version.resource.id)) else { return nil }
        return ArchiveQuestion(patientID: order.patientID, cause: .order, subject: order.id)
    }

    static func take(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws {
        let value = JSONValue(document)
        let stored = try unit.order(id)
        guard stored != nil || ServiceRequestCommand.isImaging(value) else { return }
        guard let order = ServiceRequestCommand.order(value, id: id, stored: stored),
            try unit.patient(order.patientID) != nil
        else {
            if stored == nil { return }
            throw InteractionError(.invalid, "the subject of an imaging order must be a Patient of this server")
        }
        do { try OrderService().replace(order, in: unit) } catch let refusal as OrderService.ReplaceRefusal {
            throw error(refusal)
        }
    }

    static func remove(_ id: EntityID, _ current: StoredResource, in unit: any ResourceUnitOfWork) throws {
        do { try OrderService().remove(id, in: unit) } catch OrderService.ReplaceRefusal.inUse {
            throw InteractionError(.conflict, "studies or reports belong to this ServiceRequest")
        }
    }

    private static func error(_ refusal: OrderService.ReplaceRefusal) -> any Error {
        switch refusal {
        case .unknownPatient:
            InteractionError(.invalid, "the subject of an imaging order must be a Patient of this server")
        case .accessionOfAnotherPatient:
            InteractionError(.conflict, "the accession number is in use for another patient")
        case .visitOfAnotherPatient:
            InteractionError(.invalid, "the encounter of an imaging order must be one of its subject's")
        case .subjectInUse:
            InteractionError(
                .conflict, "studies or reports of this ServiceRequest belong to its subject, which can not be changed")
        case .identifierInUse(let other):
            HeldElsewhere(type: type, id: other.value, what: "the placer or filler number")
        case .identifierTooLong(let name): InteractionError(.invalid, "the \(name) is longer than DICOM allows")
        case .inUse: InteractionError(.conflict, "studies or reports belong to this ServiceRequest")
        }
    }
}
