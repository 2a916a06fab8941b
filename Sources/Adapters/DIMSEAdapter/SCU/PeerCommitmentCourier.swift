import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// Asks the application entity of one destination by N-ACTION to keep for good what it was sent, and takes the report
/// where it comes on the same association. PS3.4 §J.3.
///
/// What it does not keep is an entry of its own, which is parked at once: replayed, it is sent anew.
package struct PeerCommitmentCourier: Courier {
    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = 2
        policy.attemptSeconds = 120
        policy.retrySecondsMax = 600
        return policy
    }

    private let destination: String
    private let peer: String
    private let reportSeconds: Int64
    private let store: any WorkflowStore
    private let peers: any PeerDirectory
    private let caller: PeerCaller
    private let patience: Duration
    private let commitments = PeerCommitments()

    /// - Parameters:
    ///   - destination: its name in the routing of the site.
    ///   - peer: its AE title, which must offer commitment.
    ///   - reportSeconds: how long its report is waited for, at first.
    ///   - patience: how long the association that asks is kept for the report. One that comes later comes on another.
    package init(
        _ destination: String, of peer: String, reportSeconds: Int64, store: any WorkflowStore,
        peers: any PeerDirectory, caller: PeerCaller, patience: Duration = .seconds(2)
    ) {
        self.destination = destination
        self.peer = peer
        self.reportSeconds = reportSeconds
        self.store = store
        self.peers = peers
        self.caller = caller
        self.patience = patience
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let note = PeerCommitmentNote(entry), note.destination == destination else {
            return .permanent("the entry is not one of a commitment of \(destination)")
        }
        switch note.content {
        case .ask: return await ask(for: note.transactionUID)
        // An operator who asks for it again has what is named sent anew.
        case .refused(let reason, _): return Self.isReplayed(entry) ? .delivered : .permanent(reason)
        }
    }

    package func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
        guard let note = PeerCommitmentNote(entry) else { return }
        switch (note.content, verdict) {
        case (.ask, .done):
            try commitments.asked(note.transactionUID, reportSeconds: reportSeconds, in: unit)
        case (.ask, .discard):
            // Nothing of it is left to ask for.
            try unit.peerCommitments.removeCommitmentTransaction(note.transactionUID)
        case (.refused(_, let instances), .done):
            for instance in instances { try unit.enqueue(instance.draft) }
        default: break
        }
    }

    private static func isReplayed(_ entry: OutboxEntry) -> Bool { entry.waitingSince > entry.createdAt }

    private func ask(for uid: String) async -> DeliveryOutcome {
        let access = AccessContext.server(requestID: "commitment")
        let transaction: CommitmentTransaction?
        let sent: [SentInstance]
        do {
            (transaction, sent) = try await store.read(access) { unit in
                let commitments = try unit.peerCommitments
                return (try commitments.commitmentTransaction(uid), try commitments.sentInstances(of: uid))
            }
        } catch {
            return .transient("what was sent cannot be read now")
        }
        guard let transaction else {
            return .withdrawn("the transaction is not kept any more; `hilum route send` sends a study again")
        }
        // The report may have come before.
        guard transaction.isOpen else { return .delivered }
        guard !sent.isEmpty else { return .withdrawn("all that it asks for was sent again since") }
        switch await peers.receiver(peer, offering: .commit) {
        case .failure(let none):
            // As for what is sent there: the peer may be set right.
            if case .withdrawn(let text) = none.outcome { return .unreachable(text) }
            return none.outcome
        case .success(let receiver):
            if transaction.peer != peer {
                let commitments = commitments
                do {
                    try await store.write(access) { try commitments.readdress(uid, to: peer, in: $0) }
                } catch {
                    return .transient("the transaction cannot be kept now")
                }
            }
            return await ask(
                receiver,
                StorageCommitment(
                    transactionUID: uid,
                    references: sent.map {
                        .init(sopClassUID: $0.reference.sopClassUID, sopInstanceUID: $0.reference.sopInstanceUID)
                    }))
        }
    }

    private func ask(_ receiver: Peer, _ commitment: StorageCommitment) async -> DeliveryOutcome {
        let reported = DeliverySignal()
        var terms = SCUAssociation.Terms()
        // One of another transaction is taken, and ends no wait.
        terms.services = [
            CommitmentReports(store: store).from(peer) { if $0 == commitment.transactionUID { reported.raise() } }
        ]
        return await caller.call(receiver, contexts: CommitmentSCU.contexts, terms: terms) { association in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await association.serve() }
                let status = try await CommitmentSCU(association).request(commitment)
                // Of a request whose answer was lost.
                let isKnown = status.rawValue == PeerCommitments.duplicateTransaction
                let outcome =
                    isKnown
                    ? DeliveryOutcome.delivered : .answered(status, by: receiver.name, to: "N-ACTION")
                if outcome == .delivered { await reported.wait(patience) }
                // A report that is being answered is answered to its end.
                group.cancelAll()
                return outcome
            }
        }
    }
}
