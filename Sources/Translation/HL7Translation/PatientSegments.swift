import HL7v2
import Workflow

/// PID, PV1 and MRG as domain values. HL7 v2.5.1 §3.4.2, §3.4.3, §3.4.9.
struct PatientSegments: Sendable {
    let types: DataTypes

    /// What PID says of the patient.
    func update(_ pid: Segment, eventTime: UTCInstant?) -> PatientUpdate {
        var identifiers = types.into("Patient.identifier") { types.patientIdentifiers(pid[3]) }
        for legacy in [2, 4] where identifiers.isEmpty {
            // PID-2 and PID-4 were withdrawn in 2.7; they count only where PID-3 says nothing.
            identifiers = types.into("Patient.identifier") { types.patientIdentifiers(pid[legacy]) }
        }
        var update = PatientUpdate(identifiers: identifiers, eventTime: eventTime)
        update.names = types.into("Patient.name") { list(pid[5]) { types.xpn($0).map { [$0] } ?? [] } }
        update.aliases = types.into("Patient.name") { list(pid[9]) { types.xpn($0).map { [$0] } ?? [] } }
        update.birthDate = types.into("Patient.birthDate") { change(pid[7]) { types.date($0.timestamp) } }
        update.sex = types.into("Patient.gender") { change(pid[8]) { types.table($0, "0001", CodeSystems.sex) } }
        update.addresses = types.into("Patient.address") { addresses(pid) }
        update.homeTelecoms = types.into("Patient.telecom") { homeTelecoms(pid) }
        update.workTelecoms = types.into("Patient.telecom") { list(pid[14]) { types.xtn($0, use: .work) } }
        update.language = types.into("Patient.communication") { change(pid[15]) { types.cwe($0[1]) } }
        update.maritalStatus = types.into("Patient.maritalStatus") {
            change(pid[16]) { types.cwe($0[1], table: "0002") }
        }
        update.deceasedAt = types.into("Patient.deceased") { change(pid[29]) { types.dateTime($0.timestamp) } }
        update.isDeceased = types.into("Patient.deceased") {
            change(pid[30]) { field in
                types.table(field, "0136") { $0 == "Y" ? true : ($0 == "N" ? false : nil) }
            }
        }
        update.attributes = attributes(pid)
        return update
    }

    /// The visit number, PV1-19. Nil when the message has no PV1 or no number.
    func visitIdentifier(_ pv1: Segment?) -> Identifier? {
        guard let pv1 else { return nil }
        return types.cx(pv1[19][1], fallback: types.profile.visitSystem, kind: .visit)
    }

    /// What PV1 says of the visit; `status` is what the event says.
    func visitUpdate(_ pv1: Segment, _ pv2: Segment?, status: Visit.Status?, eventTime: UTCInstant?) -> VisitUpdate {
        let patientClass = types.into("Encounter.class") { types.key(pv1[2]) }
        let resolved = patientClass == "P" && status != .finished && status != .cancelled ? .planned : status
        var update = VisitUpdate(
            identifier: types.into("Encounter.identifier") { visitIdentifier(pv1) }, status: resolved,
            eventTime: eventTime)
        update.classCode = types.into("Encounter.class") {
            change(pv1[2]) { types.key($0).map(PatientSegments.encounterClass) }
        }
        update.location = types.into("Encounter.location") { change(pv1[3]) { location($0[1]) } }
        update.attending = types.into("Encounter.participant") { change(pv1[7]) { types.xcn($0[1]) } }
        update.referring = types.into("Encounter.participant") { change(pv1[8]) { types.xcn($0[1]) } }
        update.start = types.into("Encounter.period") { change(pv1[44]) { types.dateTime($0.timestamp) } }
        update.end = types.into("Encounter.period") { change(pv1[45]) { types.dateTime($0.timestamp) } }
        update.attributes = attributes(ofVisit: pv1, pv2)
        return update
    }

    // MARK: Details

    /// `""` removes, a value sets, an empty field is silent, or removes when the feed sends whole records.
    func change<Value>(_ field: Field, _ read: (Field) -> Value?) -> Change<Value> {
        let change = types.change(field, read)
        guard types.profile.isSnapshot, !field.isValued else { return change }
        return .clear
    }

    func list<Value>(_ field: Field, _ read: (Repetition) -> [Value]) -> Change<[Value]> {
        change(field) { field in
            let values = field.repetitions.flatMap { $0.isNull ? [] : read($0) }
            return values.isEmpty ? nil : values
        }
    }

    /// PID-13, and PID-40 from 2.7 on.
    private func homeTelecoms(_ pid: Segment) -> Change<[ContactPoint]> {
        let home = list(pid[13]) { types.xtn($0, use: .home) }
        let more = pid[40].repetitions.flatMap { types.xtn($0, use: .home) }
        if more.isEmpty { return home }
        if case .set(let points) = home { return .set(points + more) }
        return .set(more)
    }

    /// PID-11; the county of PID-12 (before 2.4) is that of the first address that names none.
    private func addresses(_ pid: Segment) -> Change<[PostalAddress]> {
        let change = list(pid[11]) { types.xad($0).map { [$0] } ?? [] }
        guard case .set(var addresses) = change, addresses[0].district == nil else { return change }
        addresses[0].district = types.trimmed(pid[12].text)
        return .set(addresses)
    }

    /// PL: point of care, room, bed, facility, building, floor, written out; else its description.
    func location(_ value: Repetition) -> String? {
        let parts = [1, 2, 3, 4, 7, 8].compactMap { types.trimmed(value[$0][1].text) }
        let description = types.trimmed(value[9].text)
        return parts.isEmpty ? description : parts.joined(separator: ", ")
    }

    /// PL.6, of table 0305.
    func locationType(_ value: Repetition) -> CodedConcept? {
        types.key(value[6]).map { code in
            CodedConcept(codings: [.init(system: "http://terminology.hl7.org/CodeSystem/v2-0305", code: code)])
        }
    }

    /// Table 0004 to the act codes of v3; what has none stays a code of the table.
    private static func encounterClass(_ code: String) -> CodedConcept.Coding {
        let act: [String: (String, String)] = [
            "E": ("EMER", "emergency"), "I": ("IMP", "inpatient encounter"), "O": ("AMB", "ambulatory"),
            "P": ("PRENC", "pre-admission"),
        ]
        if let (mapped, display) = act[code] {
            return CodedConcept.Coding(
                system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: mapped, display: display)
        }
        return CodedConcept.Coding(system: "http://terminology.hl7.org/CodeSystem/v2-0004", code: code)
    }
}

extension Message {
    /// When the event happened at its source: EVN-6, else EVN-2, else MSH-7.
    func eventTime(_ types: DataTypes) -> UTCInstant? {
        let evn = self["EVN"]
        _ = evn?[1].text
        let stamps = [evn?[6].timestamp, evn?[2].timestamp, segments.first?[7].timestamp]
        return stamps.lazy.compactMap { types.instant($0) }.first
    }
}
