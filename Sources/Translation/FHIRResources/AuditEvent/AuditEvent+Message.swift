import Basics
import FHIRModel
import Workflow

/// The event as an audit message, for repositories that are fed by syslog. DICOM PS3.15 §A.5.1, §A.5.2.
extension AuditEvent {
    /// One XML document in UTF-8, without a byte order mark.
    package var auditMessage: [UInt8] {
        var xml = XMLText()
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>")
        xml.open(
            "EventIdentification",
            [
                ("EventActionCode", action), ("EventDateTime", UTCInstant(microseconds: time).instantText),
                ("EventOutcomeIndicator", outcome),
            ])
        let (event, types) = eventCodes
        xml.code("EventID", event)
        for type in types { xml.code("EventTypeCode", type) }
        if let outcomeText { xml.text("EventOutcomeDescription", outcomeText) }
        xml.close("EventIdentification")
        for agent in agents { xml.participant(agent) }
        xml.open("AuditSourceIdentification", [("AuditSourceID", base)])
        xml.empty("AuditSourceTypeCode", [("csd-code", "4")])
        xml.close("AuditSourceIdentification")
        for entity in entities { xml.object(entity, base: base) }
        xml.raw("</AuditMessage>")
        return xml.bytes
    }

    /// Whether it tells of something that did not succeed.
    package var isFailure: Bool { outcome != "0" }

    /// A RESTful operation has no event of its own in CID 400: a search is a Query, what is of a patient a Patient Record,
    /// and the operation is told as the event's type.
    private var eventCodes: (event: Code, types: [Code]) {
        guard type.code == "rest" else { return (type, subtypes) }
        if subtypes.contains(where: { $0.code == "search" }) { return (Self.dicomCode("110112", "Query"), subtypes) }
        if !patients.isEmpty { return (Self.dicomCode("110110", "Patient Record"), subtypes) }
        return (type, subtypes)
    }

    private static func dicomCode(_ code: String, _ display: String) -> Code {
        Code("http://dicom.nema.org/resources/ontology/DCM", code, display)
    }
}

/// XML that is written and never read: elements, attributes and text with what XML asks of them.
private struct XMLText {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(2_048) }

    mutating func raw(_ text: String) { bytes += text.utf8 }

    mutating func open(_ name: String, _ attributes: [(String, String?)], isEmpty: Bool = false) {
        raw("<" + name)
        for (name, value) in attributes {
            guard let value else { continue }
            raw(" \(name)=\"")
            escaped(value)
            raw("\"")
        }
        raw(isEmpty ? "/>" : ">")
    }

    mutating func empty(_ name: String, _ attributes: [(String, String?)]) { open(name, attributes, isEmpty: true) }

    mutating func close(_ name: String) { raw("</\(name)>") }

    mutating func text(_ name: String, _ text: String) {
        raw("<\(name)>")
        escaped(text)
        raw("</\(name)>")
    }

    /// What no document of XML 1.0 may hold becomes a blank. XML 1.0 §2.2.
    private mutating func escaped(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x26: raw("&amp;")
            case 0x3C: raw("&lt;")
            case 0x3E: raw("&gt;")
            case 0x22: raw("&quot;")
            case 0x27: raw("&apos;")
            case 0..<0x20, 0x7F..<0xA0, 0xFFFE, 0xFFFF: bytes.append(0x20)
            default: bytes += UTF8.encode(scalar).map { Array($0) } ?? [0x20]
            }
        }
    }

    mutating func code(_ element: String, _ code: AuditEvent.Code) {
        empty(
            element,
            [
                ("csd-code", code.code), ("codeSystemName", Self.systemName(code.system)),
                ("originalText", code.display),
            ])
    }

    private static func systemName(_ system: String) -> String {
        switch system {
        case "http://dicom.nema.org/resources/ontology/DCM": "DCM"
        case "urn:ihe:event-type-code": "IHE Transactions"
        default: system
        }
    }

    /// §A.5.2.2.
    mutating func participant(_ agent: AuditEvent.Agent) {
        open(
            "ActiveParticipant",
            [
                ("UserID", agent.identifierValue), ("AlternativeUserID", agent.identifierSystem),
                ("UserName", agent.name), ("UserIsRequestor", agent.requestor ? "true" : "false"),
                ("NetworkAccessPointID", agent.network?.address),
                // An address of IP is 2 here too; a URI is 5. §A.5.2.2.
                ("NetworkAccessPointTypeCode", agent.network?.type),
            ])
        code("RoleIDCode", agent.type)
        close("ActiveParticipant")
    }

    /// §A.5.2.3.
    mutating func object(_ entity: AuditEvent.Entity, base: String) {
        let isOfList = entity.type.system == "http://terminology.hl7.org/CodeSystem/audit-entity-type"
        var id = entity.identifier?.value ?? entity.name ?? "none"
        var kind = AuditEvent.Code("RFC-3881", "12", "URI")
        var name = entity.name ?? entity.type.display
        if let reference = entity.reference {
            id = "\(base)/\(reference.type)/\(reference.id)" + (reference.version.map { "/_history/" + $0 } ?? "")
            name = reference.type
            if let patient = FedTypes.patientID(reference.type, reference.id) {
                id = patient
                kind = AuditEvent.Code("RFC-3881", "2", "Patient Number")
            }
        } else if let value = entity.identifier?.value, value.hasPrefix("urn:oid:") {
            id = String(value.dropFirst(8))
            kind = AuditEvent.Code(
                "http://dicom.nema.org/resources/ontology/DCM", "110180", "Study Instance UID")
            name = entity.name ?? "Study"
        } else if entity.query != nil || entity.role?.code == "24" {
            id = "query"
            kind = AuditEvent.Code("RFC-3881", "10", "Search Criteria")
        } else if entity.role?.code == "11" {
            kind = AuditEvent.Code("RFC-3881", "11", "User Identifier")
        } else if !isOfList {
            kind = entity.type
        }
        open(
            "ParticipantObjectIdentification",
            [
                ("ParticipantObjectID", id), ("ParticipantObjectTypeCode", isOfList ? entity.type.code : "4"),
                ("ParticipantObjectTypeCodeRole", entity.role?.code),
            ])
        code("ParticipantObjectIDTypeCode", kind)
        if let query = entity.query {
            raw("<ParticipantObjectQuery>" + Base64.encode(Array(query.utf8)) + "</ParticipantObjectQuery>")
        } else {
            text("ParticipantObjectName", name)
        }
        close("ParticipantObjectIdentification")
    }
}
