import FHIRModel
import Workflow

/// A ServiceRequest for imaging read into the domain.
enum ServiceRequestCommand {
    /// Whether a request is the workflow's business: it says imaging, or carries an accession number or study UID.
    static func isImaging(_ resource: JSONValue) -> Bool {
        for category in resource["category"]?.array ?? [] {
            for coding in category["coding"]?.array ?? [] {
                switch (coding["system"]?.string, coding["code"]?.string) {
                case ("http://snomed.info/sct", "363679005"?),
                    ("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD"?),
                    ("http://loinc.org", "LP29684-5"?):
                    return true
                default: continue
                }
            }
        }
        return (resource["identifier"]?.array ?? []).contains { value in
            value["system"]?.string == Datatypes.dicomUIDSystem
                || Datatypes.identifier(from: value)?.kind == .accession
        }
    }

    /// The domain's view of the resource. Nil when its subject is no Patient of this server.
    static func order(_ resource: JSONValue, id: EntityID, stored: ImagingOrder?) -> ImagingOrder? {
        guard let patientID = Datatypes.id(inReference: resource["subject"], type: "Patient") else { return nil }
        var order = stored ?? ImagingOrder(id: id, patientID: patientID, status: .unknown, code: CodedConcept())
        order.patientID = patientID
        let identifiers = resource["identifier"]?.array ?? []
        let typed = identifiers.compactMap(Datatypes.identifier(from:))
        order.placer = typed.first { $0.kind == .placer }
        order.filler = typed.first { $0.kind == .filler }
        order.accession = typed.first { $0.kind == .accession }
        let uid = identifiers.first { $0["system"]?.string == Datatypes.dicomUIDSystem }?["value"]?.string
        if let uid, uid.hasPrefix("urn:oid:") { order.studyInstanceUID = String(uid.dropFirst(8)) }
        order.requisition = resource["requisition"].flatMap(Datatypes.identifier(from:))
        order.status = status(resource["status"]?.string)
        order.priority = resource["priority"]?.string.flatMap(ImagingOrder.Priority.init(rawValue:))
        order.code = Datatypes.concept(from: resource["code"]) ?? CodedConcept()
        order.modality = modality(resource) ?? order.modality
        order.visitID = Datatypes.id(inReference: resource["encounter"], type: "Encounter")
        order.scheduledAt = Datatypes.dateTime(from: resource["occurrenceDateTime"])
        order.orderedAt = Datatypes.dateTime(from: resource["authoredOn"])
        order.requester = Datatypes.party(from: resource["requester"])
        order.reasons = (resource["reasonCode"]?.array ?? []).compactMap { Datatypes.concept(from: $0) }
        order.notes = []
        order.clinicalInformation = nil
        for note in resource["note"]?.array ?? [] {
            guard let text = note["text"]?.string else { continue }
            if note["authorString"]?.string == "Relevant clinical information" {
                order.clinicalInformation = text
            } else {
                order.notes.append(text)
            }
        }
        return order
    }

    /// The DICOM modality, as a code of DICOM's own among the codings of what is asked for. PS3.16 CID 29.
    private static func modality(_ resource: JSONValue) -> String? {
        let concepts =
            [resource["code"]].compactMap { $0 } + (resource["orderDetail"]?.array ?? [])
            + (resource["category"]?.array ?? [])
        return concepts.lazy.flatMap { $0["coding"]?.array ?? [] }.filter {
            $0["system"]?.string == Datatypes.dicomSystem
        }.compactMap { $0["code"]?.string }.first { code in
            // CS, and no number as DCM's other codes are. PS3.5 §6.2.
            (2...16).contains(code.utf8.count) && code.utf8.allSatisfy { (65...90).contains($0) }
        }
    }

    static func status(_ text: String?) -> ImagingOrder.Status {
        switch text {
        case "draft": .draft
        case "active": .active
        case "on-hold": .onHold
        case "revoked": .revoked
        case "completed": .completed
        case "entered-in-error": .enteredInError
        default: .unknown
        }
    }
}
