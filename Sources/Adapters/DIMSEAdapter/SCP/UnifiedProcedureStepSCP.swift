import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// Unified Procedure Step: the workitems of this server, by its Push, Pull, Watch and Query classes. Who is subscribed is
/// told by ``WorkitemReportCourier``, on an association of its own that has a context of UPS Event while there is one.
/// PS3.4 Annex CC.
package struct UnifiedProcedureStepSCP: ServiceClassProvider {
    /// Bytes of attributes or of action information: those of a workitem, in whichever syntax.
    private static let attributesBytesMax = 2 << 20
    /// Action Type ID. PS3.4 Tables CC.2.1-1, CC.2.2-1, CC.2.3-1.
    private enum Action: UInt16 {
        case changeState = 1
        case requestCancellation = 2
        case subscribe = 3
        case unsubscribe = 4
        case suspend = 5
    }

    /// Who may look at workitems, make and do them.
    package let role = Peer.Role.ups
    let store: any WorkflowStore
    let matchesMax: Int
    private let entropy: any Entropy
    private let associations: ReportAssociations
    private let service = WorkitemService()

    /// - Parameters:
    ///   - associations: where those that ask here are noted, for reports.
    ///   - matchesMax: more matches are not sent; the query then ends with A700.
    package init(
        store: any WorkflowStore, entropy: any Entropy, associations: ReportAssociations, matchesMax: Int = 1000
    ) {
        self.store = store
        self.entropy = entropy
        self.associations = associations
        self.matchesMax = matchesMax
    }

    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        let support = SupportedAbstractSyntax(transferSyntaxes: TransferSyntax.ofIdentifiers)
        return Dictionary(
            uniqueKeysWithValues: [
                UID.unifiedProcedureStepPush, UID.unifiedProcedureStepPull, UID.unifiedProcedureStepWatch,
                UID.unifiedProcedureStepQuery, UID.unifiedProcedureStepEvent,
            ].map { ($0, support) })
    }

    package func associationEnds(_ association: AssociationInfo) async { associations.ended(association) }

    /// One C-FIND, N-CREATE, N-SET, N-GET or N-ACTION, of the class of its context. PS3.4 Tables CC.2-1 to CC.2-5.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        let message = request.message
        let context = request.context.abstractSyntax
        if message.field == .cFindRequest { return beginFind(request) }
        // Whatever was negotiated, a workitem is of the Push class; some name the negotiated one. PS3.4 §CC.3.1.1.
        guard message.sopClassUID == UID.unifiedProcedureStepPush || message.sopClassUID == context else {
            return FixedAnswer(status: .noSuchSOPClass)
        }
        switch (message.field, context) {
        case (.nCreateRequest, UID.unifiedProcedureStepPush):
            guard message.hasDataSet else { return FixedAnswer(status: .missingAttribute) }
            // Named by whoever asks, or here. PS3.7 §10.1.5.1.3.
            if let value = message.command[.affectedSOPInstanceUID], !value.isEmpty {
                guard let uid = message.sopInstanceUID, UID.isSafe(uid), !Self.isWellKnown(uid) else {
                    return FixedAnswer(status: .invalidSOPInstance)
                }
                return operation(request) { try await create($0, $1, uid, $2) }
            }
            return operation(request) { try await create($0, $1, entropy.newUID(), $2) }
        case (.nSetRequest, UID.unifiedProcedureStepPull):
            guard let uid = message.sopInstanceUID else { return FixedAnswer(status: WorkitemRefusal.unknown.status) }
            guard message.hasDataSet else { return FixedAnswer(status: .missingAttribute) }
            return operation(request) { try await set($0, $1, uid, $2) }
        case (.nGetRequest, UID.unifiedProcedureStepPush), (.nGetRequest, UID.unifiedProcedureStepPull),
            (.nGetRequest, UID.unifiedProcedureStepWatch):
            guard let uid = message.sopInstanceUID else { return FixedAnswer(status: WorkitemRefusal.unknown.status) }
            return CommandOperation(request) { try await get($0, uid, $1) }
        case (.nActionRequest, _): return beginAction(request, context)
        default: return FixedAnswer(status: .unrecognizedOperation)
        }
    }

    private func beginAction(_ request: DIMSERequest, _ context: String) -> any ServiceOperation {
        let message = request.message
        let offered: [Action]
        switch context {
        case UID.unifiedProcedureStepPush: offered = [.requestCancellation]
        case UID.unifiedProcedureStepPull: offered = [.changeState]
        case UID.unifiedProcedureStepWatch: offered = [.requestCancellation, .subscribe, .unsubscribe, .suspend]
        default: return FixedAnswer(status: .unrecognizedOperation)
        }
        guard let action = message.command.uint16(.actionTypeID).flatMap(Action.init(rawValue:)),
            offered.contains(action)
        else { return FixedAnswer(status: .noSuchAction) }
        guard let uid = message.sopInstanceUID else { return FixedAnswer(status: WorkitemRefusal.unknown.status) }
        if !message.hasDataSet {
            // Only of a request to cancel nothing more need be said.
            guard action == .requestCancellation else { return FixedAnswer(status: .invalidArgumentValue) }
            return CommandOperation(request) { request, responder in
                try await noted(request) { try await act($0, DataSet(), action, uid, responder) }
            }
        }
        return operation(request) { try await act($0, $1, action, uid, $2) }
    }

    /// Whether a UID stands for a subscription, and so is no workitem's.
    private static func isWellKnown(_ uid: String) -> Bool {
        uid == UID.worklistSubscription || uid == UID.filteredWorklistSubscription
    }

    /// One that changes something, and so may be reported on.
    private func operation(
        _ request: DIMSERequest,
        _ answer: @escaping @Sendable (DIMSERequest, DataSet, Responder) async throws -> Void
    ) -> any ServiceOperation {
        IdentifierOperation(request, bytesMax: Self.attributesBytesMax) { request, information, responder in
            try await noted(request) { try await answer($0, information, responder) }
        }
    }

    /// Notes the association, where it can carry reports, until it ends: they come behind the answer to this request.
    private func noted(
        _ request: DIMSERequest, _ body: (DIMSERequest) async throws -> Void
    ) async throws {
        guard let invoker = request.invoker,
            EventReporter.context(UID.unifiedProcedureStepEvent, of: invoker) != nil
        else { return try await body(request) }
        let answered = associations.asked(request.association, invoker)
        defer { answered.succeed() }
        try await body(request)
    }

    // MARK: Workitems

    private func create(
        _ request: DIMSERequest, _ attributes: DataSet, _ uid: String, _ responder: Responder
    ) async throws {
        let creator = request.association.callingAETitle.value
        let outcome = await write(request, "N-CREATE", .create, .create, uid) { unit in
            try service.create(attributes, as: uid, by: creator, in: unit)
        }
        try await answer(outcome, responder) { $0.set(.affectedSOPInstanceUID, uid: uid) }
    }

    private func set(
        _ request: DIMSERequest, _ changes: DataSet, _ uid: String, _ responder: Responder
    ) async throws {
        let transactionUID = changes.string(.transactionUID)
        let outcome = await write(request, "N-SET", .update, .update, uid) { unit -> WorkitemWarning? in
            try service.update(uid, with: changes, by: transactionUID, in: unit)
            return nil
        }
        try await answer(outcome, responder)
    }

    private func act(
        _ request: DIMSERequest, _ information: DataSet, _ action: Action, _ uid: String, _ responder: Responder
    ) async throws {
        switch action {
        case .changeState:
            guard let text = information.string(.procedureStepState), let state = Workitem.State(rawValue: text),
                information.string(.transactionUID).map({ UID.isSafe($0) }) ?? true
            else { return try await responder.send(.invalidArgumentValue, comment: "no state, or no UID") }
            let transactionUID = information.string(.transactionUID)
            let outcome = await write(request, "N-ACTION", .execute, .update, uid, "to \(state.rawValue)") { unit in
                try service.change(uid, to: state, by: transactionUID, in: unit)
            }
            try await answer(outcome, responder)
        case .requestCancellation:
            let requester = request.association.callingAETitle.value
            let outcome = await write(request, "N-ACTION", .execute, .update, uid, "request to cancel") { unit in
                try service.requestCancellation(uid, information, by: requester, in: unit)
            }
            try await answer(outcome, responder)
        case .subscribe, .unsubscribe, .suspend:
            try await subscribe(request, information, action, uid, responder)
        }
    }

    private func subscribe(
        _ request: DIMSERequest, _ information: DataSet, _ action: Action, _ uid: String, _ responder: Responder
    ) async throws {
        guard let receiver = information.string(.receivingAE).flatMap({ AETitle($0) }), receiver.isValid else {
            return try await responder.send(.invalidArgumentValue, comment: "no Receiving AE")
        }
        let lock = information.string(.deletionLock)
        guard action != .subscribe || lock == "TRUE" || lock == "FALSE" else {
            return try await responder.send(.invalidArgumentValue, comment: "Deletion Lock is TRUE or FALSE")
        }
        var keys = information
        keys.removeAll { $0.tag == .receivingAE || $0.tag == .deletionLock }
        let target = WorkitemService.Target(sopInstanceUID: uid, keys: keys)
        let title = receiver.value
        let outcome = await write(request, "N-ACTION", .execute, .read, uid, "\(action) \(title)") {
            unit -> WorkitemWarning? in
            switch action {
            case .subscribe: try service.subscribe(title, to: target, hasLock: lock == "TRUE", in: unit)
            case .unsubscribe: try service.unsubscribe(title, from: target, in: unit)
            default: try service.suspend(title, target, in: unit)
            }
            return nil
        }
        try await answer(outcome, responder)
    }

    // MARK: N-GET

    private func get(_ request: DIMSERequest, _ uid: String, _ responder: Responder) async throws {
        let outcome = await write(request, "N-GET", .read, .read, uid) { try service.attributes(of: uid, in: $0) }
        let all: DataSet
        switch outcome {
        case .success(let found): all = found
        case .failure(let error): return try await refuse(error, responder)
        }
        var some = all
        // What names it is in the command. PS3.4 Table CC.2.5-3.
        for tag in [Tag.sopClassUID, .sopInstanceUID] { some.remove(tag) }
        let asked = Set(request.message.attributesAsked)
        if !asked.isEmpty { some.removeAll { $0.tag != .specificCharacterSet && !asked.contains($0.tag) } }
        let lacks = asked.contains { $0 != .specificCharacterSet && !some.contains($0) }
        guard let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            return try await responder.send(.processingFailure)
        }
        // Attributes that are not kept: a warning. PS3.4 Table CC.2.7-1.
        try await responder.send(
            lacks ? DIMSEStatus(rawValue: 0x0001) : .success,
            dataSet: try DataSetEncoder(transferSyntax: syntax).encode(some))
    }

    // MARK: All

    /// Does the work in one unit, with its row in the audit trail, for those who may.
    private func write<Value: Sendable>(
        _ request: DIMSERequest, _ interaction: String, _ action: AuditRecord.Action,
        _ permission: Permissions, _ uid: String, _ detail: String? = nil,
        _ work: @escaping @Sendable (any UnitOfWork) throws -> Value
    ) async -> Result<Value, any Error> {
        let access = request.association.access
        guard access.mayUseWorkitems(permission) else {
            await store.noteNotAuthorized(interaction, action, "workitem:\(uid)", .message, access)
            return .failure(StatusFailure(status: .notAuthorized))
        }
        do {
            return .success(
                try await store.write(access) { unit in
                    let value = try work(unit)
                    try unit.audit(
                        AuditRecord(
                            category: .message, interaction: interaction, action: action, outcome: .success,
                            access: unit.access, entity: "workitem:\(uid)", detail: detail))
                    return value
                })
        } catch {
            return .failure(error)
        }
    }

    private func answer(
        _ outcome: Result<WorkitemWarning?, any Error>, _ responder: Responder,
        amending: (inout CommandSet) -> Void = { _ in }
    ) async throws {
        switch outcome {
        case .success(let warning): try await responder.send(warning?.status ?? .success, amending: amending)
        case .failure(let error): try await refuse(error, responder)
        }
    }

    private func refuse(_ error: any Error, _ responder: Responder) async throws {
        switch error {
        case let problem as AttributeProblem:
            try await responder.send(problem.status, offending: [problem.tag], comment: "\(problem.tag)")
        case let refusal as WorkitemRefusal: try await responder.send(refusal.status, comment: refusal.description)
        case QueryKeys.Problem.badValue(let tag):
            try await responder.send(
                .invalidArgumentValue, offending: [tag], comment: "\(tag) has no value of its VR")
        case let failure as StatusFailure: try await responder.send(failure.status)
        case let error as StoreError where error.code == .unacceptable:
            try await responder.send(.invalidAttributeValue)
        default: try await responder.send(.processingFailure, comment: "store not available")
        }
    }
}
