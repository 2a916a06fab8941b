/// A stay or appointment of a patient at the hospital.
package struct Visit: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable {
        case planned, arrived, inProgress, finished, cancelled
        /// Mentioned by an order or result, or by an update that says nothing of its state.
        case unknown
        /// Neither over nor called off.
        package var isOpen: Bool { self != .finished && self != .cancelled }
    }
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
    /// By the names of ``Attribute``. Nil in what was stored before there were any.
    package var attributes: Attributes?

    /// The names of attributes.
    package enum Attribute {
        package static let furtherIdentifiers = "furtherIdentifiers"
        package static let preAdmissionIdentifier = "preAdmissionIdentifier"
        package static let episodes = "episodes"
        package static let types = "types"
        package static let serviceType = "serviceType"
        package static let priority = "priority"
        package static let reasons = "reasons"
        package static let consultants = "consultants"
        package static let admitters = "admitters"
        package static let others = "others"
        /// Who entered the newest event.
        package static let enterers = "enterers"
        /// Of attending and referring, those after the first.
        package static let furtherAttending = "furtherAttending"
        package static let furtherReferring = "furtherReferring"
        package static let serviceProvider = "serviceProvider"
        /// What kind of place each location is (table 0305).
        package static let locationType = "locationType"
        package static let priorLocationType = "priorLocationType"
        package static let temporaryLocationType = "temporaryLocationType"
        package static let pendingLocationType = "pendingLocationType"
        package static let priorLocation = "priorLocation"
        package static let temporaryLocation = "temporaryLocation"
        package static let pendingLocation = "pendingLocation"
        package static let admitSource = "admitSource"
        package static let reAdmission = "reAdmission"
        package static let specialArrangements = "specialArrangements"
        package static let specialCourtesy = "specialCourtesy"
        package static let diet = "diet"
        package static let dischargeDisposition = "dischargeDisposition"
        package static let destination = "destination"
    }
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
package struct VisitUpdate: Sendable, Hashable, Codable {
    package var identifier: Identifier?
    package var status: Visit.Status?
    package var classCode: Change<CodedConcept.Coding> = .keep
    package var location: Change<String> = .keep
    package var attending: Change<PartyReference> = .keep
    package var referring: Change<PartyReference> = .keep
    package var start: Change<PartialDateTime> = .keep
    package var end: Change<PartialDateTime> = .keep
    package var attributes: [String: Change<AttributeValue>] = [:]
    package var eventTime: UTCInstant?
    package init(identifier: Identifier?, status: Visit.Status?, eventTime: UTCInstant?) {
        self.identifier = identifier
        self.status = status
        self.eventTime = eventTime
    }
}
