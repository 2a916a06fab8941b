import Basics

/// A report on one or more studies, with its measured or coded findings.
package struct Report: Sendable, Hashable, Codable {
    /// In the order in which a report grows; a later message may not go down this list.
    package enum Status: String, Sendable, Hashable, Codable {
        case registered, partial, preliminary, final, amended, corrected, appended, cancelled, enteredInError
        /// 0 for the least advanced. Amended, corrected and appended are equal.
        package var rank: Int {
            switch self {
            case .registered: 0
            case .partial: 1
            case .preliminary: 2
            case .final: 3
            case .amended, .corrected, .appended: 4
            case .cancelled, .enteredInError: 5
            }
        }
    }
    package var id: EntityID
    package var patientID: EntityID
    package var visitID: EntityID?
    /// The visit number that the result names, whether or not the visit is known.
    package var visitNumber: Identifier?
    package var orderID: EntityID?
    /// Further orders that it reports on: the other procedures of its placer order.
    package var otherOrderIDs: [EntityID] {
        get { furtherOrderIDs ?? [] }
        set { furtherOrderIDs = newValue.isEmpty ? nil : newValue }
    }
    /// All orders that it reports on.
    package var orderIDs: [EntityID] { [orderID].compactMap { $0 } + otherOrderIDs }
    package var studyInstanceUIDs: [String]
    package var placer: Identifier?
    package var filler: Identifier?
    package var status: Status
    package var code: CodedConcept
    /// HL7 table 0074.
    package var category: CodedConcept?
    package var effective: PartialDateTime?
    package var issued: UTCInstant?
    package var interpreters: [PartyReference]
    package var conclusion: String?
    package var presentedForms: [PresentedForm]
    package var observations: [Observation]
    /// `performers`: technician and transcriptionist. Nil in what was stored before there were any.
    package var attributes: Attributes?
    /// A state that a message gave the report, and when.
    package struct State: Sendable, Hashable, Codable {
        package var status: Status
        package var issued: UTCInstant

        /// How far on it is: of one rank the newer issue is further, and a withdrawal is behind all content.
        var reach: (Int, Int64) {
            let isWithdrawal = status == .cancelled || status == .enteredInError
            return (isWithdrawal ? -1 : status.rank, issued.microseconds)
        }

        /// Whether this withdrawal is the last word on content: of one time, only a correction follows it.
        func stands(before content: State) -> Bool {
            issued == content.issued ? content.status.rank < Status.corrected.rank : issued > content.issued
        }
    }
    /// The furthest state of its content.
    package var contentState: State?
    /// The furthest state that had words: text or findings. Nil for none, and in what an earlier version kept.
    package var wordsState: State?
    /// The newest withdrawal.
    package var withdrawal: State?
    /// Nil for none: a report of an earlier version has no such member.
    private var furtherOrderIDs: [EntityID]?

    package init(
        id: EntityID, patientID: EntityID, visitID: EntityID? = nil, orderID: EntityID? = nil,
        studyInstanceUIDs: [String] = [],
        placer: Identifier? = nil, filler: Identifier? = nil, status: Status, code: CodedConcept,
        category: CodedConcept? = nil,
        effective: PartialDateTime? = nil, issued: UTCInstant? = nil, interpreters: [PartyReference] = [],
        conclusion: String? = nil, presentedForms: [PresentedForm] = [], observations: [Observation] = []
    ) {
        self.id = id
        self.patientID = patientID
        self.visitID = visitID
        self.orderID = orderID
        self.studyInstanceUIDs = studyInstanceUIDs
        self.placer = placer
        self.filler = filler
        self.status = status
        self.code = code
        self.category = category
        self.effective = effective
        self.issued = issued
        self.interpreters = interpreters
        self.conclusion = conclusion
        self.presentedForms = presentedForms
        self.observations = observations
    }
}

extension Report {
    /// Whether it says anything.
    var hasWords: Bool { conclusion != nil || !presentedForms.isEmpty || !observations.isEmpty }

    /// The studies that it is about and that are here: those that it names, and those of its orders; of its patient alone.
    package func studies(in unit: any UnitOfWork) throws -> [Study] {
        var found = try studyInstanceUIDs.compactMap { try unit.study($0) }
        for orderID in orderIDs { found += try unit.studies(ofOrder: orderID) }
        var seen: Set<EntityID> = []
        return found.filter { $0.reconciliation.patientID == patientID && seen.insert($0.id).inserted }
    }

    /// The studies that it is about and that lie in archives alone, as for ``studies(in:)``.
    package func remoteStudies(in unit: any UnitOfWork) throws -> [RemoteStudy] {
        var found = try studyInstanceUIDs.compactMap { try unit.remoteStudy($0) }
        for orderID in orderIDs { found += try unit.remoteStudies(.ofOrder(orderID)) }
        var seen: Set<EntityID> = []
        return try found.filter { study in
            try study.reconciliation.patientID == patientID && seen.insert(study.id).inserted
                && !RemoteMatches().isHeld(study.studyInstanceUID, in: unit)
        }
    }

