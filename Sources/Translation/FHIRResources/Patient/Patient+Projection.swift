import FHIRModel
import Workflow

/// Patient as the domain sees it. FHIR R4 patient.html; v2-to-FHIR PID.
enum PatientProjection {
    static let type = "Patient"
    /// The root elements that the domain owns.
    static let owned = [
        "identifier", "active", "name", "telecom", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime",
        "address",
        "maritalStatus", "communication", "link",
    ]

    /// `others` are the records this one absorbed.
    static func project(_ patient: Patient, absorbed others: [EntityID]) -> JSONValue {
        var links = others.map { id in
            Datatypes.object([("other", Datatypes.reference(type, id)), ("type", "replaces")])
        }
        if let survivor = patient.mergedInto {
            links.append(Datatypes.object([("other", Datatypes.reference(type, survivor)), ("type", "replaced-by")]))
        }
        let attributes = patient.attributes ?? [:]
        // A client that wrote the resource back has made further numbers its own.
        let further = attributes.identifiers(Patient.Attribute.furtherIdentifiers).filter { further in
            !patient.identifiers.contains { $0.matches(further) }
        }
        let deceasedAt = Datatypes.dateTime(patient.deceasedAt)
        return Datatypes.object(
            [
                ("resourceType", .string(type)),
                ("id", .string(patient.id.value)),
                ("identifier", Datatypes.array((patient.identifiers + further).map(Datatypes.identifier))),
                ("active", .bool(patient.isActive)),
                ("name", Datatypes.array((patient.names + patient.aliases).map(Datatypes.name))),
                ("telecom", Datatypes.array(patient.telecoms.map(Datatypes.telecom))),
                ("gender", patient.sex.map { .string($0.rawValue) }),
                ("birthDate", Datatypes.date(patient.birthDate)),
                ("_birthDate", birthTime(patient)),
                ("deceasedBoolean", deceasedAt == nil ? patient.isDeceased.map { .bool($0) } : nil),
                ("deceasedDateTime", deceasedAt),
                ("address", Datatypes.array(patient.addresses.map(Datatypes.address))),
                ("maritalStatus", patient.maritalStatus.flatMap(Datatypes.concept)),
                (
                    "communication",
                    patient.language.flatMap(Datatypes.concept).map { .array([Datatypes.object([("language", $0)])]) }
                ),
                ("link", Datatypes.array(links)),
                ("extension", extensions(attributes)),
            ] + sharedElements(attributes))
    }
}
