import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Takes what peers report that were asked to keep instances, on whichever association it comes, and does what it says.
/// PS3.4 §J.3.3.
package struct CommitmentReports: Sendable {
    private let store: any WorkflowStore
    private let commitments = PeerCommitments()

    package init(store: any WorkflowStore) { self.store = store }

    /// For a door, where the peer opens the association and proposes to be SCP.
    package var atDoor: CommitmentReportSCP {
        CommitmentReportSCP { report, association in
            await take(report, from: association.callingAETitle.value, association.access)
        }
    }

    /// For an association that this side asks for.
    /// - Parameter taken: told of each report behind its taking, by the transaction that it names.
    func from(_ peer: String, taken: @escaping @Sendable (_ transactionUID: String) -> Void) -> CommitmentReportSCP {
        CommitmentReportSCP { report, association in
            let status = await take(report, from: peer, association.access)
            taken(report.transactionUID)
            return status
        }
    }

    /// Success once what the report says is durable, also for one that was taken before; 0115 for a transaction that the
    /// peer was not asked, of which nothing is told: it may be another's.
    func take(_ report: CommitmentReport, from peer: String, _ access: AccessContext) async -> DIMSEStatus {
        let told = PeerCommitments.Report(
            transactionUID: report.transactionUID, committed: Set(report.committed.map(SentInstance.Reference.init)),
            failed: Dictionary(
                report.failed.map { (SentInstance.Reference($0.key), $0.value) },
                uniquingKeysWith: { first, _ in first }))
        let commitments = commitments
        do {
            // What asks for nothing of ours costs no write.
            let known = try await store.read(access) {
                try $0.peerCommitments.commitmentTransaction(told.transactionUID)
            }
            guard let known, known.peer == peer else { return .invalidArgumentValue }
            guard known.isOpen else { return .success }
            switch try await store.write(access, { try commitments.take(told, from: peer, in: $0) }) {
            case .taken, .known: return .success
            case .unknown: return .invalidArgumentValue
            }
        } catch {
            return .processingFailure
        }
    }
}

extension SentInstance.Reference {
    init(_ reference: StorageCommitment.Reference) {
        self.init(sopClassUID: reference.sopClassUID, sopInstanceUID: reference.sopInstanceUID)
    }
}
