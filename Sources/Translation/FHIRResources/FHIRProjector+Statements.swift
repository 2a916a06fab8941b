import FHIRModel
import Workflow

extension FHIRProjector {
    /// What is said of a patient beside a registration or an order, each as a resource of its own.
    func projectStatements(
        _ statements: [ClinicalStatement], patientID: EntityID, visitID: EntityID?, in unit: any ResourceUnitOfWork
    ) throws {
        for statement in statements {
            let id = statement.id
            switch statement.kind {
            case .allergy:
                try put(
                    AllergyIntoleranceProjection.self, id,
                    AllergyIntoleranceProjection.project(statement, patientID: patientID), in: unit)
            case .diagnosis:
                try put(
                    ConditionProjection.self, id,
                    ConditionProjection.project(statement, patientID: patientID, visitID: visitID), in: unit)
            case .observation:
                try put(
                    ObservationProjection.self, id,
                    ObservationProjection.project(statement, patientID: patientID, visitID: visitID), in: unit)
            case .coverage:
                try put(
                    CoverageProjection.self, id, CoverageProjection.project(statement, patientID: patientID), in: unit)
            case .guarantor:
                guard let person = RelatedPersonProjection.project(statement, patientID: patientID) else { continue }
                try put(RelatedPersonProjection.self, id, person, in: unit)
            }
        }
    }
}
