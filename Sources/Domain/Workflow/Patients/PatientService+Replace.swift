extension PatientService {
    /// Why a whole record was refused; nothing was changed.
    package enum Refusal: Error, Sendable, Hashable {
        /// Another living patient carries one of the identifiers.
        case identifierInUse(system: String, value: String, by: EntityID)
        /// Orders, studies, reports or visits belong to the patient.
        case inUse
        /// The record was merged into another: it can not be made a living one again.
        case mergedAway(into: EntityID)
    }

    /// Takes a whole record as a client states it. What it does not name is gone from the domain's view.
    package func replace(_ patient: Patient, in unit: any UnitOfWork) throws {
        let old = try unit.patient(patient.id)
        if let survivor = old?.mergedInto, patient.isActive { throw Refusal.mergedAway(into: survivor) }
        // What several people may share is nobody's alone.
        for identifier in Self.keys(of: patient.identifiers, unit.rules) where identifier.isCurrent {
            for other in try unit.patients(identifiedBy: identifier)
            where try other.id != patient.id && survivor(of: other, in: unit).id != patient.id
                && Self.keys(of: other.identifiers, unit.rules).contains(where: { $0.matches(identifier) })
            {
                throw Refusal.identifierInUse(system: identifier.system, value: identifier.value, by: other.id)
            }
        }
        if old == patient { return }
        try unit.save(patient)
        unit.emit(.patientChanged(patient.id))
        for identifier in patient.identifiers where old?.identifiers.contains(identifier) != true {
            try StudyService().reconcileQuarantined(patient: identifier, in: unit)
        }
    }

    /// Forgets a patient that nothing belongs to.
    package func remove(_ id: EntityID, in unit: any UnitOfWork) throws {
        guard try unit.patient(id) != nil else { return }
        let isUsed =
            try !unit.orders(of: id).isEmpty || !unit.studies(of: id).isEmpty || !unit.reports(of: id).isEmpty
            || !unit.visits(of: id).isEmpty || !unit.patients(mergedInto: id).isEmpty
            || !unit.remoteStudies(.ofPatient(id)).isEmpty
        if isUsed { throw Refusal.inUse }
        try unit.removePatient(id)
    }
}
