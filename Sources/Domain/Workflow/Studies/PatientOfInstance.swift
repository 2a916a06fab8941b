/// Whom a stored instance shows, whatever it says of that itself.
package enum PatientOfInstance: Sendable, Hashable {
    /// The registered patient that it is linked to.
    case linked(Patient)
    /// It is linked to nobody, and nothing here contradicts what it says.
    case asSent
    /// What it says is contradicted, or the caller may not see it.
    case uncertain

    /// - Parameter series: that of the instance.
    package init(_ sopInstanceUID: String, in series: Series, unit: some PatientUnit) throws {
        let aside = series.asides.first { $0.sopInstanceUID == sopInstanceUID && $0.decision == nil }
        let link = aside.map { Reconciliation.quarantined($0.reason) } ?? series.reconciliation
        guard let id = link.patientID else {
            let reasons: [Reconciliation.Reason] = [.unknownPatient, .missingPatientID, .unknownAccession]
            self = reasons.contains { link == .quarantined($0) } ? .asSent : .uncertain
            return
        }
        self = try Self.living(id, unit: unit).map(Self.linked) ?? .uncertain
    }

    /// A record, or the survivor of one that was merged away; nil where there is none.
    package static func living(_ id: EntityID, unit: some PatientUnit) throws -> Patient? {
        try living(id) { try unit.patient($0) }
    }

    /// The same where records are read otherwise than by a unit of work.
    package static func living(_ id: EntityID, record: (EntityID) throws -> Patient?) rethrows -> Patient? {
        var patient = try record(id)
        for _ in 0..<16 {
            guard let survivor = patient?.mergedInto else { break }
            patient = try record(survivor)
        }
        return patient.flatMap { $0.mergedInto == nil ? $0 : nil }
    }
}
