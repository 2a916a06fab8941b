/// One access or refusal, as kept in the append-only audit trail.
///
/// Holds identifiers, never clinical values; a query is kept whole because an auditor needs it, so the trail
/// is protected like the data itself. *Spec:* IHE BALP 1.1 AuditEvent patterns; DICOM PS3.15 §A.5.
package struct AuditRecord: Sendable, Hashable {
    /// What kind of thing happened.
    package enum Category: String, Sendable, Hashable {
        case rest, transfer, query, export, message, authentication, security, application
    }
    /// AuditEvent.action.
    package enum Action: String, Sendable, Hashable {
        case create = "C"
        case read = "R"
        case update = "U"
        case delete = "D"
        case execute = "E"
    }
    /// AuditEvent.outcome: 0 success, 4 refused or bad request, 8 failure of ours, 12 the service is down.
    package enum Outcome: Int, Sendable, Hashable {
        case success = 0
        case minorFailure = 4
        case seriousFailure = 8
        case majorFailure = 12
    }

    package var category: Category
    /// The interaction or service: `read`, `search-type`, `C-STORE`, `ADT^A04`, `token`.
    package var interaction: String
    package var action: Action
    package var outcome: Outcome
    package var principal: Principal
    package var sourceAddress: String?
    package var requestID: String
    package var tokenID: String?
    /// `Type/id` or `Type/id/_history/version`, `study:<uid>`, `message:<control id>`.
    package var entity: String?
    /// The logical id of the patient concerned, where known. Of what names none, such as a study's UID, the store finds it
    /// when it keeps the row: as things stand then.
    package var patientID: String?
    /// Further patients of the row, at most ``otherPatientsMax``: of a study whose series are of several, or of a number
    /// that several have.
    package var otherPatientIDs: [String] = []
    /// The query string or encoded query keys.
    package var query: String?
    /// A short reason code for a refusal or failure.
    package var detail: String?
    /// Whether the row stands for all that the same caller reads like it in one sitting: see ``SittingLedger``. Not kept.
    package var coversSitting = false

    package static let otherPatientsMax = 15
    /// The interaction by which somebody opens a patient in an emergency. HL7 v3 ActReason BTG.
    package static let breakGlass = "break-glass"

    /// Every patient of the row, each once.
    package var patientIDs: [String] { (patientID.map { [$0] } ?? []) + otherPatientIDs }

    /// Names the patients, the first as the row's own; what is past the limit is left out.
    package mutating func name(patients ids: [String]) {
        var seen: Set<String> = []
        let ids = ids.filter { seen.insert($0).inserted }
        patientID = ids.first
        otherPatientIDs = Array(ids.dropFirst().prefix(Self.otherPatientsMax))
    }

    package init(
        category: Category, interaction: String, action: Action, outcome: Outcome, access: AccessContext,
        entity: String? = nil, patientID: String? = nil, query: String? = nil, detail: String? = nil
    ) {
        self.init(
            category: category, interaction: interaction, action: action, outcome: outcome,
            principal: access.principal, sourceAddress: access.sourceAddress, requestID: access.requestID,
            tokenID: access.tokenID, entity: entity, patientID: patientID, query: query, detail: detail)
    }

    /// As it was kept.
    package init(
        category: Category, interaction: String, action: Action, outcome: Outcome, principal: Principal,
        sourceAddress: String?, requestID: String, tokenID: String?, entity: String?, patientID: String?,
        query: String?, detail: String?
    ) {
        self.category = category
        self.interaction = interaction
        self.action = action
        self.outcome = outcome
        self.principal = principal
        self.sourceAddress = sourceAddress
        self.requestID = requestID
        self.tokenID = tokenID
        self.entity = entity
        self.patientID = patientID
        self.query = query
        self.detail = detail
    }
}

/// One row of the audit trail, as it is read.
package struct AuditRow: Sendable, Hashable {
    /// From 1, without gaps.
    package let number: Int64
    /// Microseconds since 1970 UTC; never earlier than that of the row before.
    package let time: Int64
    package let record: AuditRecord

    package init(number: Int64, time: Int64, record: AuditRecord) {
        self.number = number
        self.time = time
        self.record = record
    }
}

/// The port to the audit trail.
package protocol AuditTrail: Sendable {
    /// Returns when the row is durable. Throws when it cannot be kept; the caller then refuses the access (fail closed).
    func record(_ record: AuditRecord) async throws
    /// The same for a caller that does not suspend: called once, on any thread, with whether the row is durable. Must
    /// return soon.
    func record(_ record: AuditRecord, completion: @escaping @Sendable (_ isKept: Bool) -> Void)
}

extension AuditTrail {
    package func record(_ record: AuditRecord, completion: @escaping @Sendable (_ isKept: Bool) -> Void) {
        Task { completion((try? await self.record(record)) != nil) }
    }
}
