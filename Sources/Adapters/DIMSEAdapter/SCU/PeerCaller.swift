import DICOMData
import DICOMNetwork
import NIOCore
import Workflow

/// Calls peers with what the outbox has for them: how, over which associations, as whom.
package struct PeerCaller: Sendable {
    /// For one call, all of it; shorter than the attempt of a courier.
    static let time = TimeAmount.seconds(80)

    private let calling: PeerCalling
    private let associations: OutgoingAssociations
    let callingAETitle: AETitle

    package init(calling: PeerCalling, associations: OutgoingAssociations, callingAETitle: AETitle) {
        self.calling = calling
        self.associations = associations
        self.callingAETitle = callingAETitle
    }

    /// Does `body`, which may be done twice, on an association with a peer. What it throws, and that there is none, is
    /// made an outcome.
    /// - Parameters:
    ///   - terms: with services, the association is not kept for others.
    ///   - time: for all of it; nil for as long as the peer goes on by the timers of an association.
    func call(
        _ peer: Peer, contexts: [(abstractSyntax: String, transferSyntaxes: [String])],
        terms: SCUAssociation.Terms = SCUAssociation.Terms(), within time: TimeAmount? = PeerCaller.time,
        _ body: (SCUAssociation) async throws -> DeliveryOutcome
    ) async -> DeliveryOutcome {
        let destination: SCUAssociation.Destination
        do throws(PeerCalling.Problem) {
            destination = try calling.destination(peer, as: callingAETitle)
        } catch {
            return .unreachable(error.description)
        }
        do {
            return try await associations.with(
                destination, contexts: contexts, terms: terms, within: time, mayRepeat: true
            ) { try await body($0.association) }
        } catch let error as StoreError {
            return .permanent("what is kept cannot be told: \(error.message)")
        } catch is DICOMDataError {
            // The peer is not at fault, nor is what else waits for it.
            return .permanent("what is to be told has no encoding")
        } catch {
            return .noAssociation(error, with: peer.name)
        }
    }
}

/// Why there is nobody to deliver to.
struct NoReceiver: Error {
    let outcome: DeliveryOutcome
}

extension PeerDirectory {
    /// The application entity of a name that offers a service.
    func receiver(_ name: String, offering service: Peer.Service) async -> Result<Peer, NoReceiver> {
        let peer: Peer?
        do { peer = try await self.peer(kind: .applicationEntity, name: name) } catch {
            return .failure(NoReceiver(outcome: .transient("the peers cannot be read")))
        }
        guard let peer, peer.offers.contains(service) else {
            return .failure(NoReceiver(outcome: .withdrawn("\(name) is no peer that offers \(service.rawValue)")))
        }
        return .success(peer)
    }
}
