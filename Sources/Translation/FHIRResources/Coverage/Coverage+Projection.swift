import FHIRModel
import Workflow

/// Coverage as a registration or an order tells it. FHIR R4 coverage.html; v2-to-FHIR IN1.
enum CoverageProjection {
    static let type = "Coverage"
    static let owned = [
        "contained", "identifier", "status", "type", "policyHolder", "subscriber", "beneficiary", "relationship",
        "period", "payor",
        "class",
    ]

    static func project(_ statement: ClinicalStatement, patientID: EntityID) -> JSONValue {
        typealias Name = ClinicalStatement.Name
        let attributes = statement.attributes
        let beneficiary = Datatypes.reference("Patient", patientID)
        var insured: JSONValue?
        if case .contacts(let people)? = attributes[Name.person], let person = people.first {
            insured = RelatedPersonProjection.elements(person, id: "insured", patient: beneficiary)
        }
        let payor = attributes.parties(Name.payors).first
        var company: JSONValue?
        if case .contacts(let companies)? = attributes[Name.payorDetails], let details = companies.first {
            company = Datatypes.object([
                ("resourceType", "Organization"), ("id", "payor"),
                ("identifier", payor?.identifier.map { .array([Datatypes.identifier($0)]) }),
                ("name", Datatypes.string(payor?.displayName ?? "unknown")),
                ("telecom", Datatypes.array(details.telecoms.map(Datatypes.telecom))),
                ("address", Datatypes.array(details.addresses.map(Datatypes.address))),
            ])
        }
        var payors = Datatypes.parties(attributes.parties(Name.payors))
        if company != nil { payors = .array([Datatypes.object([("reference", "#payor")])]) }
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(statement.id.value)),
            ("contained", Datatypes.array([insured, company].compactMap { $0 })),
            ("identifier", Datatypes.array(attributes.identifiers(Name.identifiers).map(Datatypes.identifier))),
            ("status", statement.isCurrent ? "active" : "cancelled"),
            ("type", attributes.concepts(Name.planType).first.flatMap(Datatypes.concept)),
            (
                "policyHolder",
                attributes.parties(Name.policyHolders).first.flatMap { Datatypes.party($0, type: "Organization") }
            ),
            ("subscriber", insured == nil ? nil : Datatypes.object([("reference", "#insured")])),
            ("beneficiary", beneficiary),
            ("relationship", attributes.concepts(Name.relationship).first.flatMap(Datatypes.concept)),
            ("period", Datatypes.period(attributes.dateTime(Name.start), attributes.dateTime(Name.end))),
            ("payor", payors ?? .array([Datatypes.object([("display", "unknown")])])),
            ("class", Datatypes.array(classes(statement))),
        ])
    }

    private static func classes(_ statement: ClinicalStatement) -> [JSONValue] {
        typealias Name = ClinicalStatement.Name
        let attributes = statement.attributes
        let plan = statement.code?.codings.first
        let group = attributes.text(Name.groupNumber)
        let groupName = attributes.text(Name.groupName)
        let rows: [(String, String?, String?)] = [
            ("plan", plan?.code ?? statement.code?.displayText, plan?.display),
            ("group", group ?? groupName, groupName),
        ]
        return rows.compactMap { code, value, name in
            guard let value = Datatypes.string(value) else { return nil }
            let type = CodedConcept(codings: [
                .init(system: "http://terminology.hl7.org/CodeSystem/coverage-class", code: code)
            ])
            return Datatypes.object([
                ("type", Datatypes.concept(type)), ("value", value), ("name", Datatypes.string(name)),
            ])
        }
    }
}
