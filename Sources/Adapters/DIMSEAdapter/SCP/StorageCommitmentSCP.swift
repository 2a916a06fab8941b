import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// Storage Commitment Push Model: N-ACTION is answered once the transaction is kept, and reported on by
/// ``CommitmentCourier``. PS3.4 §J.3.
package struct StorageCommitmentSCP: ServiceClassProvider {
    /// The kind of its entries in the outbox.
    package static let kind = "storage-commitment"
    /// Bytes of an action information.
    private static let informationBytesMax = 4 << 20

    /// Who may ask for commitment.
    package let role = Peer.Role.commit
    private let store: any WorkflowStore
    private let associations: ReportAssociations
    /// Takes what peers report that were asked for commitment, and come with it on an association of their own.
    private let reports: CommitmentReportSCP?

    package init(
        store: any WorkflowStore, associations: ReportAssociations, reports: CommitmentReportSCP? = nil
    ) {
        self.store = store
        self.associations = associations
        self.reports = reports
    }

    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        [
            UID.storageCommitmentPush: SupportedAbstractSyntax(
                transferSyntaxes: TransferSyntax.ofIdentifiers, requestorMayBeSCP: reports != nil)
        ]
    }

    package var roleAsSCU: Peer.Role? { reports?.roleAsSCU }

    /// One N-ACTION. The faults in their order: PS3.7 §10.1.4.1.10.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        let message = request.message
        if message.field == .nEventReportRequest, let reports { return reports.begin(request) }
        guard message.field == .nActionRequest else { return FixedAnswer(status: .unrecognizedOperation) }
        guard message.sopClassUID == UID.storageCommitmentPush else { return FixedAnswer(status: .noSuchSOPClass) }
        guard message.sopInstanceUID == UID.storageCommitmentPushInstance else {
            return FixedAnswer(status: .noSuchSOPInstance)
        }
        guard message.command.uint16(.actionTypeID) == 1 else { return FixedAnswer(status: .noSuchAction) }
        guard message.hasDataSet else { return FixedAnswer(status: .invalidArgumentValue) }
        return IdentifierOperation(request, bytesMax: Self.informationBytesMax, answer: answer)
    }

    package func associationEnds(_ association: AssociationInfo) async { associations.ended(association) }

    private func answer(_ request: DIMSERequest, _ information: DataSet, _ responder: Responder) async throws {
        let commitment: StorageCommitment
        do throws(StorageCommitment.Problem) {
            commitment = try StorageCommitment(information)
        } catch {
            switch error {
            case .invalid(let tag):
                return try await responder.send(.invalidArgumentValue, comment: "\(tag) has no UID")
            case .tooMany:
                return try await responder.send(
                    .resourceLimitation, comment: "more than \(StorageCommitment.referencesMax) instances")
            }
        }
        let association = request.association
        // The report tells what is here: for those who may store.
        guard association.access.mayStoreImages else {
            await store.noteNotAuthorized(
                "N-ACTION", .execute, "transaction:\(commitment.transactionUID)", .transfer, association.access)
            return try await responder.send(.notAuthorized)
        }
        let answered = request.invoker.map { associations.asked(association, $0) }
        defer { answered?.succeed() }
        let note = CommitmentNote(
            peer: association.callingAETitle.value, ourTitle: association.calledAETitle.value,
            association: association.id, commitment: commitment)
        let payload = note.payload
        guard payload.count <= OutboxDraft.payloadBytesMax else {
            return try await responder.send(.resourceLimitation, comment: "too many SOP classes")
        }
        do {
            try await store.write(association.access) { unit in
                try unit.enqueue(
                    OutboxDraft(
                        destination: "ae/\(note.peer)", orderingKey: commitment.transactionUID, kind: Self.kind,
                        payload: payload))
                try unit.audit(
                    AuditRecord(
                        category: .transfer, interaction: "N-ACTION", action: .execute, outcome: .success,
                        access: unit.access, entity: "transaction:\(commitment.transactionUID)",
                        detail: "commitment of \(commitment.references.count) instances"))
            }
        } catch {
            return try await responder.send(.processingFailure, comment: "store not available")
        }
        // Success says: a report will come. PS3.4 §J.3.2.1.3.
        try await responder.send(.success)
    }
}

/// A transaction as it waits in the outbox.
struct CommitmentNote: Sendable, Hashable {
    /// Who asked, and by which title of ours.
    let peer: String
    let ourTitle: String
    /// On which association.
    let association: String
    let commitment: StorageCommitment

    init(peer: String, ourTitle: String, association: String, commitment: StorageCommitment) {
        self.peer = peer
        self.ourTitle = ourTitle
        self.association = association
        self.commitment = commitment
    }

    /// Three lines and those of the transaction. An AE title has no control characters.
    var payload: [UInt8] { Array("\(peer)\n\(ourTitle)\n\(association)\n\(commitment.lines)".utf8) }

    init?(payload: [UInt8]) {
        let parts = String(decoding: payload, as: UTF8.self).split(
            separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let commitment = StorageCommitment(lines: parts[3]) else { return nil }
        self.init(
            peer: String(parts[0]), ourTitle: String(parts[1]), association: String(parts[2]), commitment: commitment)
    }
}
