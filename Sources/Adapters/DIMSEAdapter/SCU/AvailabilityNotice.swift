import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Tells peers of availability.
package typealias AvailabilityCourier = NoticeCourier<AvailabilityNotice>

/// Tells a peer by N-CREATE of a notification that the instances of a study can be had. PS3.4 §R.3.
///
/// A notification has its UID by the entry, so that a peer knows a repeat.
package struct AvailabilityNotice: NoticeToPeer {
    package static let name = "availability"
    package static let service = Peer.Service.ian
    private let uid: String

    package init?(_ content: PeerNotice.Content) {
        guard case .availability(let uid) = content else { return nil }
        self.uid = uid
    }

    package func tell(
        _ peer: Peer, _ entry: OutboxEntry, from store: any WorkflowStore, by caller: PeerCaller
    ) async -> DeliveryOutcome {
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
        let sopClass = UID.instanceAvailabilityNotification
        return await caller.call(peer, contexts: NormalizedSCU.contexts(sopClass)) { association in
            let scu = try NormalizedSCU(association, sopClassUID: sopClass)
            let status = try await scu.create(entry.eventID.uid, attributes)
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
