extension PatientService {
    /// Why a whole record was refused; nothing was changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// Another living patient carries one of the identifiers.
        case identifierInUse(system: String, value: String, by: EntityID)
        /// Orders, studies, reports or visits belong to the patient.
        case inUse
    }

    /// Takes a whole record as a client states it. What it does not name is gone from the domain's view.
    package func replace(_ patient: Patient, in unit: any UnitOfWork) throws {
        let old = try unit.patient(patient.id)
        for identifier in patient.identifiers where identifier.isCurrent {
            for other in try unit.patients(identifiedBy: identifier)
            where other.id != patient.id && other.mergedInto != patient.id {
                throw Refusal.identifierInUse(system: identifier.system, value: identifier.value, by: other.id)
            }
        }
        if old == patient { return }
        try unit.save(patient)
        unit.emit(.patientChanged(patient.id))
        for identifier in patient.identifiers where old?.identifiers.contains(identifier) != true {
            try StudyService().reconcileQuarantined(accession: nil, patient: identifier, in: unit)
        }
    }

    /// Forgets a patient that nothing belongs to.
    package func remove(_ id: EntityID, in unit: any UnitOfWork) throws {
        guard try unit.patient(id) != nil else { return }
        let isUsed =
            try !unit.orders(of: id).isEmpty || !unit.studies(of: id).isEmpty || !unit.reports(of: id).isEmpty
            || !unit.visits(of: id).isEmpty || !unit.patients(mergedInto: id).isEmpty
        if isUsed { throw Refusal.inUse }
        try unit.removePatient(id)
    }
}
