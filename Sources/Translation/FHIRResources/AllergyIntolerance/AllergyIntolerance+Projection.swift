import FHIRModel
import Workflow

/// AllergyIntolerance as a registration or an order tells it. FHIR R4 allergyintolerance.html; v2-to-FHIR AL1.
enum AllergyIntoleranceProjection {
    static let type = "AllergyIntolerance"
    static let owned = [
        "clinicalStatus", "category", "criticality", "code", "patient", "onsetDateTime", "reaction",
    ]

    static func project(_ statement: ClinicalStatement, patientID: EntityID) -> JSONValue {
        typealias Name = ClinicalStatement.Name
        let severity = statement.attributes.concepts(Name.severity).first?.code(in: CodeSystem.table("0128"))
        let manifestations = statement.attributes.concepts(Name.reactions).compactMap(Datatypes.concept)
        let reaction = Datatypes.object([
            ("manifestation", Datatypes.array(manifestations)),
            ("severity", reactionSeverity(severity).map { .string($0) }),
        ])
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(statement.id.value)),
            ("clinicalStatus", Datatypes.status(statement.isCurrent, "allergyintolerance-clinical")),
            (
                "category",
                category(statement.attributes.concepts(Name.category).first).map { .array([.string($0)]) }
            ),
            ("criticality", criticality(severity).map { .string($0) }),
            ("code", statement.code.flatMap(Datatypes.concept)),
            ("patient", Datatypes.reference("Patient", patientID)),
            ("onsetDateTime", Datatypes.dateTime(statement.effective)),
            // FHIR wants a manifestation in every reaction.
            ("reaction", manifestations.isEmpty ? nil : .array([reaction])),
        ])
    }

    /// Table 0127.
    private static func category(_ concept: CodedConcept?) -> String? {
        switch concept?.code(in: CodeSystem.table("0127")) {
        case "DA": "medication"
        case "FA": "food"
        case "EA", "LA", "PA", "AA": "environment"
        default: nil
        }
    }

    /// Table 0128.
    private static func criticality(_ code: String?) -> String? {
        switch code {
        case "SV": "high"
        case "MI": "low"
        case "U": "unable-to-assess"
        default: nil
        }
    }

    private static func reactionSeverity(_ code: String?) -> String? {
        switch code {
        case "SV": "severe"
        case "MO": "moderate"
        case "MI": "mild"
        default: nil
        }
    }
}

extension Datatypes {
    /// `active` or `inactive` of a clinical-status code system of FHIR.
    static func status(_ isCurrent: Bool, _ system: String) -> JSONValue? {
        concept(
            CodedConcept(codings: [
                CodedConcept.Coding(
                    system: "http://terminology.hl7.org/CodeSystem/" + system, code: isCurrent ? "active" : "inactive")
            ]))
    }
}
