/// An order for an imaging procedure, with the steps the department planned for it.
package struct ImagingOrder: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable {
        case draft, active, onHold, revoked, completed, enteredInError, unknown
        /// No later event but a correction may leave it.
        package var isTerminal: Bool { self == .revoked || self == .completed || self == .enteredInError }
    }
    package enum Priority: String, Sendable, Hashable, Codable { case routine, urgent, asap, stat }

    package var id: EntityID
    package var patientID: EntityID
    package var visitID: EntityID?
    /// The visit number that the order names (PV1-19), whether or not the visit is known.
    package var visitNumber: Identifier?
    /// What the order says of a visit that it does not number: its own, and of no resource. Nil for nothing.
    package var toldVisit: Visit?
    package var placer: Identifier?
    package var filler: Identifier?
    package var accession: Identifier?
    /// The group of orders placed together (ORC-4).
    package var requisition: Identifier?
    package var requestedProcedureID: String?
    package var studyInstanceUID: String?
    package var status: Status
    package var statusReason: CodedConcept?
    package var priority: Priority?
    /// What was asked for (OBR-4).
    package var code: CodedConcept
    /// The DICOM modality, where known.
    package var modality: String?
    package var reasons: [CodedConcept]
    package var requester: PartyReference?
    package var orderedAt: PartialDateTime?
    package var scheduledAt: PartialDateTime?
    package var clinicalInformation: String?
    package var notes: [String]
    package var steps: [ScheduledProcedureStep]
    /// When the newest applied event happened at its source.
    package var eventTime: UTCInstant?
    /// By the names of ``Attribute``. Nil in what was stored before there were any.
    package var attributes: Attributes?
    /// What the order tells of the patient: measurements, diagnoses, allergies.
    package var statements: [ClinicalStatement]?

    /// The names of attributes.
    package enum Attribute {
        package static let performers = "performers"
        package static let orderDetails = "orderDetails"
        package static let bodySites = "bodySites"
        package static let transport = "transport"
        package static let alerts = "alerts"
    }

    package init(
        id: EntityID, patientID: EntityID, visitID: EntityID? = nil, placer: Identifier? = nil,
        filler: Identifier? = nil,
        accession: Identifier? = nil, requisition: Identifier? = nil, requestedProcedureID: String? = nil,
        studyInstanceUID: String? = nil, status: Status, statusReason: CodedConcept? = nil, priority: Priority? = nil,
        code: CodedConcept, modality: String? = nil, reasons: [CodedConcept] = [], requester: PartyReference? = nil,
        orderedAt: PartialDateTime? = nil, scheduledAt: PartialDateTime? = nil, clinicalInformation: String? = nil,
        notes: [String] = [], steps: [ScheduledProcedureStep] = [], eventTime: UTCInstant? = nil
    ) {
        self.id = id
        self.patientID = patientID
        self.visitID = visitID
        self.placer = placer
        self.filler = filler
        self.accession = accession
        self.requisition = requisition
        self.requestedProcedureID = requestedProcedureID
        self.studyInstanceUID = studyInstanceUID
        self.status = status
        self.statusReason = statusReason
        self.priority = priority
        self.code = code
        self.modality = modality
        self.reasons = reasons
        self.requester = requester
        self.orderedAt = orderedAt
        self.scheduledAt = scheduledAt
        self.clinicalInformation = clinicalInformation
        self.notes = notes
        self.steps = steps
        self.eventTime = eventTime
    }
}

