import HL7v2
import Workflow

/// What PID, PD1, NK1, PV1 and PV2 say beyond the core of the record. v2-to-FHIR PID, PD1, NK1, PV1, PV2.
extension PatientSegments {
    func attributes(_ pid: Segment) -> [String: Change<AttributeValue>] {
        typealias Name = Patient.Attribute
        var found: [String: Change<AttributeValue>] = [:]
        found[Name.mothersMaidenName] = types.into("Patient.extension(mothersMaidenName)") {
            change(pid[6]) { field in types.xpn(field[1]).map { .names([$0]) } }
        }
        found[Name.race] = concepts(pid[10], table: "0005", into: "Patient.extension(race)")
        found[Name.ethnicity] = concepts(pid[22], table: "0189", into: "Patient.extension(ethnicity)")
        found[Name.religion] = concepts(pid[17], table: "0006", into: "Patient.extension(religion)")
        found[Name.citizenship] = concepts(pid[26], table: nil, into: "Patient.extension(citizenship)")
        found[Name.nationality] = concepts(pid[28], table: nil, into: "Patient.extension(nationality)")
        found[Name.species] = concepts(pid[35], table: nil, into: "Patient.extension(animal)")
        found[Name.breed] = concepts(pid[36], table: nil, into: "Patient.extension(animal)")
        found[Name.tribes] = concepts(pid[39], table: nil, into: "Patient.extension(citizenship)")
        found[Name.birthTime] = types.into("Patient.birthDate") {
            change(pid[7]) { field in
                guard let stamp = field.timestamp, stamp.precision >= .hour else { return nil }
                return types.dateTime(stamp).flatMap { $0.hasTime ? .dateTime($0) : nil }
            }
        }
        found[Name.birthPlace] = types.into("Patient.extension(birthPlace)") {
            change(pid[23]) { types.trimmed($0.wholeText).map { .text($0) } }
        }
        found[Name.isMultipleBirth] = types.into("Patient.multipleBirth") {
            change(pid[24]) { types.table($0, "0136", Self.yesOrNo).map { .flag($0) } }
        }
        found[Name.birthOrder] = types.into("Patient.multipleBirth") {
            change(pid[25]) { $0.integer.map { .number($0) } }
        }
        found[Name.furtherIdentifiers] = furtherIdentifiers(pid)
        return found.filter { $0.value != .keep }
    }

    /// `Y` and `N` of table 0136.
    static func yesOrNo(_ code: String) -> Bool? { code == "Y" ? true : (code == "N" ? false : nil) }

    /// PID-2 and 4 beside PID-3, the account, the social security number and the licence: they name the person and do
    /// not identify it here.
    private func furtherIdentifiers(_ pid: Segment) -> Change<AttributeValue> {
        types.into("Patient.identifier") {
            var identifiers: [Identifier] = []
            for legacy in [2, 4] where pid[3].isValued {
                for repetition in pid[legacy].repetitions {
                    guard let found = types.cx(repetition, fallback: "urn:hilum:alternate-patient-id") else { continue }
                    identifiers.append(found)
                }
            }
            if let account = types.cx(pid[18][1], fallback: "urn:hilum:account", kind: .account) {
                identifiers.append(account)
            }
            if let number = types.key(pid[19]) {
                identifiers.append(
                    Identifier(system: Self.socialSecuritySystem(number), value: number, kind: .socialSecurity))
            }
            if let number = types.key(pid[20][1][1]) {
                let issuer = types.key(pid[20][1][2]).map { ":" + $0 } ?? ""
                identifiers.append(
                    Identifier(system: "urn:hilum:drivers-licence" + issuer, value: number, kind: .driversLicence))
            }
            if identifiers.isEmpty { return .keep }
            return .set(.identifiers(identifiers))
        }
    }

    /// The system of PID-19 and GT1-12: that of the United States for a number of its form, for which the field was made.
    static func socialSecuritySystem(_ number: String) -> String {
        let digits = number.utf8.filter { $0 >= 0x30 && $0 <= 0x39 }
        let isOfForm = digits.count == 9 && number.utf8.allSatisfy { $0 == 0x2D || ($0 >= 0x30 && $0 <= 0x39) }
        return isOfForm ? "http://hl7.org/fhir/sid/us-ssn" : "urn:hilum:social-security-number"
    }

    /// What PD1 and the NK1 say.
    func attributes(pd1: Segment?, nk1: [Segment]) -> [String: Change<AttributeValue>] {
        typealias Name = Patient.Attribute
        var found: [String: Change<AttributeValue>] = [:]
        if let pd1 {
            found[Name.organizations] = types.into("Patient.managingOrganization") {
                change(pd1[3]) { types.xon($0[1]).map { .parties([$0]) } }
            }
            found[Name.practitioners] = types.into("Patient.generalPractitioner") {
                change(pd1[4]) { field in
                    let people = field.repetitions.compactMap { types.xcn($0) }
                    return people.isEmpty ? nil : .parties(people)
                }
            }
        }
        if let pd1 {
            found[Name.disability] = concepts(pd1[6], table: "0295", into: "Patient.extension(disability)")
            found[Name.congregation] = types.into("Patient.extension(congregation)") {
                change(pd1[14]) { types.trimmed($0[1][1].text).map { .text($0) } }
            }
        }
        let contacts = types.into("Patient.contact") { nk1.map(contact).filter { !$0.isEmpty } }
        if !contacts.isEmpty { found[Name.contacts] = .set(.contacts(contacts)) }
        return found.filter { $0.value != .keep }
    }

