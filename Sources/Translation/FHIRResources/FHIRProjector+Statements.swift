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
                    AllergyIntoleranceProjection.type, id,
                    AllergyIntoleranceProjection.project(statement, patientID: patientID),
                    owned: AllergyIntoleranceProjection.owned, in: unit)
            case .diagnosis:
                try put(
                    ConditionProjection.type, id,
                    ConditionProjection.project(statement, patientID: patientID, visitID: visitID),
                    owned: ConditionProjection.owned, in: unit)
            case .observation:
                try put(
                    ObservationProjection.type, id,
                    ObservationProjection.project(statement, patientID: patientID, visitID: visitID),
                    owned: ObservationProjection.owned, in: unit)
            case .coverage:
                try put(
                    CoverageProjection.type, id, CoverageProjection.project(statement, patientID: patientID),
                    owned: CoverageProjection.owned, in: unit)
            case .guarantor:
                guard let person = RelatedPersonProjection.project(statement, patientID: patientID) else { continue }
                try put(RelatedPersonProjection.type, id, person, owned: RelatedPersonProjection.owned, in: unit)
            }
        }
    }
}
