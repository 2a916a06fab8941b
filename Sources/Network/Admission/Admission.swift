import Access
import Synchronization

/// The one policy by which all doors let connections in: places in sum, for each door and for each address, TLS
/// handshakes in progress, and the descriptors that are left.
///
/// A connection that is not at work gives its place up to a new one when places run out: first those in a TLS handshake,
/// and of them those of the address that holds the most. So silent connections cost good peers nothing, and what is at
/// work ends in peace: where nothing can give way, it is the new connection that is refused.
package final class Admission: Sendable {
    /// Where connections come in.
    package enum Door: String, Sendable, Hashable, CaseIterable { case http, dimse, mllp }

    /// Why a connection is not let in.
    package enum Refusal: String, Error, Sendable, Hashable, CaseIterable {
        /// Too many of the door.
        case door
        /// Too many of the address.
        case address
        /// Too many over all doors.
        case sum
        /// Too few descriptors are left.
        case descriptors
        /// It comes from none of the door's networks.
        case network
    }

    /// What has become of connections at a door.
    package enum Event: Sendable, Hashable {
        case admitted(Door)
        case left(Door)
        case refused(Door, Refusal)
        /// One was closed to let another in.
        case displaced(Door)
        /// Its TLS handshake took too long.
        case handshakeTimedOut(Door)
        /// The system did not hand a connection over: errno.
        case acceptFailed(Door, Int32)
    }

    private struct Key: Hashable {
        let door: Door
        let address: AddressBlock
    }

    private struct State {
        var places: [ObjectIdentifier: Place] = [:]
        var byDoor: [Door: Int] = [:]
        var byAddress: [Key: [Place]] = [:]
        var next: UInt64 = 0
        /// Descriptors that are no connection, when they were counted last.
        var otherDescriptors: Int?
        var countedAt: Int64?
    }

    package let limits: AdmissionLimits
    private let descriptors: Descriptors
    private let now: @Sendable () -> Int64
    private let observer: @Sendable (Event) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - descriptors: how many there are and how many are open.
    ///   - now: microseconds that never go back.
    ///   - observer: told of each event, from any thread; must be brief.
    package init(
        limits: AdmissionLimits = AdmissionLimits(), descriptors: Descriptors = .process,
        now: @escaping @Sendable () -> Int64 = Descriptors.monotonicMicroseconds,
        observer: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.limits = limits
        self.descriptors = descriptors
        self.now = now
        self.observer = observer
    }

    /// Open connections of a door.
    package func connections(_ door: Door) -> Int { state.withLock { $0.byDoor[door] ?? 0 } }

    /// Descriptors that this process may have.
    package var descriptorsMax: Int { descriptors.limit }

    /// Tells the observer of what a handler saw.
    func note(_ event: Event) { observer(event) }

    /// Lets a connection in, in place of another if need be.
    ///
    /// - Parameters:
    ///   - address: IP address as text, without port.
    ///   - close: closes the connection, from any thread.
    package func admit(
        _ door: Door, address: String, close: @escaping @Sendable () -> Void
    ) -> Result<Place, Refusal> {
        let block = AddressBlock(address)
        let now = now()
        var displaced: [Place] = []
        let result = state.withLock { state -> Result<Place, Refusal> in
            if let refusal = makeRoom(door, block, now, &state, &displaced) { return .failure(refusal) }
            let place = Place(door: door, address: block, number: state.next, close: close)
            state.next += 1
            state.places[ObjectIdentifier(place)] = place
            state.byDoor[door, default: 0] += 1
            state.byAddress[Key(door: door, address: block), default: []].append(place)
            return .success(place)
        }
        for place in displaced { observer(.displaced(place.door)) }
        switch result {
        case .success: observer(.admitted(door))
        case .failure(let refusal): observer(.refused(door, refusal))
        }
        return result
    }

    /// Gives a place back; a second time does nothing.
    package func leave(_ place: Place) {
        let isGone = state.withLock { remove(place, &$0) }
        if isGone { observer(.left(place.door)) }
    }

    /// Room after the system had no descriptor for a new connection: one that is not at work is closed.
    func makeRoomAfterFailure() {
        let displaced = state.withLock { state -> Place? in
            state.countedAt = nil
            return displaceOne(&state) { _ in true }
        }
        if let displaced { observer(.displaced(displaced.door)) }
    }

    // MARK: Room

    private func makeRoom(
        _ door: Door, _ block: AddressBlock, _ now: Int64, _ state: inout State, _ displaced: inout [Place]
    ) -> Refusal? {
        let own = limits[door]
        let key = Key(door: door, address: block)
        func give(_ refusal: Refusal, onlyArriving: Bool = false, _ candidates: (Key) -> Bool) -> Refusal? {
            guard let place = displaceOne(&state, onlyArriving: onlyArriving, where: candidates) else {
                return refusal
            }
            displaced.append(place)
            return nil
        }
        if let ofAddress = state.byAddress[key], ofAddress.count >= own.connectionsPerAddressMax {
            if let refusal = give(.address, { $0 == key }) { return refusal }
        }
        if state.byDoor[door, default: 0] >= own.connectionsMax {
            if let refusal = give(.door, { $0.door == door }) { return refusal }
        }
        if state.places.count >= limits.connectionsMax {
            if let refusal = give(.sum, { _ in true }) { return refusal }
        }
        // Counting them all is dear only where handshakes are many.
        if state.byDoor[door, default: 0] >= limits.handshakesMax,
            state.places.values.reduce(0, { $0 + ($1.door == door && $1.standing == .arriving ? 1 : 0) })
                >= limits.handshakesMax
        {
            _ = give(.door, onlyArriving: true) { $0.door == door }
        }
        while lacksDescriptors(door, now, &state) {
            if let refusal = give(.descriptors, { _ in true }) { return refusal }
        }
        return nil
    }

    /// Whether one more connection of a door, with what its work and that of all others may need, goes into what is left.
    private func lacksDescriptors(_ door: Door, _ now: Int64, _ state: inout State) -> Bool {
        let limit = descriptors.limit
        let needed = Door.allCases.reduce(1 + limits[door].descriptorsPerConnection) { sum, door in
            sum + state.byDoor[door, default: 0] * (1 + limits[door].descriptorsPerConnection)
        }
        let reserve = min(limits.descriptorsReserve, limit / 4)
        // Far from the limit nothing has to be counted.
        if needed < limit / 4 - reserve / 2, state.otherDescriptors != nil { return false }
        if state.countedAt.map({ now - $0 > Self.countMicroseconds }) ?? true {
            state.countedAt = now
            // Sockets that are being closed count as others until they are.
            state.otherDescriptors = max(0, descriptors.open() - state.places.count)
        }
        // The work of connections is open already in part, and counted twice then: on the safe side.
        return needed > limit - reserve - (state.otherDescriptors ?? 0)
    }

    /// How old the count of descriptors may be.
    private static let countMicroseconds: Int64 = 200_000

    /// Closes one connection that is not at work: in a handshake before others, of the address with the most places
    /// among them, the oldest first. One pass over the places, without a look-up for each.
    private func displaceOne(
        _ state: inout State, onlyArriving: Bool = false, where isCandidate: (Key) -> Bool
    ) -> Place? {
        while true {
            var best: (place: Place, isArriving: Bool, held: Int)?
            for (key, places) in state.byAddress where isCandidate(key) {
                for place in places {
                    let standing = place.standing
                    guard standing == .arriving || standing == .resting && !onlyArriving else { continue }
                    let isArriving = standing == .arriving
                    if let known = best {
                        if known.isArriving != isArriving {
                            guard isArriving else { continue }
                        } else if known.held != places.count {
                            guard places.count > known.held else { continue }
                        } else {
                            guard place.number < known.place.number else { continue }
                        }
                    }
                    best = (place, isArriving, places.count)
                }
            }
            guard let chosen = best?.place else { return nil }
            // It may have begun to work meanwhile.
            guard chosen.displace() else { continue }
            _ = remove(chosen, &state)
            return chosen
        }
    }

    private func remove(_ place: Place, _ state: inout State) -> Bool {
        guard state.places.removeValue(forKey: ObjectIdentifier(place)) != nil else { return false }
        state.byDoor[place.door, default: 1] -= 1
        let key = Key(door: place.door, address: place.address)
        guard var ofAddress = state.byAddress.removeValue(forKey: key) else { return true }
        if let index = ofAddress.firstIndex(where: { $0 === place }) {
            ofAddress.swapAt(index, ofAddress.count - 1)
            ofAddress.removeLast()
        }
        if !ofAddress.isEmpty { state.byAddress[key] = ofAddress }
        return true
    }
}
