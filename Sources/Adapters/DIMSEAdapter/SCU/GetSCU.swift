import DICOMData
import DICOMNetwork

/// C-GET at a peer: it stores instances on the association that asks for them. PS3.4 §C.4.3.
///
/// The association is opened with ``contexts(_:of:)`` and ``terms(_:of:_:)``, and serves one C-GET.
package struct GetSCU: Sendable {
    /// What is taken of one C-GET at most.
    package struct Limits: Sendable, Hashable {
        /// Begun, also where they fail.
        package var instances = 100_000
        /// Of all data sets together.
        package var bytes: Int64 = 256 << 30
        /// Instances that were not asked for; with one more the association is aborted.
        package var unasked = 16
        /// Whether the association is aborted as soon as there is more than may come; else what is too much is refused,
        /// one by one, and the peer goes on.
        package var endsWhenOver = false
        package init() {}
    }

    private let association: SCUAssociation
    private let sopClassUID: String
    private let context: PresentationContext
    private let receiver: InstanceReceiver

    /// - Parameters:
    ///   - receiver: that of the terms.
    ///   - sopClassUID: Patient Root or Study Root C-GET.
    ///
    /// Throws ``SCUError`` when no context of the class was accepted.
    package init(
        _ association: SCUAssociation, _ receiver: InstanceReceiver, sopClassUID: String = UID.studyRootGet
    ) throws(SCUError) {
        self.association = association
        self.sopClassUID = sopClassUID
        self.receiver = receiver
        context = try association.context(sopClassUID)
    }

    /// What is proposed: the class of the query, and the storage classes that may come, 127 at most, each with the
    /// transfer syntaxes that are taken. Deflated ones are left out: what comes is looked into as it comes.
    package static func contexts(
        _ sopClassUID: String = UID.studyRootGet, of storage: [(sopClassUID: String, transferSyntaxes: [String])]
    ) -> [(abstractSyntax: String, transferSyntaxes: [String])] {
        [(sopClassUID, TransferSyntax.ofIdentifiers)]
            + storage.prefix(127).map { storage in
                (
                    storage.sopClassUID,
                    storage.transferSyntaxes.filter { TransferSyntax(uid: $0)?.isDeflated == false }
                )
            }
    }

    /// The terms of its association: this side is SCP of the storage classes.
    package static func terms(
        _ receiver: InstanceReceiver, of storageClasses: [String], _ terms: SCUAssociation.Terms = .init()
    ) -> SCUAssociation.Terms {
        var terms = terms
        terms.roles += storageClasses.prefix(127).map { RoleSelection(sopClassUID: $0, scu: false, scp: true) }
        terms.services.append(receiver)
        return terms
    }

    /// Fetches what the receiver is for, and gives the end of it, whatever its status; `progress` is told in between.
    /// The cancellation of the task has it cancelled. Throws ``SCUError`` when there is no end.
    package func get(progress: (RetrieveProgress) async -> Void = { _ in }) async throws -> RetrieveOutcome {
        let (association, sopClassUID) = (association, sopClassUID)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await association.serve() }
            defer { group.cancelAll() }
            return try await association.invoker.retrieve(context, receiver.identifier, progress: progress) {
                .cGetRequest(messageID: $0, sopClassUID: sopClassUID)
            }
        }
    }
}
