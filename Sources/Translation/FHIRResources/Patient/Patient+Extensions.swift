import FHIRModel
import Workflow

/// What the domain says of a patient beside the elements of the resource. FHIR R4 patient.html, its extensions;
/// v2-to-FHIR PID and NK1.
extension PatientProjection {
    private static let core = "http://hl7.org/fhir/StructureDefinition/"
    private static let us = "http://hl7.org/fhir/us/core/StructureDefinition/"

    /// The extensions that the domain answers for; a client's others stay.
    static let ownedExtensions = [
        core + "patient-mothersMaidenName", core + "patient-religion", core + "patient-birthPlace",
        core + "patient-citizenship", core + "patient-nationality", core + "patient-animal",
        core + "patient-disability", core + "patient-congregation", us + "us-core-race", us + "us-core-ethnicity",
    ]

    /// The elements that the domain answers for while it has something to say; else a client's stay.
    static let shared = [
        "_birthDate", "contact", "generalPractitioner", "managingOrganization", "multipleBirthBoolean",
        "multipleBirthInteger",
    ]

    static func extensions(_ attributes: Attributes) -> JSONValue? {
        typealias Name = Patient.Attribute
        var extensions: [JSONValue?] = []
        if case .names(let names)? = attributes[Name.mothersMaidenName], let name = names.first {
            let text = ([name.family] + name.given).filter { !$0.isEmpty }.joined(separator: ", ")
            extensions.append(extended(core + "patient-mothersMaidenName", ("valueString", Datatypes.string(text))))
        }
        extensions.append(category(us + "us-core-race", attributes.concepts(Name.race), Self.raceCategories))
        extensions.append(
            category(us + "us-core-ethnicity", attributes.concepts(Name.ethnicity), Self.ethnicityCategories))
        for religion in attributes.concepts(Name.religion) {
            extensions.append(
                extended(core + "patient-religion", ("valueCodeableConcept", Datatypes.concept(religion))))
        }
        let place = attributes.text(Name.birthPlace).map { Datatypes.object([("text", Datatypes.string($0))]) }
        extensions.append(extended(core + "patient-birthPlace", ("valueAddress", place)))
        for disability in attributes.concepts(Name.disability) {
            extensions.append(
                extended(core + "patient-disability", ("valueCodeableConcept", Datatypes.concept(disability))))
        }
        extensions.append(
            extended(
                core + "patient-congregation", ("valueString", Datatypes.string(attributes.text(Name.congregation)))))
        for (name, url) in [
            (Name.citizenship, "patient-citizenship"), (Name.tribes, "patient-citizenship"),
            (Name.nationality, "patient-nationality"),
        ] {
            for concept in attributes.concepts(name) { extensions.append(nested(core + url, ["code": concept])) }
        }
        if let species = attributes.concepts(Name.species).first {
            var parts = ["species": species]
            parts["breed"] = attributes.concepts(Name.breed).first
            extensions.append(nested(core + "patient-animal", parts))
        }
        return Datatypes.array(extensions.compactMap { $0 })
    }

    /// The time of birth, where it is of the date that stands. FHIR R4 extension-patient-birthtime.html.
    static func birthTime(_ patient: Patient) -> JSONValue? {
        guard let time = patient.attributes?.dateTime(Patient.Attribute.birthTime), time.hasTime,
            time.dateDigits == patient.birthDate?.dateDigits,
            let value = extended(core + "patient-birthTime", ("valueDateTime", Datatypes.dateTime(time)))
        else { return nil }
        return Datatypes.object([("extension", .array([value]))])
    }

    private static func extended(_ url: String, _ value: (String, JSONValue?)) -> JSONValue? {
        guard value.1 != nil else { return nil }
        return Datatypes.object([("url", .string(url)), value])
    }

    private static func nested(_ url: String, _ parts: [String: CodedConcept]) -> JSONValue? {
        let inner = parts.sorted { $0.key < $1.key }.compactMap { name, concept in
            extended(name, ("valueCodeableConcept", Datatypes.concept(concept)))
        }
        guard !inner.isEmpty else { return nil }
        return Datatypes.object([("url", .string(url)), ("extension", .array(inner))])
    }

    private static let cdc = "urn:oid:2.16.840.1.113883.6.238"
    private static let nullFlavor = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
    private static let raceCategories: Set<String> = ["1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "UNK", "ASKU"]
    private static let ethnicityCategories: Set<String> = ["2135-2", "2186-5"]

    /// Race and ethnicity as US Core says them: the codings of the code system of the CDC, and always the words.
    private static func category(_ url: String, _ concepts: [CodedConcept], _ categories: Set<String>) -> JSONValue? {
        let words = concepts.compactMap(\.displayText).joined(separator: ", ")
        guard !words.isEmpty else { return nil }
        var parts = concepts.flatMap(\.codings).compactMap { coding -> JSONValue? in
            // Tables 0005 and 0189 have these codes of the CDC as their own; a code of another system is another code.
            let isOfTable = [nil, CodeSystem.table("0005"), CodeSystem.table("0189")].contains(coding.system)
            guard coding.system == cdc || (isOfTable && categories.contains(coding.code)) else { return nil }
            var coding = coding
            coding.system = ["UNK", "ASKU"].contains(coding.code) ? nullFlavor : cdc
            let name = categories.contains(coding.code) ? "ombCategory" : "detailed"
            return extended(name, ("valueCoding", Datatypes.coding(coding)))
        }
        if let text = extended("text", ("valueString", Datatypes.string(words))) { parts.append(text) }
        return Datatypes.object([("url", .string(url)), ("extension", .array(parts))])
    }

    // MARK: Shared elements

    static func sharedElements(_ attributes: Attributes) -> [(String, JSONValue?)] {
        typealias Name = Patient.Attribute
        var contacts: [ContactPerson] = []
        if case .contacts(let people)? = attributes[Name.contacts] { contacts = people }
        var birthOrder: Int?
        if case .number(let number)? = attributes[Name.birthOrder] { birthOrder = number }
        var isMultiple: Bool?
        if case .flag(let flag)? = attributes[Name.isMultipleBirth] { isMultiple = flag }
        return [
            ("contact", Datatypes.array(contacts.map(contact))),
            ("multipleBirthBoolean", birthOrder == nil ? isMultiple.map { .bool($0) } : nil),
            ("multipleBirthInteger", birthOrder.map { .number(String($0)) }),
            ("generalPractitioner", Datatypes.parties(attributes.parties(Name.practitioners))),
            (
                "managingOrganization",
                attributes.parties(Name.organizations).first.flatMap { Datatypes.party($0, type: "Organization") }
            ),
        ]
    }

    private static func contact(_ person: ContactPerson) -> JSONValue {
        Datatypes.object([
            ("relationship", Datatypes.array(person.relationships.compactMap(Datatypes.concept))),
            ("name", person.names.first.map(Datatypes.name)),
            ("telecom", Datatypes.array(person.telecoms.map(Datatypes.telecom))),
            ("address", person.addresses.first.map(Datatypes.address)),
            ("gender", person.sex.map { .string($0.rawValue) }),
            (
                "organization",
                Datatypes.string(person.organization).map { Datatypes.object([("display", $0)]) }
            ),
            ("period", Datatypes.period(person.start, person.end)),
        ])
    }
}
