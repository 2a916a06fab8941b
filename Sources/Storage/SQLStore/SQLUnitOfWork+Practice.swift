import Access
import Workflow

extension SQLUnitOfWork {
    func shows(_ visibility: Visibility, ofPatient patient: EntityID?) throws -> Bool {
        guard let patient else { return visibility.isWhole }
        return try visibility.shows(ofPatient: patient.value) { try isWithin($0, patient) }
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
