/// Decides to whom images belong, by exact identifiers alone. IHE RAD-8, PIR; never by name or time.
package struct Reconciler: Sendable {
    package init() {}

    /// The link that one series' identifiers give.
    package func reconcile(
        studyInstanceUID: String, patientID: String?, patientIDSystem: String?, accessionNumber: String?,
        accessionSystem: String?, in unit: any UnitOfWork
    ) throws -> Reconciliation {
        guard let value = trimmed(patientID), let system = patientIDSystem else {
            return .quarantined(.missingPatientID)
        }
        let patient: Patient
        switch try PatientService().resolve([Identifier(system: system, value: value)], in: unit) {
        case .none, .unidentified: return .quarantined(.unknownPatient)
        case .ambiguous, .contradicted: return .quarantined(.ambiguousPatient)
        case .found(let record), .retired(let record, _): patient = record
        }
        let byUID = try unit.orders(studyInstanceUID: studyInstanceUID)

        guard let accession = trimmed(accessionNumber), let accessionSystem else {
            // The order gave this very UID to the study: as exact a link as the accession number.
            if byUID.count == 1, let order = byUID.first {
                return order.patientID == patient.id
                    ? .matched(patientID: patient.id, orderID: order.id) : .quarantined(.patientMismatch)
            }
            return .unscheduled(patientID: patient.id)
        }
        let byAccession = try unit.orders(
            identifiedBy: Identifier(system: accessionSystem, value: accession), as: .accession)
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

    /// The value without surrounding spaces; nil when nothing is left. What is stored stays as sent.
    private func trimmed(_ text: String?) -> String? {
        guard let text else { return nil }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { $0 != 32 }), let last = bytes.lastIndex(where: { $0 != 32 }) else {
            return nil
        }
        return String(text[first...last])
    }
}
