import DICOMNetwork
import NIOCore
import Synchronization

/// How many associations there are, in all and by calling AE title, at one listener or at several.
package final class AssociationPlaces: Sendable {
    private struct State {
        var associations = 0
        var byPeer: [AETitle: Int] = [:]
    }
    private let limits: AssociationLimits
    private let state = Mutex(State())

    package init(limits: AssociationLimits) { self.limits = limits }

    /// Associations now.
    var associations: Int { state.withLock { $0.associations } }

    /// Takes a place for an association of a peer; false when there is none.
    ///
    /// - Parameter own: how many the peer may have, where not as many as others.
    func enter(_ peer: AETitle, own: Int?) -> Bool {
        state.withLock { state in
            guard state.associations < limits.associationsMax,
                state.byPeer[peer, default: 0] < own ?? limits.associationsPerPeerMax
            else { return false }
            state.associations += 1
            state.byPeer[peer, default: 0] += 1
            return true
        }
    }

    func leave(_ peer: AETitle) {
        state.withLock { state in
            state.associations -= 1
            let left = state.byPeer[peer, default: 1] - 1
            state.byPeer[peer] = left > 0 ? left : nil
        }
    }
}

/// The open connections of one listener, and the places of its associations.
final class AssociationRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
    }
    private let places: AssociationPlaces
    private let state = Mutex(State())

    init(_ places: AssociationPlaces) { self.places = places }

    var associations: Int { places.associations }

    /// Takes a new connection in, until its channel closes; false when none is wanted any more. How many there may be is
    /// the admission's to say.
    func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let admitted = state.withLock { state in
            guard !state.isDraining else { return false }
            state.channels[id] = channel
            return true
        }
        if admitted {
            channel.closeFuture.whenComplete { _ in
                self.state.withLock { state in _ = state.channels.removeValue(forKey: id) }
            }
        }
        return admitted
    }

    /// Reserves a place for an association of a peer; give it back with ``leave(_:)``.
    func enter(_ peer: AETitle, own: Int?) -> Bool {
        state.withLock { $0.isDraining } ? false : places.enter(peer, own: own)
    }

    func leave(_ peer: AETitle) { places.leave(peer) }

    /// Takes no more associations and tells the open ones to end once nothing is under way.
    func drain() { send(.drain) }

    /// Aborts what is left.
    func abortAll() { send(.abort(.byUser)) }

    private func send(_ command: AssociationCommand) {
        let channels = state.withLock { state in
            state.isDraining = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(command) }
    }
}
