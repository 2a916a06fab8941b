import FHIRModel
import Workflow

/// Observation as a registration or an order tells it: what is known before the exam. v2-to-FHIR OBX.
extension ObservationProjection {
    static func project(_ statement: ClinicalStatement, patientID: EntityID, visitID: EntityID?) -> JSONValue {
        typealias Name = ClinicalStatement.Name
        let code = statement.code ?? CodedConcept(text: "Finding")
        var members: [(String, JSONValue?)] = [
            ("resourceType", .string(type)),
            ("id", .string(statement.id.value)),
            ("status", statement.isCurrent ? .string(status(statement.status)) : "unknown"),
            ("code", Datatypes.concept(code)),
            ("subject", Datatypes.reference("Patient", patientID)),
            ("encounter", visitID.map { Datatypes.reference("Encounter", $0) }),
            ("effectiveDateTime", Datatypes.dateTime(statement.effective)),
        ]
        if let value = statement.value { members.append(self.value(value)) }
        members += attributes(statement.attributes, code: code)
        members += [
            (
                "interpretation",
                Datatypes.array(statement.attributes.concepts(Name.interpretation).compactMap(Datatypes.concept))
            ),
            (
                "note",
                Datatypes.array(
                    statement.notes.compactMap { Datatypes.string($0) }.map { Datatypes.object([("text", $0)]) })
            ),
            (
                "referenceRange",
                Datatypes.string(statement.attributes.text(Name.referenceRange)).map {
                    .array([Datatypes.object([("text", $0)])])
                }
            ),
        ]
        return Datatypes.object(members)
    }
}
