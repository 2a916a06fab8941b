import FHIRModel
import Workflow

/// Condition as a registration or an order tells it. FHIR R4 condition.html; v2-to-FHIR DG1.
enum ConditionProjection {
    static let type = "Condition"
    static let owned = [
        "clinicalStatus", "category", "code", "subject", "encounter", "onsetDateTime", "asserter",
    ]
    private static let encounterDiagnosis = CodedConcept(codings: [
        .init(
            system: "http://terminology.hl7.org/CodeSystem/condition-category", code: "encounter-diagnosis",
            display: "Encounter Diagnosis")
    ])

    static func project(_ statement: ClinicalStatement, patientID: EntityID, visitID: EntityID?) -> JSONValue {
        typealias Name = ClinicalStatement.Name
        let categories = [encounterDiagnosis] + statement.attributes.concepts(Name.diagnosisType)
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(statement.id.value)),
            ("clinicalStatus", Datatypes.status(statement.isCurrent, "condition-clinical")),
            ("category", Datatypes.array(categories.compactMap(Datatypes.concept))),
            ("code", statement.code.flatMap(Datatypes.concept)),
            ("subject", Datatypes.reference("Patient", patientID)),
            ("encounter", visitID.map { Datatypes.reference("Encounter", $0) }),
            ("onsetDateTime", Datatypes.dateTime(statement.effective)),
            (
                "asserter",
                statement.attributes.parties(Name.asserter).first.flatMap { Datatypes.party($0, type: "Practitioner") }
            ),
        ])
    }
}
