import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Asks a peer to keep instances for good. PS3.4 §J.3.2. The report comes on the same association, where its terms have
/// a ``CommitmentReportSCP``, or on one that the peer opens.
package struct CommitmentSCU: Sendable {
    /// What is proposed.
    package static let contexts = [
        (abstractSyntax: UID.storageCommitmentPush, transferSyntaxes: TransferSyntax.ofIdentifiers)
    ]

    private let association: SCUAssociation
    private let context: PresentationContext

    /// Throws ``SCUError`` when no context was accepted.
    package init(_ association: SCUAssociation) throws(SCUError) {
        self.association = association
        context = try association.context(UID.storageCommitmentPush)
    }

    /// The peer's answer: success says that a report will come. Throws ``SCUError``.
    package func request(_ commitment: StorageCommitment) async throws -> DIMSEStatus {
        try await association.invoker.status(context, try context.encoded(commitment.actionInformation)) {
            .nActionRequest(
                messageID: $0, sopClassUID: UID.storageCommitmentPush,
                sopInstanceUID: UID.storageCommitmentPushInstance, actionTypeID: 1)
        }
    }
}

/// Takes the reports of peers that were asked for commitment. PS3.4 §J.3.3.
package struct CommitmentReportSCP: ServiceClassProvider {
    /// Bytes of an event information.
    private static let informationBytesMax = 4 << 20

    /// What becomes of a report from a peer: success once it is kept, 0115 for a transaction that it was not asked.
    package typealias Taker = @Sendable (CommitmentReport, AssociationInfo) async -> DIMSEStatus

    package let role = Peer.Role.commit
    package var roleAsSCU: Peer.Role? { .commit }
    private let take: Taker

    package init(_ take: @escaping Taker) { self.take = take }

    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        [
            UID.storageCommitmentPush: SupportedAbstractSyntax(
                transferSyntaxes: TransferSyntax.ofIdentifiers, requestorMayBeSCP: true)
        ]
    }

    /// One N-EVENT-REPORT.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        let message = request.message
        guard message.field == .nEventReportRequest else { return FixedAnswer(status: .unrecognizedOperation) }
        guard message.sopClassUID == UID.storageCommitmentPush else { return FixedAnswer(status: .noSuchSOPClass) }
        guard message.sopInstanceUID == UID.storageCommitmentPushInstance else {
            return FixedAnswer(status: .noSuchSOPInstance)
        }
        guard let event = message.command.uint16(.eventTypeID), event == 1 || event == 2 else {
            return FixedAnswer(status: .noSuchEventType)
        }
        guard message.hasDataSet else { return FixedAnswer(status: .invalidArgumentValue) }
        let take = take
        return IdentifierOperation(request, bytesMax: Self.informationBytesMax) { request, information, responder in
            let report: CommitmentReport
            do throws(StorageCommitment.Problem) {
                report = try CommitmentReport(information)
            } catch {
                return try await responder.send(
                    error == .tooMany ? .resourceLimitation : .invalidArgumentValue)
            }
            try await responder.send(await take(report, request.association))
        }
    }
}
