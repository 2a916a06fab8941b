import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Modality Performed Procedure Step: N-CREATE and N-SET, and N-GET of its retrieve class. PS3.4 Annex F.
package struct PerformedProcedureStepSCP: ServiceClassProvider {
    /// Error ID of what may not be changed any more. PS3.4 §F.7.2.2.3.
    private static let noLongerUpdated: UInt16 = 0xA710

    /// Who may tell of its work.
    package let role = Peer.Role.mpps
    private let store: any WorkflowStore
    private let entropy: any Entropy
    private let service = PerformedProcedureStepService()

    package init(store: any WorkflowStore, entropy: any Entropy) {
        self.store = store
        self.entropy = entropy
    }

    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        let support = SupportedAbstractSyntax(transferSyntaxes: TransferSyntax.ofIdentifiers)
        return [UID.modalityPerformedProcedureStep: support, UID.modalityPerformedProcedureStepRetrieve: support]
    }

    /// One N-CREATE, N-SET or N-GET.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        let message = request.message
        guard message.sopClassUID == request.context.abstractSyntax else { return FixedAnswer(status: .noSuchSOPClass) }
        let isRetrieve = request.context.abstractSyntax == UID.modalityPerformedProcedureStepRetrieve
        switch (message.field, isRetrieve) {
        case (.nCreateRequest, false):
            guard message.hasDataSet else { return FixedAnswer(status: .missingAttribute) }
            // The modality names it, or has it named. PS3.7 §10.1.5.1.3.
            if let value = message.command[.affectedSOPInstanceUID], !value.isEmpty {
                guard let uid = message.sopInstanceUID, UID.isSafe(uid) else {
                    return FixedAnswer(status: .invalidSOPInstance)
                }
                return IdentifierOperation(request) { try await create($0, $1, uid, $2) }
            }
            return IdentifierOperation(request) { try await create($0, $1, entropy.newUID(), $2) }
        case (.nSetRequest, false):
            guard let uid = message.sopInstanceUID, message.hasDataSet else {
                return FixedAnswer(status: .noSuchSOPInstance)
            }
            return IdentifierOperation(request) { try await set($0, $1, uid, $2) }
        case (.nGetRequest, true):
            guard let uid = message.sopInstanceUID else { return FixedAnswer(status: .noSuchSOPInstance) }
            return CommandOperation(request) { try await get($0, uid, $1) }
        default: return FixedAnswer(status: .unrecognizedOperation)
        }
    }

    // MARK: N-CREATE

    private func create(
        _ request: DIMSERequest, _ attributes: DataSet, _ uid: String, _ responder: Responder
    ) async throws {
        let association = request.association
        let outcome = await write(request, "N-CREATE", uid) { unit in
            let step = try PerformedStepDataSet.create(
                attributes, sopInstanceUID: uid, performedBy: association.callingAETitle.value, at: unit.time)
            try service.create(step, in: unit)
        }
        switch outcome {
        case .success: try await responder.send(.success) { $0.set(.affectedSOPInstanceUID, uid: uid) }
        case .failure(let error): try await refuse(error, responder)
        }
    }

    // MARK: N-SET

    private func set(
        _ request: DIMSERequest, _ changes: DataSet, _ uid: String, _ responder: Responder
    ) async throws {
        let outcome = await write(request, "N-SET", uid) { unit in
            var left: [Tag] = []
            try service.update(uid, in: unit) { step in
                let changed = try PerformedStepDataSet.update(step, with: changes, at: unit.time)
                left = changed.left
                return changed.step
            }
            return left
        }
        switch outcome {
        case .success(let left) where !left.isEmpty:
            // Done, without what may not be changed. PS3.7 §10.1.3.1.9.
            try await responder.send(.attributeListError, comment: "\(left[0]) is not changed by N-SET")
        case .success: try await responder.send(.success)
        case .failure(let error): try await refuse(error, responder)
        }
    }

    // MARK: N-GET

    private func get(_ request: DIMSERequest, _ uid: String, _ responder: Responder) async throws {
        let outcome = await write(request, "N-GET", uid) { try service.step(uid, in: $0) }
        let step: PerformedProcedureStep
        switch outcome {
        case .success(let found): step = found
        case .failure(let error): return try await refuse(error, responder)
        }
        guard let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            return try await responder.send(.processingFailure)
        }
        let bytes = try DataSetEncoder(transferSyntax: syntax).encode(
            try PerformedStepDataSet.attributes(of: step, asked: request.message.attributesAsked))
        try await responder.send(.success, dataSet: bytes)
    }

    // MARK: all

    /// Does the work in one unit, with its row in the audit trail.
    private func write<Value: Sendable>(
        _ request: DIMSERequest, _ interaction: String, _ uid: String,
        _ work: @escaping @Sendable (any UnitOfWork) throws -> Value
    ) async -> Result<Value, any Error> {
        let action: AuditRecord.Action =
            interaction == "N-CREATE" ? .create : interaction == "N-SET" ? .update : .read
        let access = request.association.access
        guard Self.allows(interaction, access) else {
            await store.noteNotAuthorized(interaction, action, "mpps:\(uid)", .message, access)
            return .failure(StatusFailure(status: .notAuthorized))
        }
        do {
            return .success(
                try await store.write(access) { unit in
                    let value = try work(unit)
                    try unit.audit(
                        AuditRecord(
                            category: .message, interaction: interaction, action: action, outcome: .success,
                            access: unit.access, entity: "mpps:\(uid)"))
                    return value
                })
        } catch {
            return .failure(error)
        }
    }

    /// Whether the user behind an association may: of all steps or of none, for whose they are is known by what they say
    /// alone. In FHIR's words a step is a Procedure, as it is by HTTP.
    private static func allows(_ interaction: String, _ access: AccessContext) -> Bool {
        let permission: Permissions =
            switch interaction {
            case "N-CREATE": .create
            case "N-SET": .update
            default: .read
            }
        return access.visibility(permission, of: "Procedure").isWhole
    }

    private func refuse(_ error: any Error, _ responder: Responder) async throws {
        switch error {
        case let failure as StatusFailure: try await responder.send(failure.status)
        case let problem as AttributeProblem:
            try await responder.send(problem.status, offending: [problem.tag], comment: "\(problem.tag)")
        case PerformedProcedureStepService.Refusal.duplicate: try await responder.send(.duplicateSOPInstance)
        case PerformedProcedureStepService.Refusal.unknown: try await responder.send(.noSuchSOPInstance)
        case PerformedProcedureStepService.Refusal.closed:
            try await responder.send(.processingFailure, comment: "the step is completed or discontinued") {
                $0.set(.errorID, uint16: Self.noLongerUpdated)
            }
        case let error as StoreError where error.code == .unacceptable:
            try await responder.send(.invalidAttributeValue)
        default: try await responder.send(.processingFailure, comment: "store not available")
        }
    }
}
