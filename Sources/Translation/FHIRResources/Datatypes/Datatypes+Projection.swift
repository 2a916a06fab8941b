import FHIRModel
import Workflow

/// Domain values as FHIR datatypes. FHIR R4 datatypes.html.
enum Datatypes {
    static let identifierTypeSystem = "http://terminology.hl7.org/CodeSystem/v2-0203"
    static let dicomUIDSystem = "urn:dicom:uid"
    static let dicomSystem = "http://dicom.nema.org/resources/ontology/DCM"

    /// An object of the members that have a value, in the order given. A JSON null is no value: FHIR has it only inside
    /// arrays of primitives.
    static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        var kept: [(String, JSONValue)] = []
        for (name, value) in members {
            if let value, value != .null { kept.append((name, value)) }
        }
        return .object(JSONObject(kept))
    }

    /// An array of the elements that say something, or nil when none does: FHIR has neither empty arrays nor empty
    /// objects. FHIR R4 json.html.
    static func array(_ elements: [JSONValue]) -> JSONValue? {
        let kept = elements.filter { $0 != .null && $0.object?.isEmpty != true }
        if kept.isEmpty { return Optional<JSONValue>.none }
        return .array(kept)
    }

    /// A number as JSON writes it, digits and precision kept; nil when the text is no number. HL7 v2.5.1 §2.A.47 (NM)
    /// allows a plus sign, leading zeros and a bare point, which JSON does not. RFC 8259 §6.
    static func number(_ text: String) -> JSONValue? {
        var digits = text.utf8.filter { $0 != 32 }[...]
        var sign = ""
        if digits.first == 43 || digits.first == 45 { sign = digits.removeFirst() == 45 ? "-" : "" }
        let parts = digits.split(separator: 46, maxSplits: 1, omittingEmptySubsequences: false)
        let whole = (parts.first ?? []).drop { $0 == 48 }
        let fraction = parts.count > 1 ? parts[1] : []
        let isNumber =
            (parts.first ?? []).count + fraction.count > 0
            && (whole + fraction).allSatisfy { (48...57).contains($0) }
        guard isNumber else { return nil }
        let tail = fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self)
        return .number(sign + (whole.isEmpty ? "0" : String(decoding: whole, as: UTF8.self)) + tail)
    }

    /// Text, or nil when it is empty: FHIR has no empty strings.
    static func string(_ text: String?) -> JSONValue? {
        guard let text, text.utf8.contains(where: { $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 }) else { return nil }
        return .string(text)
    }

    static func reference(_ type: String, _ id: EntityID, display: String? = nil) -> JSONValue {
        object([("reference", .string("\(type)/\(id.value)")), ("display", string(display))])
    }

    static func identifier(_ identifier: Identifier) -> JSONValue {
        let details = identifier.details
        let checkDigit = string(details?.checkDigit).map { digit in
            JSONValue.array([object([("url", .string(checkDigitURL)), ("valueString", digit)])])
        }
        return object([
            ("extension", checkDigit),
            ("use", identifier.isCurrent ? nil : "old"),
            (
                "type",
                identifier.kind.map { kind in
                    object([("coding", .array([coding(.init(system: identifierTypeSystem, code: kind.rawValue))]))])
                }
            ),
            ("system", string(identifier.system)),
            ("value", string(identifier.value)),
            ("period", period(details?.period)),
            ("assigner", string(details?.facility).map { object([("display", $0)]) }),
        ])
    }
    static let checkDigitURL = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"

    /// A Period; nil where neither end can be told.
    static func period(_ start: PartialDateTime?, _ end: PartialDateTime?) -> JSONValue? {
        let (start, end) = (dateTime(start), dateTime(end))
        if start == nil && end == nil { return Optional<JSONValue>.none }
        return object([("start", start), ("end", end)])
    }

    static func period(_ period: ValidityPeriod?) -> JSONValue? { self.period(period?.start, period?.end) }

    /// A study's or order's UID as FHIR writes it. FHIR R4 imagingstudy.html §8.21.5.
    static func uidIdentifier(_ uid: String) -> JSONValue {
        object([("system", .string(dicomUIDSystem)), ("value", .string("urn:oid:" + uid))])
    }

    static func coding(_ coding: CodedConcept.Coding) -> JSONValue {
        object([("system", string(coding.system)), ("code", string(coding.code)), ("display", string(coding.display))])
    }

    static func concept(_ concept: CodedConcept) -> JSONValue? {
        let value = object([("coding", array(concept.codings.map(coding))), ("text", string(concept.text))])
        // Written out: in a conditional expression `nil` would become the JSON null.
        if value.object?.isEmpty != false { return Optional<JSONValue>.none }
        return value
    }

    static func name(_ name: HumanName) -> JSONValue {
        object([
            ("extension", name.representation.map { .array([representation($0)]) }),
            ("use", name.use.map { .string($0.rawValue) }),
            ("family", string(name.family)),
            ("given", array(name.given.compactMap { string($0) })),
            ("prefix", array(name.prefix.compactMap { string($0) })),
            ("suffix", array(name.suffix.compactMap { string($0) })),
            ("period", period(name.period)),
        ])
    }

    /// How a name is written, as a code of v3 EntityNameUseR2. FHIR R4 extension-iso21090-en-representation.html.
    private static func representation(_ representation: HumanName.Representation) -> JSONValue {
        let code: JSONValue =
            switch representation {
            case .alphabetic: "ABC"
            case .ideographic: "IDE"
            case .phonetic: "SYL"
            }
        return object([("url", .string(representationURL)), ("valueCode", code)])
    }
    static let representationURL = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

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
            ("period", period(address.period)),
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

    /// Logical references to people and organisations; nil when there are none. A party with a name is a person.
    static func parties(_ parties: [PartyReference]) -> JSONValue? {
        array(parties.compactMap { party($0, type: $0.displayName == nil ? "Practitioner" : "Organization") })
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
