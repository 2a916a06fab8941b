import DICOMData
import DICOMNetwork

/// Tells a peer of instances of one SOP class by DIMSE-N: of performed procedure steps (PS3.4 §F.7.2), of what can be had
/// (PS3.4 §R.3).
struct NormalizedSCU: Sendable {
    private let association: SCUAssociation
    private let sopClassUID: String
    private let context: PresentationContext

    /// Throws ``SCUError`` when no context of the class was accepted.
    init(_ association: SCUAssociation, sopClassUID: String) throws(SCUError) {
        self.association = association
        self.sopClassUID = sopClassUID
        context = try association.context(sopClassUID)
    }

    /// What is proposed for a class.
    static func contexts(_ sopClassUID: String) -> [(abstractSyntax: String, transferSyntaxes: [String])] {
        [(sopClassUID, TransferSyntax.ofIdentifiers)]
    }

    /// N-CREATE: the final status. Throws ``SCUError``, and ``DICOMDataError`` for what cannot be encoded.
    func create(_ sopInstanceUID: String, _ attributes: DataSet) async throws -> DIMSEStatus {
        let sopClassUID = sopClassUID
        return try await association.invoker.status(context, try context.encoded(attributes)) {
            .nCreateRequest(messageID: $0, sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID)
        }
    }

    /// N-SET: the final status, and the error ID (0000,0903) of a failure where the peer gives one. Throws ``SCUError``,
    /// and ``DICOMDataError`` for what cannot be encoded.
    func set(
        _ sopInstanceUID: String, _ changes: DataSet
    ) async throws -> (status: DIMSEStatus, errorID: UInt16?) {
        let sopClassUID = sopClassUID
        let responses = try await association.invoker.invoke(context, try context.encoded(changes)) {
            .nSetRequest(messageID: $0, sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID)
        }
        let last = responses.last?.message
        return (last?.status ?? .processingFailure, last?.command.uint16(.errorID))
    }
}
