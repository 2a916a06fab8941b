/// A person registered with the hospital.
package struct Patient: Sendable, Hashable, Codable {
    package enum Sex: String, Sendable, Hashable, Codable { case male, female, other, unknown }

    package var id: EntityID
    /// At least one; those of a merged-away patient stay as not current.
    package var identifiers: [Identifier]
    package var names: [HumanName]
    /// A date, at any precision.
    package var birthDate: PartialDateTime?
    package var sex: Sex?
    package var addresses: [PostalAddress]
    package var telecoms: [ContactPoint]
    package var maritalStatus: CodedConcept?
    /// BCP 47 or the sender's code.
    package var language: CodedConcept?
    package var isDeceased: Bool?
    package var deceasedAt: PartialDateTime?
    package var isActive: Bool
    /// The survivor of the merge that retired this patient.
    package var mergedInto: EntityID?
    /// When the newest applied event happened at its source; decides what is stale.
    package var eventTime: UTCInstant?

    package init(
        id: EntityID, identifiers: [Identifier], names: [HumanName] = [], birthDate: PartialDateTime? = nil,
        sex: Sex? = nil,
        addresses: [PostalAddress] = [], telecoms: [ContactPoint] = [], maritalStatus: CodedConcept? = nil,
        language: CodedConcept? = nil, isDeceased: Bool? = nil, deceasedAt: PartialDateTime? = nil,
        isActive: Bool = true,
        mergedInto: EntityID? = nil, eventTime: UTCInstant? = nil
    ) {
        self.id = id
        self.identifiers = identifiers
        self.names = names
        self.birthDate = birthDate
        self.sex = sex
        self.addresses = addresses
        self.telecoms = telecoms
        self.maritalStatus = maritalStatus
        self.language = language
        self.isDeceased = isDeceased
        self.deceasedAt = deceasedAt
        self.isActive = isActive
        self.mergedInto = mergedInto
        self.eventTime = eventTime
    }
}

/// What one registration or update event says about a patient.
package struct PatientUpdate: Sendable, Hashable {
    /// The identifiers by which the patient is found, most trusted first; all are added to the record.
    package var identifiers: [Identifier]
    package var names: Change<[HumanName]> = .keep
    package var birthDate: Change<PartialDateTime> = .keep
    package var sex: Change<Patient.Sex> = .keep
    package var addresses: Change<[PostalAddress]> = .keep
    package var telecoms: Change<[ContactPoint]> = .keep
    package var maritalStatus: Change<CodedConcept> = .keep
    package var language: Change<CodedConcept> = .keep
    package var isDeceased: Change<Bool> = .keep
    package var deceasedAt: Change<PartialDateTime> = .keep
    /// When it happened at the source; an older event than the record's changes nothing but missing identifiers.
    package var eventTime: UTCInstant?
    package init(identifiers: [Identifier], eventTime: UTCInstant? = nil) {
        self.identifiers = identifiers
        self.eventTime = eventTime
    }
}

/// A stay or appointment of a patient at the hospital.
package struct Visit: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable { case planned, arrived, inProgress, finished, cancelled }
    package var id: EntityID
    package var patientID: EntityID
    /// PV1-19; nil when the sender does not number visits (then one open visit a patient).
    package var identifier: Identifier?
    package var status: Status
    /// The code of HL7 table 0004 or v3 ActCode.
    package var classCode: CodedConcept.Coding?
    package var location: String?
    package var attending: PartyReference?
    package var referring: PartyReference?
    package var start: PartialDateTime?
    package var end: PartialDateTime?
    package var eventTime: UTCInstant?
    package init(
        id: EntityID, patientID: EntityID, identifier: Identifier?, status: Status,
        classCode: CodedConcept.Coding? = nil,
        location: String? = nil, attending: PartyReference? = nil, referring: PartyReference? = nil,
        start: PartialDateTime? = nil, end: PartialDateTime? = nil, eventTime: UTCInstant? = nil
    ) {
        self.id = id
        self.patientID = patientID
        self.identifier = identifier
        self.status = status
        self.classCode = classCode
        self.location = location
        self.attending = attending
        self.referring = referring
        self.start = start
        self.end = end
        self.eventTime = eventTime
    }
}

/// What one event says about a visit.
package struct VisitUpdate: Sendable, Hashable {
    package var identifier: Identifier?
    package var status: Visit.Status?
    package var classCode: CodedConcept.Coding?
    package var location: Change<String> = .keep
    package var attending: Change<PartyReference> = .keep
    package var referring: Change<PartyReference> = .keep
    package var start: Change<PartialDateTime> = .keep
    package var end: Change<PartialDateTime> = .keep
    package var eventTime: UTCInstant?
    package init(identifier: Identifier?, status: Visit.Status?, eventTime: UTCInstant?) {
        self.identifier = identifier
        self.status = status
        self.eventTime = eventTime
    }
}
