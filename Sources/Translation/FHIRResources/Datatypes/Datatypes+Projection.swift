import FHIRModel
import Workflow

/// Domain values as FHIR datatypes. FHIR R4 datatypes.html.
enum Datatypes {
    static let identifierTypeSystem = "http://terminology.hl7.org/CodeSystem/v2-0203"
    static let dicomUIDSystem = "urn:dicom:uid"
    static let dicomSystem = "http://dicom.nema.org/resources/ontology/DCM"

    /// An object of the members that have a value, in the order given.
    static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(JSONObject(members.compactMap { name, value in value.map { (name, $0) } }))
    }

    /// An array, or nil when it would be empty: FHIR has no empty arrays. FHIR R4 json.html.
    static func array(_ elements: [JSONValue]) -> JSONValue? { elements.isEmpty ? nil : .array(elements) }

    /// Text, or nil when it is empty: FHIR has no empty strings.
    static func string(_ text: String?) -> JSONValue? {
        guard let text, text.utf8.contains(where: { $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 }) else { return nil }
        return .string(text)
    }

    static func reference(_ type: String, _ id: EntityID, display: String? = nil) -> JSONValue {
        object([("reference", .string("\(type)/\(id.value)")), ("display", string(display))])
    }

    static func identifier(_ identifier: Identifier) -> JSONValue {
        object([
            ("use", identifier.isCurrent ? nil : "old"),
            (
                "type",
                identifier.kind.map { kind in
                    object([("coding", .array([coding(.init(system: identifierTypeSystem, code: kind.rawValue))]))])
                }
            ),
            ("system", string(identifier.system)),
            ("value", string(identifier.value)),
        ])
    }

    /// A study's or order's UID as FHIR writes it. FHIR R4 imagingstudy.html §8.21.5.
    static func uidIdentifier(_ uid: String) -> JSONValue {
        object([("system", .string(dicomUIDSystem)), ("value", .string("urn:oid:" + uid))])
    }

    static func coding(_ coding: CodedConcept.Coding) -> JSONValue {
        object([("system", string(coding.system)), ("code", string(coding.code)), ("display", string(coding.display))])
    }

    static func concept(_ concept: CodedConcept) -> JSONValue? {
        let value = object([("coding", array(concept.codings.map(coding))), ("text", string(concept.text))])
        return value.object?.isEmpty == false ? value : nil
    }

    static func name(_ name: HumanName) -> JSONValue {
        object([
            ("use", name.use.map { .string($0.rawValue) }),
            ("family", string(name.family)),
            ("given", array(name.given.compactMap { string($0) })),
            ("prefix", array(name.prefix.compactMap { string($0) })),
            ("suffix", array(name.suffix.compactMap { string($0) })),
        ])
    }

    static func address(_ address: PostalAddress) -> JSONValue {
        let isBilling = address.use == .billing
        return object([
            ("use", address.use.map { .string($0.rawValue) }),
            ("line", array(address.lines.compactMap { string($0) })),
            ("city", string(address.city)),
            ("district", string(address.district)),
            ("state", string(address.state)),
            ("postalCode", string(address.postalCode)),
            ("country", string(address.country)),
            ("type", isBilling ? "postal" : nil),
        ])
    }

    static func telecom(_ point: ContactPoint) -> JSONValue {
        object([
            ("system", .string(point.system.rawValue)), ("value", string(point.value)),
            ("use", point.use.map { .string($0.rawValue) }),
        ])
    }

    /// A logical reference to a person or organisation that has no resource of its own here.
    static func party(_ party: PartyReference, type: String?) -> JSONValue? {
        var display = party.displayName
        if display == nil, let name = party.name {
            display = (name.prefix + name.given + [name.family] + name.suffix).filter { !$0.isEmpty }.joined(
                separator: " ")
        }
        guard party.identifier != nil || !(display ?? "").isEmpty else { return nil }
        return object([
            ("type", type.map { .string($0) }),
            ("identifier", party.identifier.map(identifier)),
            ("display", string(display)),
        ])
    }

    /// A FHIR dateTime. A time without a zone cannot be said in FHIR, so only its date is given. FHIR R4 datatypes.html#dateTime.
    static func dateTime(_ time: PartialDateTime?) -> JSONValue? {
        guard let text = time?.text, !text.isEmpty else { return nil }
        guard let mark = text.firstIndex(of: "T") else { return .string(text) }
        let clock = text[text.index(after: mark)...]
        let hasZone = clock.hasSuffix("Z") || clock.contains("+") || clock.contains("-")
        return .string(hasZone ? text : String(text[..<mark]))
    }

    /// A FHIR date: the date part alone.
    static func date(_ time: PartialDateTime?) -> JSONValue? {
        guard let text = time?.text, !text.isEmpty else { return nil }
        return .string(String(text.prefix { $0 != "T" }))
    }

    /// A FHIR instant in UTC with microseconds when there are any.
    static func instant(_ time: UTCInstant) -> JSONValue { .string(time.instantText) }
}

extension UTCInstant {
    /// The instant as FHIR writes it, in UTC. FHIR R4 datatypes.html#instant.
    package var instantText: String { FHIRDateTime.instantText(microseconds: microseconds) }
}
