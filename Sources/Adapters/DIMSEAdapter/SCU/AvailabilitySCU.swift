import DICOMData
import DICOMNetwork

/// Tells a peer that instances can be had. PS3.4 §R.3.
package struct AvailabilitySCU: Sendable {
    /// What is proposed.
    package static let contexts = [
        (abstractSyntax: UID.instanceAvailabilityNotification, transferSyntaxes: TransferSyntax.ofIdentifiers)
    ]

    private let association: SCUAssociation
    private let context: PresentationContext

    /// Throws ``SCUError`` when no context was accepted.
    package init(_ association: SCUAssociation) throws(SCUError) {
        self.association = association
        context = try association.context(UID.instanceAvailabilityNotification)
    }

    /// N-CREATE of a notification: the final status. Throws ``SCUError``, and ``DICOMDataError`` for what cannot be
    /// encoded.
    package func notify(_ sopInstanceUID: String, _ attributes: DataSet) async throws -> DIMSEStatus {
        try await association.invoker.status(context, try context.encoded(attributes)) {
            .nCreateRequest(
                messageID: $0, sopClassUID: UID.instanceAvailabilityNotification, sopInstanceUID: sopInstanceUID)
        }
    }
}
