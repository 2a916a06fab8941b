/// Decides to whom images belong, by exact identifiers alone. IHE RAD-8, PIR; never by name or time.
package struct Reconciler: Sendable {
    package init() {}

    /// The link that one series' identifiers give.
    ///
    /// - Parameter isCopy: whether it is an archive's. Its accession number may be of an order of before this server; one
    ///   that names no order here says nothing then, and the patient is certain all the same.
    package func reconcile(
        studyInstanceUID: String, patientID: String?, patientIDSystem: String?, accessionNumber: String?,
        accessionSystem: String?, isCopy: Bool = false, in unit: any UnitOfWork
    ) throws -> Reconciliation {
        let identity = InstanceIdentity(
            patientID: patientID, patientIDSystem: patientIDSystem, accessionNumber: accessionNumber,
            accessionSystem: accessionSystem)
        let patient: Patient
        switch try self.patient(identity, in: unit) {
        case nil: return .quarantined(.missingPatientID)
        case .some(.none), .unidentified: return .quarantined(.unknownPatient)
        case .ambiguous, .contradicted: return .quarantined(.ambiguousPatient)
        case .found(let record), .retired(let record, _): patient = record
        }
        let byUID = try unit.orders(studyInstanceUID: studyInstanceUID)
        let byAccession = try identity.accession.map { try unit.orders(identifiedBy: $0, as: .accession) }
        guard let byAccession, !(isCopy && byAccession.isEmpty) else {
            // The order gave this very UID to the study: as exact a link as the accession number.
            if byUID.count == 1, let order = byUID.first {
                return order.patientID == patient.id
                    ? .matched(patientID: patient.id, orderID: order.id) : .quarantined(.patientMismatch)
            }
            return .unscheduled(patientID: patient.id)
        }
        if byAccession.isEmpty { return .quarantined(.unknownAccession) }
        let ofPatient = byAccession.filter { $0.patientID == patient.id }
        if ofPatient.isEmpty { return .quarantined(.patientMismatch) }
        if !byUID.isEmpty && !byUID.contains(where: { order in byAccession.contains { $0.id == order.id } }) {
            return .quarantined(.studyOrderMismatch)
        }
        if ofPatient.count == 1, let order = ofPatient.first {
            return .matched(patientID: patient.id, orderID: order.id)
        }
        let decided = ofPatient.filter { $0.studyInstanceUID == studyInstanceUID }
        if decided.count == 1, let order = decided.first { return .matched(patientID: patient.id, orderID: order.id) }
        return .quarantined(.ambiguousAccession)
    }

    /// What the patient id leads to; nil where there is none.
    func patient(_ identity: InstanceIdentity, in unit: any UnitOfWork) throws -> PatientService.Resolution? {
        guard let value = identity.patientID?.withoutOuterSpaces, let system = identity.patientIDSystem else {
            return nil
        }
        return try PatientService().resolve([Identifier(system: system, value: value)], in: unit)
    }
}

extension InstanceIdentity {
    /// The accession number with its system, where both are there.
    var accession: Identifier? {
        guard let value = accessionNumber?.withoutOuterSpaces, let accessionSystem else { return nil }
        return Identifier(system: accessionSystem, value: value)
    }
}
