import DICOMData
import DICOMNetwork

/// C-MOVE at a peer: it sends instances to an application entity that it knows. PS3.4 §C.4.2.
package struct MoveSCU: Sendable {
    private let association: SCUAssociation
    private let sopClassUID: String
    private let context: PresentationContext

    /// - Parameter sopClassUID: Patient Root or Study Root C-MOVE.
    ///
    /// Throws ``SCUError`` when no context of the class was accepted.
    package init(_ association: SCUAssociation, sopClassUID: String = UID.studyRootMove) throws(SCUError) {
        self.association = association
        self.sopClassUID = sopClassUID
        context = try association.context(sopClassUID)
    }

    /// What is proposed for a class.
    package static func contexts(
        _ sopClassUID: String = UID.studyRootMove
    ) -> [(abstractSyntax: String, transferSyntaxes: [String])] {
        [(sopClassUID, TransferSyntax.ofIdentifiers)]
    }

    /// Has what an identifier names sent to `destination`, and gives the end of it, whatever its status; `progress` is
    /// told in between. The cancellation of the task has it cancelled. Throws ``SCUError`` when there is no end.
    package func move(
        _ identifier: DataSet, to destination: AETitle, progress: (RetrieveProgress) async -> Void = { _ in }
    ) async throws -> RetrieveOutcome {
        let sopClassUID = sopClassUID
        return try await association.invoker.retrieve(context, identifier, progress: progress) {
            .cMoveRequest(messageID: $0, sopClassUID: sopClassUID, destination: destination.value)
        }
    }
}
