import Access
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Tells peers by N-CREATE of a notification that the instances of a study can be had. PS3.4 §R.3.
///
/// A notification has its UID by the entry, so that a peer knows a repeat.
package struct AvailabilityCourier: Courier {
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
        guard let notice = PeerNotice(entry), case .availability(let uid) = notice.content else {
            return .permanent("the entry is not one of availability")
        }
        let peer: Peer
        switch await peers.receiver(notice.peer, offering: .ian) {
        case .success(let found): peer = found
        case .failure(let none): return none.outcome
        }
        let notification: AvailabilityNotification?
        do {
            notification = try await store.read(.server(requestID: "ian")) {
                try AvailabilityNotification(ofStudy: uid, in: $0)
            }
        } catch {
            return .transient("the study cannot be read now")
        }
        guard let notification else { return .withdrawn("nothing of the study is published any more") }
        let attributes = notification.attributes(retrieveAETitle: caller.callingAETitle.value)
        return await caller.call(peer, contexts: AvailabilitySCU.contexts) { association in
            let status = try await AvailabilitySCU(association).notify(entry.eventID.uid, attributes)
            if status == .duplicateSOPInstance { return .delivered }
            return .answered(status, by: peer.name, to: "N-CREATE")
        }
    }
}

extension EntityID {
    /// A UID of its own: `2.25` and its characters as digits of base 32, of which the last 25 make up 125 bits.
    var uid: String {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        let number = value.utf8.suffix(25).reduce(UInt128(0)) { number, character in
            number << 5 | UInt128(alphabet.firstIndex(of: character) ?? Int(character & 31))
        }
        return "2.25.\(number)"
    }
}
