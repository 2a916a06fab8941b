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
    /// When each value was last stated.
    package var stated: StatedTimes?
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
    package var classCode: Change<CodedConcept.Coding> = .keep
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