    /// Of a report that an earlier version kept: the one state it had, when it was issued.
    func legacyContentState(_ unit: any UnitOfWork) -> State? {
        guard withdrawal == nil, status != .cancelled, status != .enteredInError else { return nil }
        return State(status: status, issued: unit.comparable(issued) ?? .distantPast)
    }
    func legacyWithdrawal(_ unit: any UnitOfWork) -> State? {
        guard contentState == nil, status == .cancelled || status == .enteredInError else { return nil }
        return State(status: status, issued: unit.comparable(issued) ?? .distantPast)
    }
}

/// The report as a person reads it.
package struct PresentedForm: Sendable, Hashable, Codable {
    /// A MIME type, for example `text/plain; charset=utf-8` or `application/pdf`.
    package var contentType: String
    package var data: [UInt8]
    package var title: String?
    package init(contentType: String, data: [UInt8], title: String? = nil) {
        self.contentType = contentType
        self.data = data
        self.title = title
    }

    private enum CodingKeys: String, CodingKey { case contentType, data, title }

    /// Coded with the bytes as base 64: an array of numbers would be four times as long.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        contentType = try container.decode(String.self, forKey: .contentType)
        title = try container.decodeIfPresent(String.self, forKey: .title)
        guard let bytes = Base64.decode(try container.decode(String.self, forKey: .data).utf8) else {
            throw DecodingError.dataCorruptedError(forKey: .data, in: container, debugDescription: "not base 64")
        }
        data = bytes
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(contentType, forKey: .contentType)
        try container.encode(Base64.encode(data), forKey: .data)
        try container.encodeIfPresent(title, forKey: .title)
    }
}

/// One finding of a report.
package struct Observation: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable {
        case registered, preliminary, final, amended, corrected, cancelled, enteredInError, unknown
    }
    package enum Value: Sendable, Hashable, Codable {
        /// A number as its text, so that `1.10` stays; comparator `<`, `<=`, `>`, `>=` or nil; unit as sent and its system.
        case quantity(value: String, comparator: String?, unit: String?, unitSystem: String?)
        case text(String)
        case concept(CodedConcept)
        case dateTime(PartialDateTime)
        case time(String)
        /// Low and high as number texts; the unit is that of both.
        case range(low: String?, high: String?, unit: String?, unitSystem: String? = nil)
        /// The unit is that of the numerator.
        case ratio(numerator: String, denominator: String, unit: String? = nil, unitSystem: String? = nil)
        /// No value; the reason as a code of data-absent-reason.
        case absent(reason: String)
    }
    package var id: EntityID
    /// What tells the findings of one report apart: OBX-3 code and OBX-4 sub-id.
    package var key: String
    package var code: CodedConcept
    package var status: Status
    package var value: Value?
    package var referenceRange: String?
    package var interpretation: [CodedConcept]
    package var effective: PartialDateTime?
    package var notes: [String]
    /// By the names of ``ClinicalStatement/Name``. Nil in what was stored before there were any.
    package var attributes: Attributes?
    /// Whether the report shows it: not once its sender withdrew it, or left it out of a later state of the report.
    package var isShown: Bool { status != .enteredInError && status != .cancelled }
    package init(
        id: EntityID, key: String, code: CodedConcept, status: Status, value: Value?, referenceRange: String? = nil,
        interpretation: [CodedConcept] = [], effective: PartialDateTime? = nil, notes: [String] = []
    ) {
        self.id = id
        self.key = key
        self.code = code
        self.status = status
        self.value = value
        self.referenceRange = referenceRange
        self.interpretation = interpretation
        self.effective = effective
        self.notes = notes
    }
}

/// What one result message says.
package struct ReportUpdate: Sendable, Hashable {
    package var patient: PatientUpdate
    package var visit: Identifier?
    /// What the message says of the visit, beside its number.
    package var visitDetails: VisitUpdate?
    package var placer: Identifier?
    package var filler: Identifier?
    package var accession: Identifier?
    package var requestedProcedureID: String?
    package var studyInstanceUIDs: [String] = []
    package var status: Report.Status
    package var code: CodedConcept
    package var category: CodedConcept?
    package var effective: PartialDateTime?
    /// When this state of the report was issued (OBR-22); orders equal states.
    package var issued: UTCInstant?
    package var interpreters: [PartyReference] = []
    package var conclusion: String?
    package var presentedForms: [PresentedForm] = []
    /// Ids are given by the service.
    package var observations: [FindingUpdate] = []
    package var attributes: Attributes = [:]
    /// Who asked for what is reported, for an order that does not know.
    package var requester: PartyReference?
    /// False for a message that has neither text nor findings: it tells of the state alone.
    package var hasContent = true
    package var eventTime: UTCInstant?

    package struct FindingUpdate: Sendable, Hashable {
        package var key: String
        package var code: CodedConcept
        package var status: Observation.Status
        package var value: Observation.Value?
        package var referenceRange: String?
        package var interpretation: [CodedConcept] = []
        package var effective: PartialDateTime?
        package var notes: [String] = []
        package var attributes: Attributes = [:]
        package init(key: String, code: CodedConcept, status: Observation.Status, value: Observation.Value?) {
            self.key = key
            self.code = code
            self.status = status
            self.value = value
        }
    }
    package init(patient: PatientUpdate, status: Report.Status, code: CodedConcept) {
        self.patient = patient
        self.status = status
        self.code = code
    }
}
