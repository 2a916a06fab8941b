/// What a system that was made for an unknown authority is replaced by, now that the site has configured the authority.
package struct AuthorityMapping: Sendable, Hashable {
    package var from: String
    package var to: String
    package init(from: String, to: String) {
        self.from = from
        self.to = to
    }

    /// A record that was left as it is: what it would become contradicts another one. No mapping merges anything.
    package struct Contradiction: Sendable, Hashable {
        /// `Patient/id`, `ServiceRequest/id`, `Encounter/id` or `DiagnosticReport/id`.
        package var record: String
        /// The record that has the number already; nil where the record itself has two numbers of the authority.
        package var other: String?
        package init(record: String, other: String?) {
            self.record = record
            self.other = other
        }
    }
}

extension AssigningAuthorities {
    /// Those of the authorities that were unknown when they were named and are configured now, under another system.
    package func mappings(of named: [UnknownAuthority]) -> [AuthorityMapping] {
        named.compactMap { authority in
            let resolved = resolve(
                namespace: authority.namespace, universalID: authority.universalID,
                universalIDType: authority.universalIDType)
            guard case .known(let system) = resolved, system != authority.system else { return nil }
            return AuthorityMapping(from: authority.system, to: system)
        }
    }
}

/// Decides whether a record may take the numbers that a mapping gives it.
package struct AuthorityService: Sendable {
    package init() {}

    /// What stands against a mapped patient; nil for nothing.
    package func contradiction(
        of patient: Patient, _ mapping: AuthorityMapping, in unit: any UnitOfWork
    ) throws -> AuthorityMapping.Contradiction? {
        let rules = unit.rules
        let name = "Patient/" + patient.id.value
        let keys = PatientService.keys(of: patient.identifiers, rules)
        let current = keys.filter { $0.system == mapping.to && $0.isCurrent && $0.isRecordNumber(rules) }
        if Set(current.map(\.value)).count > 1 { return .init(record: name, other: nil) }
        let living = try PatientService().survivor(of: patient, in: unit).id
        for key in keys where key.system == mapping.to {
            for other in try unit.patients(identifiedBy: key)
            where try PatientService().survivor(of: other, in: unit).id != living
                && PatientService.keys(of: other.identifiers, rules).contains(where: { $0.matches(key) })
            {
                return .init(record: name, other: "Patient/" + other.id.value)
            }
        }
        return nil
    }

    /// The same of an order: another one must not come to have its numbers.
    package func contradiction(
        of order: ImagingOrder, _ mapping: AuthorityMapping, in unit: any UnitOfWork
    ) throws -> AuthorityMapping.Contradiction? {
        for (number, role) in [
            (order.filler, OrderIdentifierRole.filler), (order.placer, .placer), (order.accession, .accession),
        ] {
            guard let number, number.system == mapping.to else { continue }
            for other in try unit.orders(identifiedBy: number, as: role) where other.id != order.id {
                // The procedures of one placer order, and orders that share an accession number, are apart already.
                let isApart = other.patientID == order.patientID && !OrderKey(other).isCompatible(with: OrderKey(order))
                if role == .filler || !isApart {
                    return .init(
                        record: "ServiceRequest/" + order.id.value, other: "ServiceRequest/" + other.id.value)
                }
            }
        }
        return nil
    }

    package func contradiction(
        of visit: Visit, _ mapping: AuthorityMapping, in unit: any UnitOfWork
    ) throws -> AuthorityMapping.Contradiction? {
        guard let number = visit.identifier, number.system == mapping.to,
            let other = try unit.visits(identifiedBy: number).first(where: { $0.id != visit.id })
        else { return nil }
        return .init(record: "Encounter/" + visit.id.value, other: "Encounter/" + other.id.value)
    }

    package func contradiction(
        of report: Report, _ mapping: AuthorityMapping, in unit: any UnitOfWork
    ) throws -> AuthorityMapping.Contradiction? {
        guard let number = report.filler, number.system == mapping.to,
            let other = try unit.reports(identifiedBy: number).first(where: {
                $0.id != report.id && $0.filler?.matches(number) == true
            })
        else { return nil }
        return .init(record: "DiagnosticReport/" + report.id.value, other: "DiagnosticReport/" + other.id.value)
    }

    /// Looks again at the studies that named the authority.
    package func lookAgain(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        try StudyService().reconsider(studyInstanceUID, in: unit)
        try unit.awaitPublication(of: studyInstanceUID, isDue: true)
    }
}
