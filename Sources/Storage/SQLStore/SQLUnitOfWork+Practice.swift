import Access
import Workflow

extension SQLUnitOfWork {
    func shown(
        _ studies: Set<String>, ofPatient patient: EntityID?, to visibility: Visibility
    ) throws -> Set<String> {
        if visibility.shows(ofPatient: patient?.value) { return studies }
        guard let patient else { return [] }
        // Of each study anew is only what it carries.
        var within: [PatientReach: Bool] = [:]
        return try studies.filter { study in
            try visibility.shows(ofPatient: patient.value) {
                try carriesNone(of: $0, study, patient)
            } isWithin: { reach in
                let reaches = try within[reach] ?? isWithin(reach, patient)
                within[reach] = reaches
                return reaches
            }
        }
    }

    /// Whether neither the ImagingStudy of a study, if there is one, nor the Patient carries one of some labels.
    private func carriesNone(of labels: [SecurityLabel], _ study: String, _ patient: EntityID) throws -> Bool {
        let apart = connection.dialect.apart
        guard let ofPatient = PatientReach.labelled("Patient", "p.id", labels, apart),
            let ofStudy = PatientReach.labelled("ImagingStudy", "o.id", labels, apart)
        else { return true }
        let ofStudies = ["remote_studies", "studies"].map { table in
            SQLCondition(
                "EXISTS (SELECT 1 FROM \(table) o WHERE o.uid = ? AND \(ofStudy.text))", [.text(study)] + ofStudy.values
            )
        }
        let any = SQLCondition.anyOf([ofPatient] + ofStudies)
        return try connection.first(
            "SELECT 1 FROM patients p WHERE p.id = ? AND (\(any.text))", [.text(patient.value)] + any.values
        ) { _ in false } ?? true
    }

    func mayConcern(_ visibility: Visibility, patient: EntityID) throws -> Bool {
        try visibility.mayConcern(patient: patient.value) { try isWithin($0, patient) }
    }

    private func isWithin(_ reach: PatientReach, _ patient: EntityID) throws -> Bool {
        let within = reach.condition(on: "p.id", connection.dialect)
        return try connection.first(
            "SELECT 1 FROM patients p WHERE p.id = ? AND \(within.text)", [.text(patient.value)] + within.values
        ) { _ in true } ?? false
    }
}
