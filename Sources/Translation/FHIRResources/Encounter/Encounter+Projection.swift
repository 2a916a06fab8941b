import FHIRModel
import Workflow

/// Encounter as the domain sees a visit. FHIR R4 encounter.html; v2-to-FHIR PV1, PV2.
enum EncounterProjection {
    static let type = "Encounter"
    static let owned = ["identifier", "status", "class", "subject", "participant", "period", "location"]
    /// Answered for while the domain has something to say; else a client's stay.
    static let shared = [
        "type", "serviceType", "priority", "episodeOfCare", "reasonCode", "hospitalization", "serviceProvider",
    ]

    static func project(_ visit: Visit) -> JSONValue {
        typealias Name = Visit.Attribute
        let attributes = visit.attributes ?? [:]
        let unknownClass = CodedConcept.Coding(
            system: "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", code: "UNK")
        let identifiers = [visit.identifier].compactMap { $0 } + attributes.identifiers(Name.furtherIdentifiers)
        let episodes = attributes.identifiers(Name.episodes).map { episode in
            Datatypes.object([("type", "EpisodeOfCare"), ("identifier", Datatypes.identifier(episode))])
        }
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(visit.id.value)),
            ("identifier", Datatypes.array(identifiers.map(Datatypes.identifier))),
            ("status", status(visit.status)),
            ("class", Datatypes.coding(visit.classCode ?? unknownClass)),
            ("type", Datatypes.array(attributes.concepts(Name.types).compactMap(Datatypes.concept))),
            ("serviceType", attributes.concepts(Name.serviceType).first.flatMap(Datatypes.concept)),
            ("priority", attributes.concepts(Name.priority).first.flatMap(Datatypes.concept)),
            ("subject", Datatypes.reference("Patient", visit.patientID)),
            ("episodeOfCare", Datatypes.array(episodes)),
            ("participant", Datatypes.array(participants(visit))),
            ("period", Datatypes.period(visit.start, visit.end)),
            ("reasonCode", Datatypes.array(attributes.concepts(Name.reasons).compactMap(Datatypes.concept))),
            ("hospitalization", hospitalization(attributes)),
            ("location", Datatypes.array(locations(visit))),
            ("serviceProvider", named(attributes.text(Name.serviceProvider))),
        ])
    }

    private static func status(_ status: Visit.Status) -> JSONValue {
        switch status {
        case .planned: "planned"
        case .arrived: "arrived"
        case .inProgress: "in-progress"
        case .finished: "finished"
        case .cancelled: "cancelled"
        case .unknown: "unknown"
        }
    }

    private static func participants(_ visit: Visit) -> [JSONValue] {
        typealias Name = Visit.Attribute
        let attributes = visit.attributes ?? [:]
        let roles: [(String, [PartyReference])] = [
            ("ATND", [visit.attending].compactMap { $0 } + attributes.parties(Name.furtherAttending)),
            ("REF", [visit.referring].compactMap { $0 } + attributes.parties(Name.furtherReferring)),
            ("CON", attributes.parties(Name.consultants)), ("ADM", attributes.parties(Name.admitters)),
            ("PART", attributes.parties(Name.others)), ("ENT", attributes.parties(Name.enterers)),
        ]
        return roles.flatMap { code, parties in
            parties.compactMap { party -> JSONValue? in
                guard let individual = Datatypes.party(party, type: "Practitioner") else { return nil }
                let coding = CodedConcept.Coding(
                    system: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code: code)
                return Datatypes.object([
                    ("type", .array([Datatypes.object([("coding", .array([Datatypes.coding(coding)]))])])),
                    ("individual", individual),
                ])
            }
        }
    }

    /// Where the patient is, was, is for the moment, and will be.
    private static func locations(_ visit: Visit) -> [JSONValue] {
        typealias Name = Visit.Attribute
        let attributes = visit.attributes ?? [:]
        let rows: [(String?, JSONValue?, type: String)] = [
            (visit.location, nil, Name.locationType),
            (attributes.text(Name.priorLocation), "completed", Name.priorLocationType),
            (attributes.text(Name.temporaryLocation), "active", Name.temporaryLocationType),
            (attributes.text(Name.pendingLocation), "reserved", Name.pendingLocationType),
        ]
        return rows.compactMap { text, status, type in
            named(text).map {
                Datatypes.object([
                    ("location", $0), ("status", status),
                    ("physicalType", attributes.concepts(type).first.flatMap(Datatypes.concept)),
                ])
            }
        }
    }

    private static func hospitalization(_ attributes: Attributes) -> JSONValue? {
        typealias Name = Visit.Attribute
        func first(_ name: String) -> JSONValue? { attributes.concepts(name).first.flatMap(Datatypes.concept) }
        func all(_ name: String) -> JSONValue? {
            Datatypes.array(attributes.concepts(name).compactMap(Datatypes.concept))
        }
        let hospitalization = Datatypes.object([
            (
                "preAdmissionIdentifier",
                attributes.identifiers(Name.preAdmissionIdentifier).first.map(Datatypes.identifier)
            ),
            ("admitSource", first(Name.admitSource)),
            ("reAdmission", first(Name.reAdmission)),
            ("dietPreference", all(Name.diet)),
            ("specialCourtesy", all(Name.specialCourtesy)),
            ("specialArrangement", all(Name.specialArrangements)),
            ("destination", named(attributes.concepts(Name.destination).first?.displayText)),
            ("dischargeDisposition", first(Name.dischargeDisposition)),
        ])
        return hospitalization.object?.isEmpty == false ? hospitalization : nil
    }

    private static func named(_ text: String?) -> JSONValue? {
        Datatypes.string(text).map { Datatypes.object([("display", $0)]) }
    }
}
