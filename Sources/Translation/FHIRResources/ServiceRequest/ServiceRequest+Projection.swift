import FHIRModel
import Workflow

/// ServiceRequest as the domain sees an order. FHIR R4 servicerequest.html; v2-to-FHIR ORC, OBR.
enum ServiceRequestProjection {
    static let type = "ServiceRequest"
    static let owned = [
        "identifier", "requisition", "status", "intent", "category", "priority", "code", "subject", "encounter",
        "occurrenceDateTime", "authoredOn", "requester", "reasonCode", "note",
    ]
    /// Answered for while the domain has something to say; else a client's stay.
    static let shared = ["performer", "orderDetail", "bodySite", "supportingInfo", "reasonReference"]
    /// "Imaging" in SNOMED CT.
    static let imaging = CodedConcept(
        codings: [.init(system: "http://snomed.info/sct", code: "363679005", display: "Imaging")])

    static func project(_ order: ImagingOrder) -> JSONValue {
        var identifiers: [JSONValue] = []
        for (identifier, kind) in [
            (order.placer, Identifier.Kind.placer), (order.filler, .filler), (order.accession, .accession),
        ] {
            guard var identifier else { continue }
            identifier.kind = kind
            identifiers.append(Datatypes.identifier(identifier))
        }
        if let uid = order.studyInstanceUID { identifiers.append(Datatypes.uidIdentifier(uid)) }
        var notes = order.notes.compactMap { Datatypes.string($0) }.map { Datatypes.object([("text", $0)]) }
        if let text = Datatypes.string(order.clinicalInformation) {
            notes.append(Datatypes.object([("authorString", "Relevant clinical information"), ("text", text)]))
        }
        return Datatypes.object(
            [
                ("resourceType", .string(type)),
                ("id", .string(order.id.value)),
                ("identifier", Datatypes.array(identifiers)),
                ("requisition", order.requisition.map(Datatypes.identifier)),
                ("status", .string(status(order.status))),
                ("intent", "order"),
                ("category", Datatypes.concept(imaging).map { .array([$0]) }),
                ("priority", order.priority.map { .string($0.rawValue) }),
                ("code", Datatypes.concept(order.code)),
                ("subject", Datatypes.reference("Patient", order.patientID)),
                ("encounter", order.visitID.map { Datatypes.reference("Encounter", $0) }),
                ("occurrenceDateTime", Datatypes.dateTime(order.scheduledAt)),
                ("authoredOn", Datatypes.dateTime(order.orderedAt)),
                ("requester", order.requester.flatMap { Datatypes.party($0, type: "Practitioner") }),
                ("reasonCode", Datatypes.array(order.reasons.compactMap(Datatypes.concept))),
                ("note", Datatypes.array(notes)),
            ] + sharedElements(order))
    }

    private static func sharedElements(_ order: ImagingOrder) -> [(String, JSONValue?)] {
        typealias Name = ImagingOrder.Attribute
        let attributes = order.attributes ?? [:]
        let current = (order.statements ?? []).filter(\.isCurrent)
        func references(_ kind: ClinicalStatement.Kind, _ type: String) -> [JSONValue] {
            current.filter { $0.kind == kind }.map { Datatypes.reference(type, $0.id) }
        }
        return [
            ("performer", Datatypes.parties(attributes.parties(Name.performers))),
            ("orderDetail", Datatypes.array(attributes.concepts(Name.orderDetails).compactMap(Datatypes.concept))),
            ("bodySite", Datatypes.array(attributes.concepts(Name.bodySites).compactMap(Datatypes.concept))),
            ("reasonReference", Datatypes.array(references(.diagnosis, ConditionProjection.type))),
            (
                "supportingInfo",
                Datatypes.array(
                    references(.observation, ObservationProjection.type)
                        + references(.allergy, AllergyIntoleranceProjection.type))
            ),
        ]
    }

    static func status(_ status: ImagingOrder.Status) -> String {
        switch status {
        case .draft: "draft"
        case .active: "active"
        case .onHold: "on-hold"
        case .revoked: "revoked"
        case .completed: "completed"
        case .enteredInError: "entered-in-error"
        case .unknown: "unknown"
        }
    }
}
