import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import NIOCore
import Workflow

/// Reports on Storage Commitment transactions by N-EVENT-REPORT: on the association they came on while it lives, else on
/// a new one on which this side is SCP. PS3.4 §J.3.3.
///
/// An instance is committed when all its bytes were read back and found to be what was written, at the time of the
/// report; one that nobody takes is tried again, and what it says is found anew.
package struct CommitmentCourier: Courier {
    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = 2
        // Reading back a transaction of 10,000 instances takes its time.
        policy.attemptSeconds = 900
        return policy
    }

    private let peers: any PeerDirectory
    private let asking: ReportAssociations
    private let reporter: EventReporter
    private let readBackTime: Duration
    private let check: CommitmentCheck

    /// - asking: The associations on which commitment was asked for.
    /// - calling, associations: How peers are called, where theirs is gone.
    /// - readBackTime: Of one attempt, shorter than the attempt: that our own disk is slow is not held against the peer.
    /// - readBack: Reads all bytes of an instance and compares them with their digests.
    package init(
        store: any WorkflowStore, peers: any PeerDirectory, asking: ReportAssociations,
        calling: PeerCalling = PeerCalling(), associations: OutgoingAssociations = OutgoingAssociations(),
        logger: Logger = Logger(label: "dimse.commitment"), readBackTime: Duration = .seconds(780),
        readBack: @escaping @Sendable (Instance) async -> StoredBytes
    ) {
        self.peers = peers
        self.asking = asking
        reporter = EventReporter(calling: calling, associations: associations)
        self.readBackTime = readBackTime
        check = CommitmentCheck(store: store, readBack: readBack) { uid in
            logger.error(
                "an instance is not committed: its bytes are not what was written", metadata: ["instance": "\(uid)"])
        }
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let note = CommitmentNote(payload: entry.payload) else {
            return .permanent("the entry is not one of a commitment")
        }
        let peer: Peer?
        do { peer = try await peers.peer(kind: .applicationEntity, name: note.peer) } catch {
            return .transient("the peers cannot be read")
        }
        guard let peer, peer.may.contains(.commit) else {
            return .withdrawn("\(note.peer) is no peer that may ask for commitment")
        }
        // Reading back is much work: first is seen whether there is anybody to report to.
        if peer.host == nil || peer.port == nil, await askingAssociation(note) == nil { return Self.unaddressed(note) }
        let failures: [StorageCommitment.Reference: StorageCommitment.Failure]
        do { failures = try await check.failures(of: note.commitment, within: readBackTime) } catch {
            return .transient("the instances cannot be read back now")
        }
        let event = note.commitment.report(failures: failures, retrieveAETitle: note.ourTitle)
        let report = EventReporter.Report(
            abstractSyntax: UID.storageCommitmentPush, sopClassUID: UID.storageCommitmentPush,
            sopInstanceUID: UID.storageCommitmentPushInstance, eventTypeID: event.eventTypeID,
            information: event.information)
        if let (invoker, context) = await askingAssociation(note),
            let status = try? await reporter.send(report, on: context, by: invoker), EventReporter.isTaken(status)
        {
            return .delivered
        }
        if peer.host == nil || peer.port == nil { return Self.unaddressed(note) }
        guard let title = AETitle(note.ourTitle) else { return .permanent("no AE title") }
        return await reporter.call(peer, as: title, with: report)
    }

    /// The association that asked, while it lives and can carry a report.
    private func askingAssociation(_ note: CommitmentNote) async -> (OperationInvoker, PresentationContext)? {
        guard let invoker = await asking.invoker(association: note.association),
            let context = EventReporter.context(UID.storageCommitmentPush, of: invoker)
        else { return nil }
        return (invoker, context)
    }

    private static func unaddressed(_ note: CommitmentNote) -> DeliveryOutcome {
        .transient(
            "the association is gone and \(note.peer) has no host and port: hilum peer add --ae \(note.peer) "
                + "--host … --port …")
    }
}
