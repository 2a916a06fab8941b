import FHIRModel
import Workflow

/// RelatedPerson as a registration or an order tells of a guarantor. FHIR R4 relatedperson.html; v2-to-FHIR GT1.
enum RelatedPersonProjection {
    static let type = "RelatedPerson"
    static let owned = [
        "identifier", "active", "patient", "relationship", "name", "telecom", "gender", "birthDate", "address",
        "period",
    ]
    private static let guarantor = CodedConcept(codings: [
        .init(system: "http://terminology.hl7.org/CodeSystem/v3-RoleCode", code: "GUAR", display: "guarantor")
    ])

    /// Nil for a statement that names no person.
    static func project(_ statement: ClinicalStatement, patientID: EntityID) -> JSONValue? {
        guard case .contacts(let people)? = statement.attributes[ClinicalStatement.Name.person],
            var person = people.first
        else { return nil }
        person.relationships = [guarantor] + person.relationships
        var resource = elements(
            person, id: statement.id.value, patient: Datatypes.reference("Patient", patientID))
        resource["active"] = .bool(statement.isCurrent)
        return resource
    }

    static func elements(_ person: ContactPerson, id: String, patient: JSONValue) -> JSONValue {
        Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(id)),
            ("identifier", Datatypes.array(person.identifiers.map(Datatypes.identifier))),
            ("patient", patient),
            ("relationship", Datatypes.array(person.relationships.compactMap(Datatypes.concept))),
            ("name", Datatypes.array(person.names.map(Datatypes.name))),
            ("telecom", Datatypes.array(person.telecoms.map(Datatypes.telecom))),
            ("gender", person.sex.map { .string($0.rawValue) }),
            ("birthDate", Datatypes.date(person.birthDate)),
            ("address", Datatypes.array(person.addresses.map(Datatypes.address))),
            ("period", Datatypes.period(person.start, person.end)),
        ])
    }
}