/// One entry of the modality worklist. PS3.4 §K.6.1.
package struct ScheduledProcedureStep: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable {
        case scheduled = "SCHEDULED"
        case inProgress = "IN PROGRESS"
        case completed = "COMPLETED"
        case canceled = "CANCELED"
        case discontinued = "DISCONTINUED"
        /// On hold: kept, not offered to modalities.
        case held = "ON HOLD"
        /// Whether a modality is shown the step.
        package var isOnWorklist: Bool { self == .scheduled || self == .inProgress }
        /// Whether work on the step may still come.
        package var isOpen: Bool { isOnWorklist || self == .held }
    }
    /// Also the logical id of its FHIR Task.
    package var id: EntityID
    /// As its sender names it, unique within the order's filler; modalities are shown ``worklistID``.
    package var stepID: String
    package var modality: String?
    package var stationAETitle: String?
    package var stationName: String?
    package var location: String?
    package var scheduledStart: PartialDateTime?
    package var description: String?
    package var protocolCode: CodedConcept.Coding?
    package var performingPhysician: HumanName?
    package var status: Status
    package init(
        id: EntityID, stepID: String, modality: String? = nil, stationAETitle: String? = nil,
        stationName: String? = nil,
        location: String? = nil, scheduledStart: PartialDateTime? = nil, description: String? = nil,
        protocolCode: CodedConcept.Coding? = nil, performingPhysician: HumanName? = nil, status: Status = .scheduled
    ) {
        self.id = id
        self.stepID = stepID
        self.modality = modality
        self.stationAETitle = stationAETitle
        self.stationName = stationName
        self.location = location
        self.scheduledStart = scheduledStart
        self.description = description
        self.protocolCode = protocolCode
        self.performingPhysician = performingPhysician
        self.status = status
    }
}

/// What one order message or request says, in domain terms.
package struct OrderUpdate: Sendable, Hashable, Codable {
    /// The legal things a placer or filler may ask.
    package enum Control: String, Sendable, Hashable, Codable {
        case new, change, cancel, discontinue, statusChanged, hold, release
        /// A result names the order in passing.
        case mentioned
    }
    /// What tells a group of a message from another one with the same numbers.
    package enum Distinction: String, Sendable, Hashable, Codable { case accession, study, code }
    package var control: Control
    /// Nil where the message names no patient: then the order's numbers do.
    package var patient: PatientUpdate?
    package var visit: Identifier?
    /// What it says of a visit without a number.
    package var unnumberedVisit: VisitUpdate?
    /// The very order, where the server itself tells of one: its numbers may be those of others too. Nil in messages.
    package var orderID: EntityID?
    package var placer: Identifier?
    package var filler: Identifier?
    package var accession: Identifier?
    package var requisition: Change<Identifier> = .keep
    package var requestedProcedureID: String?
    /// Set where other groups of the same message have the same placer, filler and procedure numbers.
    package var distinction: Distinction?
    /// From IPC-3, else ZDS-1, else OBX 113014; nil when the message names none.
    package var studyInstanceUID: String?
    /// The status the sender states (ORC-5), if any.
    package var status: ImagingOrder.Status?
    /// The worklist state that the site's table gives for this control and status; nil leaves the steps alone.
    package var stepStatus: ScheduledProcedureStep.Status?
    package var statusReason: Change<CodedConcept> = .keep
    package var priority: Change<ImagingOrder.Priority> = .keep
    /// Nil when the message carries no OBR (a cancel by ORC alone).
    package var code: CodedConcept?
    package var modality: String?
    package var reasons: Change<[CodedConcept]> = .keep
    package var requester: Change<PartyReference> = .keep
    package var orderedAt: PartialDateTime?
    package var scheduledAt: Change<PartialDateTime> = .keep
    package var clinicalInformation: Change<String> = .keep
    package var notes: Change<[String]> = .keep
    package var steps: [StepUpdate] = []
    /// By the names of ``ImagingOrder/Attribute``; nil for none.
    package var attributes: [String: Change<AttributeValue>]?
    /// What it tells of the patient beside the order; nil for nothing.
    package var statements: [StatementUpdate]?
    /// When it happened at its source (ORC-9).
    package var eventTime: UTCInstant?
    /// When the message was made (MSH-7): decides between events of the same time.
    package var messageTime: UTCInstant?

    /// What the message says of one step.
    package struct StepUpdate: Sendable, Hashable, Codable {
        /// Nil: the order's only step.
        package var stepID: String?
        package var modality: Change<String> = .keep
        package var stationAETitle: Change<String> = .keep
        package var stationName: Change<String> = .keep
        package var location: Change<String> = .keep
        package var scheduledStart: Change<PartialDateTime> = .keep
        package var description: Change<String> = .keep
        package var protocolCode: Change<CodedConcept.Coding> = .keep
        package var performingPhysician: Change<HumanName> = .keep
        package init() {}
    }
    package init(control: Control, patient: PatientUpdate?) {
        self.control = control
        self.patient = patient
    }
}
