import HL7v2
import Workflow

/// A patient as PID, PD1, NK1 and MRG, and a visit as PV1: the way back of `PatientSegments`. HL7 v2.5.1 §3.4.
struct PatientDraft {
    let types: WireTypes

    /// The patient's own segments in the order in which every message has them.
    func segments(_ patient: Patient) -> [SegmentDraft] {
        [pid(patient)] + [pd1(patient)].compactMap { $0 } + nk1(patient)
    }

    func pid(_ patient: Patient) -> SegmentDraft {
        typealias Name = Patient.Attribute
        let attributes = patient.attributes ?? [:]
        var pid = SegmentDraft("PID")
        pid[1] = FieldDraft(.key("1"))
        pid[3] = numbers(patient.identifiers.filter(\.isCurrent))
        pid[5] = FieldDraft(patient.names.map(types.xpn))
        pid[6] = names(attributes[Name.mothersMaidenName])
        let birth = attributes.dateTime(Name.birthTime) ?? patient.birthDate
        pid[7] = FieldDraft(types.ts(birth))
        pid[8] = FieldDraft(.key(patient.sex.map(WireTypes.code)))
        pid[9] = FieldDraft(patient.aliases.map(types.xpn))
        pid[11] = FieldDraft(patient.addresses.map(types.xad))
        let telecoms = patient.telecomsByField
        pid[13] = FieldDraft(telecoms.home.compactMap(types.xtn))
        pid[14] = FieldDraft(telecoms.work.compactMap(types.xtn))
        pid[15] = types.cwe(patient.language)
        pid[16] = types.cwe(patient.maritalStatus)
        pid[18] = account(attributes, .account)
        pid[19] = FieldDraft(.key(further(attributes, .socialSecurity)?.value))
        pid[20] = licence(attributes)
        pid[23] = FieldDraft(.text(attributes.text(Name.birthPlace)))
        if case .flag(let isMultiple)? = attributes[Name.isMultipleBirth] {
            pid[24] = FieldDraft(.key(isMultiple ? "Y" : "N"))
        }
        if case .number(let order)? = attributes[Name.birthOrder] { pid[25] = FieldDraft(.key(String(order))) }
        pid[29] = FieldDraft(types.ts(patient.deceasedAt))
        pid[30] = FieldDraft(.key(patient.isDeceased.map { $0 ? "Y" : "N" }))
        for (field, name) in [
            (10, Name.race), (17, Name.religion), (22, Name.ethnicity), (26, Name.citizenship), (28, Name.nationality),
            (35, Name.species), (36, Name.breed), (39, Name.tribes),
        ] { pid[field] = types.cwe(attributes.concepts(name)) }
        return pid
    }

    /// The numbers by which a merged record was known. §3.4.9.
    func mrg(_ retired: Patient) -> SegmentDraft {
        var mrg = SegmentDraft("MRG")
        mrg[1] = numbers(retired.identifiers)
        mrg[7] = FieldDraft(retired.names.prefix(1).map(types.xpn))
        return mrg
    }

    private func numbers(_ identifiers: [Identifier]) -> FieldDraft {
        FieldDraft(
            identifiers.map { identifier in
                // What has no giver but its type names none.
                let fallback =
                    identifier.system.hasPrefix("urn:hilum:identifier:")
                    ? identifier.system : types.profile.authorities.defaultPatientSystem
                return types.cx(identifier, default: fallback)
            })
    }

    private func names(_ value: AttributeValue?) -> FieldDraft {
        if case .names(let names)? = value { return FieldDraft(names.map(types.xpn)) }
        return FieldDraft()
    }

    // MARK: Numbers that do not identify

    private func further(_ attributes: Attributes, _ kind: Identifier.Kind) -> Identifier? {
        attributes.identifiers(Patient.Attribute.furtherIdentifiers).first { $0.kind == kind }
    }

    private func account(_ attributes: Attributes, _ kind: Identifier.Kind) -> FieldDraft {
        guard var account = further(attributes, kind) else { return FieldDraft() }
        // The field says what it is.
        account.kind = nil
        return FieldDraft([types.cx(account, default: "urn:hilum:account")])
    }

    private func licence(_ attributes: Attributes) -> FieldDraft {
        guard let licence = further(attributes, .driversLicence) else { return FieldDraft() }
        let prefix = "urn:hilum:drivers-licence:"
        let issuer = licence.system.hasPrefix(prefix) ? String(licence.system.dropFirst(prefix.count)) : nil
        return FieldDraft(components: [.key(licence.value), .key(issuer)])
    }

    // MARK: Beside the patient

    func pd1(_ patient: Patient) -> SegmentDraft? {
        typealias Name = Patient.Attribute
        let attributes = patient.attributes ?? [:]
        var pd1 = SegmentDraft("PD1")
        pd1[3] = FieldDraft(attributes.parties(Name.organizations).map(types.xon))
        pd1[4] = types.xcn(attributes.parties(Name.practitioners))
        pd1[6] = types.cwe(attributes.concepts(Name.disability))
        pd1[14] = FieldDraft(.text(attributes.text(Name.congregation)))
        return pd1.isEmpty ? nil : pd1
    }

    func nk1(_ patient: Patient) -> [SegmentDraft] {
        guard case .contacts(let contacts)? = patient.attributes?[Patient.Attribute.contacts] else { return [] }
        return contacts.enumerated().map { index, contact in
            var nk1 = SegmentDraft("NK1")
            nk1[1] = FieldDraft(.key(String(index + 1)))
            nk1[2] = FieldDraft(contact.names.map(types.xpn))
            nk1[3] = types.cwe(contact.relationships.first)
            nk1[4] = FieldDraft(contact.addresses.map(types.xad))
            nk1[5] = FieldDraft(contact.telecoms.filter { $0.use != .work }.compactMap(types.xtn))
            nk1[6] = FieldDraft(contact.telecoms.filter { $0.use == .work }.compactMap(types.xtn))
            nk1[7] = types.cwe(contact.relationships.dropFirst().first)
            nk1[8] = FieldDraft(types.ts(contact.start))
            nk1[9] = FieldDraft(types.ts(contact.end))
            nk1[13] = FieldDraft(.text(contact.organization))
            nk1[15] = FieldDraft(.key(contact.sex.map(WireTypes.code)))
            return nk1
        }
    }

    // MARK: The visit

    /// PV1 of the visit that an order or report belongs to; class `N` (not applicable) where there is none but the
    /// structure wants the segment.
    func pv1(_ visit: Visit?, number: Identifier?) -> SegmentDraft? {
        guard visit != nil || number != nil else { return nil }
        var pv1 = SegmentDraft("PV1")
        pv1[1] = FieldDraft(.key("1"))
        pv1[2] = FieldDraft(.key(WireTypes.patientClass(visit?.classCode) ?? "U"))
        if let location = visit?.location {
            // Only its words are known, not what each of them names.
            var place = RepetitionDraft()
            place[9] = ComponentDraft([.text(location)])
            pv1[3] = FieldDraft([place])
        }
        pv1[7] = types.xcn([visit?.attending].compactMap { $0 })
        pv1[8] = types.xcn([visit?.referring].compactMap { $0 })
        if let identifier = number ?? visit?.identifier {
            pv1[19] = FieldDraft([types.cx(identifier, default: types.profile.visitSystem)])
        }
        pv1[44] = FieldDraft(types.ts(visit?.start))
        pv1[45] = FieldDraft(types.ts(visit?.end))
        return pv1
    }
}
