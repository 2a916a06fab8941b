import Access
import Workflow

/// What the notices of one kind say, and how a peer is told of it.
package protocol NoticeToPeer: Sendable {
    /// Of the kind, as "an entry of …" names it.
    static var name: String { get }
    /// What a peer must offer to be told.
    static var service: Peer.Service { get }
    /// nil for what is of another kind.
    init?(_ content: PeerNotice.Content)
    /// Tells a peer; an entry that was told before may be told again.
    func tell(
        _ peer: Peer, _ entry: OutboxEntry, from store: any WorkflowStore, by caller: PeerCaller
    ) async -> DeliveryOutcome
}

/// Tells peers by DIMSE what the notices of one kind in the outbox are for.
package struct NoticeCourier<Notice: NoticeToPeer>: Courier {
    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = 2
        policy.attemptSeconds = 90
        return policy
    }

    private let store: any WorkflowStore
    private let peers: any PeerDirectory
    private let caller: PeerCaller

    package init(store: any WorkflowStore, peers: any PeerDirectory, caller: PeerCaller) {
        self.store = store
        self.peers = peers
        self.caller = caller
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let to = PeerNotice(entry), let notice = Notice(to.content) else {
            return .permanent("the entry is not one of \(Notice.name)")
        }
        switch await peers.receiver(to.peer, offering: Notice.service) {
        case .success(let peer): return await notice.tell(peer, entry, from: store, by: caller)
        case .failure(let none): return none.outcome
        }
    }
}
