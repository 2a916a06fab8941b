import FHIRModel
import Workflow

/// FHIR datatypes as domain values. What the domain does not model is left out here; it stays in the stored resource.
extension Datatypes {
    static func strings(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }

    static func identifier(from value: JSONValue) -> Identifier? {
        guard let system = value["system"]?.string, let text = value["value"]?.string, !system.isEmpty, !text.isEmpty
        else {
            return nil
        }
        let codes = value["type"]?["coding"]?.array ?? []
        let kind = codes.first { $0["system"]?.string == identifierTypeSystem }?["code"]?.string
        return Identifier(
            system: system, value: text, kind: kind.flatMap(Identifier.Kind.init(rawValue:)),
            isCurrent: value["use"]?.string != "old",
            details: Identifier.Details(
                checkDigit: (value["extension"]?.array ?? []).first { $0["url"]?.string == checkDigitURL }?[
                    "valueString"]?.string,
                facility: value["assigner"]?["display"]?.string, period: period(from: value["period"])))
    }

    static func period(from value: JSONValue?) -> ValidityPeriod? {
        ValidityPeriod(start: dateTime(from: value?["start"]), end: dateTime(from: value?["end"]))
    }

    static func coding(from value: JSONValue) -> CodedConcept.Coding? {
        guard let code = value["code"]?.string else { return nil }
        return CodedConcept.Coding(system: value["system"]?.string, code: code, display: value["display"]?.string)
    }

    static func concept(from value: JSONValue?) -> CodedConcept? {
        guard let value else { return nil }
        let concept = CodedConcept(
            codings: (value["coding"]?.array ?? []).compactMap(coding(from:)), text: value["text"]?.string)
        return concept.codings.isEmpty && concept.text == nil ? nil : concept
    }

    static func name(from value: JSONValue) -> HumanName {
        HumanName(
            family: value["family"]?.string ?? "", given: strings(value["given"]), prefix: strings(value["prefix"]),
            suffix: strings(value["suffix"]), use: value["use"]?.string.flatMap(HumanName.Use.init(rawValue:)),
            representation: (value["extension"]?.array ?? []).first { $0["url"]?.string == representationURL }
                .flatMap {
                    ["ABC": .alphabetic, "IDE": .ideographic, "SYL": .phonetic][$0["valueCode"]?.string ?? ""]
                },
            period: period(from: value["period"]))
    }

    static func address(from value: JSONValue) -> PostalAddress {
        PostalAddress(
            lines: strings(value["line"]), city: value["city"]?.string, district: value["district"]?.string,
            state: value["state"]?.string, postalCode: value["postalCode"]?.string, country: value["country"]?.string,
            use: value["use"]?.string.flatMap(PostalAddress.Use.init(rawValue:)), period: period(from: value["period"]))
    }

    static func telecom(from value: JSONValue) -> ContactPoint? {
        guard let system = value["system"]?.string.flatMap(ContactPoint.System.init(rawValue:)),
            let text = value["value"]?.string
        else { return nil }
        return ContactPoint(
            system: system, value: text, use: value["use"]?.string.flatMap(ContactPoint.Use.init(rawValue:)))
    }

    static func party(from value: JSONValue?) -> PartyReference? {
        guard let value else { return nil }
        let party = PartyReference(
            identifier: value["identifier"].flatMap(identifier(from:)), displayName: value["display"]?.string)
        return party.identifier == nil && party.displayName == nil ? nil : party
    }

    static func dateTime(from value: JSONValue?) -> PartialDateTime? {
        guard let text = value?.string, !text.isEmpty else { return nil }
        return PartialDateTime(text)
    }

    /// The id in a relative reference `Type/id` (an absolute one or another type gives nil).
    static func id(inReference value: JSONValue?, type: String) -> EntityID? {
        guard let text = value?["reference"]?.string else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == type, !parts[1].isEmpty else { return nil }
        return EntityID(String(parts[1]))
    }
}
