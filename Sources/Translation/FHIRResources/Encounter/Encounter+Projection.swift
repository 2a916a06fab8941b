import FHIRModel
import Workflow

/// Encounter as the domain sees a visit. FHIR R4 encounter.html; v2-to-FHIR PV1.
enum EncounterProjection {
    static let type = "Encounter"
    static let owned = ["identifier", "status", "class", "subject", "participant", "period", "location"]

    static func project(_ visit: Visit) -> JSONValue {
        let status: JSONValue =
            switch visit.status {
            case .planned: "planned"
            case .arrived: "arrived"
            case .inProgress: "in-progress"
            case .finished: "finished"
            case .cancelled: "cancelled"
            }
        var participants: [JSONValue] = []
        for (party, code) in [(visit.attending, "ATND"), (visit.referring, "REF")] {
            guard let individual = party.flatMap({ Datatypes.party($0, type: "Practitioner") }) else { continue }
            let coding = CodedConcept.Coding(
                system: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code: code)
            participants.append(
                Datatypes.object([
                    ("type", .array([Datatypes.object([("coding", .array([Datatypes.coding(coding)]))])])),
                    ("individual", individual),
                ]))
        }
        let start = Datatypes.dateTime(visit.start)
        let end = Datatypes.dateTime(visit.end)
        let unknownClass = CodedConcept.Coding(
            system: "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", code: "UNK")
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(visit.id.value)),
            ("identifier", visit.identifier.map { .array([Datatypes.identifier($0)]) }),
            ("status", status),
            ("class", Datatypes.coding(visit.classCode ?? unknownClass)),
            ("subject", Datatypes.reference("Patient", visit.patientID)),
            ("participant", Datatypes.array(participants)),
            ("period", start == nil && end == nil ? nil : Datatypes.object([("start", start), ("end", end)])),
            (
                "location",
                Datatypes.string(visit.location).map { text in
                    .array([Datatypes.object([("location", Datatypes.object([("display", text)]))])])
                }
            ),
        ])
    }
}