    private func contact(_ nk1: Segment) -> ContactPerson {
        var person = ContactPerson()
        person.names = (nk1[2].repetitions.map { $0 } + nk1[30].repetitions.map { $0 }).compactMap { types.xpn($0) }
        person.relationships = [(3, "0063"), (7, "0131")].compactMap { concept(nk1[$0.0][1], table: $0.1) }
        person.addresses = [4, 32].flatMap { nk1[$0].repetitions.compactMap { types.xad($0) } }
        person.telecoms =
            [5, 40, 31, 41].flatMap { nk1[$0].repetitions.flatMap { types.xtn($0, use: .home) } }
            + nk1[6].repetitions.flatMap { types.xtn($0, use: .work) }
        person.start = types.dateTime(nk1[8].timestamp)
        person.end = types.dateTime(nk1[9].timestamp)
        person.organization = types.trimmed(nk1[13].text)
        person.sex = types.table(nk1[15], "0001", CodeSystems.sex)
        return person
    }

    // MARK: The visit

    func attributes(ofVisit pv1: Segment, _ pv2: Segment?) -> [String: Change<AttributeValue>] {
        typealias Name = Visit.Attribute
        var found: [String: Change<AttributeValue>] = [:]
        found[Name.types] = types.into("Encounter.type") {
            let concepts = [concept(pv1[4][1], table: "0007"), concept(pv1[18][1], table: "0018")].compactMap { $0 }
            return concepts.isEmpty ? .keep : .set(.concepts(concepts))
        }
        found[Name.serviceType] = concepts(pv1[10], table: "0069", into: "Encounter.serviceType")
        found[Name.preAdmissionIdentifier] = types.into("Encounter.hospitalization") {
            change(pv1[5]) {
                types.cx($0[1], fallback: "urn:hilum:preadmit-number").map { .identifiers([$0]) }
            }
        }
        let locations = [
            (3, nil, Name.locationType), (6, Name.priorLocation, Name.priorLocationType),
            (11, Name.temporaryLocation, Name.temporaryLocationType),
            (42, Name.pendingLocation, Name.pendingLocationType),
        ]
        for (field, name, typeName) in locations {
            if let name {
                found[name] = types.into("Encounter.location") {
                    change(pv1[field]) { location($0[1]).map { .text($0) } }
                }
            }
            // Another place is of no kind until it is said of which.
            found[typeName] = types.into("Encounter.location") {
                change(pv1[field]) { .concepts([locationType($0[1])].compactMap { $0 }) }
            }
        }
        let people = [
            (9, Name.consultants, 0), (17, Name.admitters, 0), (52, Name.others, 0), (7, Name.furtherAttending, 1),
            (8, Name.furtherReferring, 1),
        ]
        for (field, name, after) in people {
            found[name] = types.into("Encounter.participant") { () -> Change<AttributeValue> in
                let people = pv1[field].repetitions.compactMap { types.xcn($0) }
                // One alone takes the place of several.
                if after > 0, people.count == after { return .clear }
                return change(pv1[field]) { _ in
                    people.count > after ? .parties(Array(people.dropFirst(after))) : nil
                }
            }
        }
        let codes = [
            (13, "0092", Name.reAdmission), (14, "0023", Name.admitSource), (15, "0009", Name.specialArrangements),
            (16, "0099", Name.specialCourtesy), (36, "0112", Name.dischargeDisposition), (37, "0113", Name.destination),
            (38, "0114", Name.diet),
        ]
        for (field, table, name) in codes {
            found[name] = concepts(pv1[field], table: table, into: "Encounter.hospitalization")
        }
        found[Name.furtherIdentifiers] = identifiers(
            pv1[50], "urn:hilum:alternate-visit-id", into: "Encounter.identifier")
        found[Name.episodes] = identifiers(pv1[54], "urn:hilum:service-episode", into: "Encounter.episodeOfCare")
        found[Name.serviceProvider] = types.into("Encounter.serviceProvider") {
            change(pv1[39]) { types.trimmed($0.text).map { .text($0) } }
        }
        if let pv2 {
            found[Name.reasons] = concepts(pv2[3], table: nil, into: "Encounter.reasonCode")
            found[Name.priority] = concepts(pv2[25], table: "0217", into: "Encounter.priority")
        }
        return found.filter { $0.value != .keep }
    }

    private func identifiers(_ field: Field, _ system: String, into target: String) -> Change<AttributeValue> {
        types.into(target) {
            change(field) { field in
                let found = field.repetitions.compactMap { types.cx($0, fallback: system) }
                return found.isEmpty ? nil : .identifiers(found)
            }
        }
    }

    private func concepts(_ field: Field, table: String?, into target: String) -> Change<AttributeValue> {
        types.into(target) {
            change(field) { field in
                let found = field.repetitions.compactMap { concept($0, table: table) }
                return found.isEmpty ? nil : .concepts(found)
            }
        }
    }

    /// A coded value; what names no system of its own is of the table of its field.
    func concept(_ value: Repetition, table: String?) -> CodedConcept? { types.cwe(value, table: table) }
}
