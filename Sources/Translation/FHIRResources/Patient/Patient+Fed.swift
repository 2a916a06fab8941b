import FHIRModel
import Workflow

extension PatientProjection: FedType {
    static var subject: String? { nil }

    static func understood(_ existing: JSONValue, id: EntityID) -> JSONValue? {
        // Links are the domain's alone: they are compared as stored.
        var view = project(PatientCommand.patient(existing, id: id, stored: nil), absorbed: [])
        view["link"] = existing["link"]
        return view
    }

    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    {
        try unit.patient(id) == nil ? nil : .patientChanged(id)
    }

    static func take(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws {
        let patient = PatientCommand.patient(JSONValue(document), id: id, stored: try unit.patient(id))
        do {
            try PatientService().replace(patient, in: unit)
        } catch PatientService.Refusal.identifierInUse(_, _, let other) {
            throw HeldElsewhere(type: type, id: other.value, what: "an identifier of this Patient")
        } catch PatientService.Refusal.mergedAway(let survivor) {
            throw InteractionError(
                .conflict,
                "this Patient was merged into Patient/\(survivor.value): it can not be made active again")
        }
    }

    static func remove(_ id: EntityID, _ current: StoredResource, in unit: any ResourceUnitOfWork) throws {
        do { try PatientService().remove(id, in: unit) } catch PatientService.Refusal.inUse {
            throw InteractionError(.conflict, "orders, studies, reports or visits belong to this Patient")
        }
    }
}
