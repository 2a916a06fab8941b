import DICOMData
import DICOMNetwork

/// Tells a peer of a performed procedure step. PS3.4 §F.7.2.
package struct PerformedStepSCU: Sendable {
    /// What is proposed.
    package static let contexts = [
        (abstractSyntax: UID.modalityPerformedProcedureStep, transferSyntaxes: TransferSyntax.ofIdentifiers)
    ]

    private let association: SCUAssociation
    private let context: PresentationContext

    /// Throws ``SCUError`` when no context was accepted.
    package init(_ association: SCUAssociation) throws(SCUError) {
        self.association = association
        context = try association.context(UID.modalityPerformedProcedureStep)
    }

    /// N-CREATE: the final status. Throws ``SCUError``, and ``DICOMDataError`` for what cannot be encoded.
    package func create(_ sopInstanceUID: String, _ attributes: DataSet) async throws -> DIMSEStatus {
        try await association.invoker.status(context, try context.encoded(attributes)) {
            .nCreateRequest(
                messageID: $0, sopClassUID: UID.modalityPerformedProcedureStep, sopInstanceUID: sopInstanceUID)
        }
    }

    /// N-SET: the final status, and whether a failure says that the step has ended at the peer (error ID A710).
    /// Throws ``SCUError``, and ``DICOMDataError`` for what cannot be encoded.
    package func set(
        _ sopInstanceUID: String, _ changes: DataSet
    ) async throws -> (status: DIMSEStatus, hasEnded: Bool) {
        let responses = try await association.invoker.invoke(context, try context.encoded(changes)) {
            .nSetRequest(
                messageID: $0, sopClassUID: UID.modalityPerformedProcedureStep, sopInstanceUID: sopInstanceUID)
        }
        let last = responses.last?.message
        return (last?.status ?? .processingFailure, last?.command.uint16(.errorID) == 0xA710)
    }
}
