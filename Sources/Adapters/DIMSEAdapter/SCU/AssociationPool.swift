/// Which associations of this side are in use, idle or waited for: the rules alone, without sockets and clocks.
///
/// A place is an association that is open, or for which one is being opened. Who wants one gets an idle association of
/// the same kind; else the place of an idle one of another kind with the same peer, for many a peer serves one association
/// at a time; else a free place; else that of an idle one with another peer; else it waits. Those who wait are served in
/// their order.
struct AssociationPool<Association: Sendable> {
    /// Which peer a place counts for.
    struct Peer: Hashable {
        let host: String
        let port: Int
        let calledAETitle: String
    }

    struct Request: Hashable {
        let peer: Peer
        /// Equal for associations that can stand in for one another.
        let kind: String
        /// Whether it may be had from those that were kept, and be kept itself.
        var mayBeKept = true
        /// Places of the peer at most.
        let placesMax: Int
    }

    enum Grant: Sendable {
        /// An idle association, by its number.
        case idle(Int, Association)
        /// A place; an idle association, if any, is given up for it first.
        case place(givingUp: Association?)
    }

    private struct Idle {
        let number: Int
        let request: Request
        let association: Association
    }

    private let placesMax: Int
    private var used: [Peer: Int] = [:]
    /// The one that is idle for longest first.
    private var idle: [Idle] = []
    private var waiting: [(number: Int, request: Request)] = []

    init(placesMax: Int) { self.placesMax = placesMax }

    var usedCount: Int { used.values.reduce(0, +) }
    var idleCount: Int { idle.count }
    var waitingCount: Int { waiting.count }

    /// What a request gets now; nil when it is to wait under its number.
    mutating func ask(_ request: Request, number: Int) -> Grant? {
        // Nobody passes those who wait for the same peer.
        if !waiting.contains(where: { $0.request.peer == request.peer }), let grant = grant(request) { return grant }
        waiting.append((number, request))
        return nil
    }

    /// Takes a waiting request back; nil when it does not wait any more. What those get that waited behind it.
    mutating func withdraw(_ number: Int) -> [(Int, Grant)]? {
        guard let index = waiting.firstIndex(where: { $0.number == number }) else { return nil }
        waiting.remove(at: index)
        return serve()
    }

    /// Takes all waiting requests back.
    mutating func withdrawAll() { waiting = [] }

    /// A place is not used any more: its association becomes idle under a number, or is gone. What others get for it.
    mutating func leave(_ request: Request, keeping association: (number: Int, Association)?) -> [(Int, Grant)] {
        let left = used[request.peer, default: 1] - 1
        used[request.peer] = left > 0 ? left : nil
        if let (number, association) = association {
            idle.append(Idle(number: number, request: request, association: association))
        }
        return serve()
    }

    /// The time of an idle association is over; nil when it is not idle any more. It takes a place until it has ended and
    /// ``leave(_:keeping:)`` says so.
    mutating func retire(_ number: Int) -> (Association, Request)? {
        guard let index = idle.firstIndex(where: { $0.number == number }) else { return nil }
        let retired = idle.remove(at: index)
        used[retired.request.peer, default: 0] += 1
        return (retired.association, retired.request)
    }

    /// An association has ended: if it was idle it is nobody's any more. What others get for it.
    mutating func remove(_ isEnded: (Association) -> Bool) -> [(Int, Grant)] {
        idle.removeAll { isEnded($0.association) }
        return serve()
    }

    /// All idle associations with a peer, or all there are, are given up.
    mutating func removeIdle(of peer: Peer? = nil) -> ([Association], [(Int, Grant)]) {
        let removed = idle.filter { peer == nil || $0.request.peer == peer }
        idle.removeAll { peer == nil || $0.request.peer == peer }
        return (removed.map(\.association), serve())
    }

    // MARK: details

    private mutating func serve() -> [(Int, Grant)] {
        var grants: [(Int, Grant)] = []
        var passed: Set<Peer> = []
        var rest: [(number: Int, request: Request)] = []
        for waiter in waiting {
            if !passed.contains(waiter.request.peer), let grant = grant(waiter.request) {
                grants.append((waiter.number, grant))
            } else {
                passed.insert(waiter.request.peer)
                rest.append(waiter)
            }
        }
        waiting = rest
        return grants
    }

    private func canStandIn(_ kept: Request, for request: Request) -> Bool {
        request.mayBeKept && kept.peer == request.peer && kept.kind == request.kind
    }

    private mutating func grant(_ request: Request) -> Grant? {
        let peer = request.peer
        guard used[peer, default: 0] < request.placesMax else { return nil }
        if let index = idle.lastIndex(where: { canStandIn($0.request, for: request) }) {
            let found = idle.remove(at: index)
            used[peer, default: 0] += 1
            return .idle(found.number, found.association)
        }
        var givenUp: Association?
        if let index = idle.firstIndex(where: { $0.request.peer == peer }) {
            givenUp = idle.remove(at: index).association
        } else if usedCount + idle.count >= placesMax {
            guard !idle.isEmpty else { return nil }
            givenUp = idle.removeFirst().association
        }
        used[peer, default: 0] += 1
        return .place(givingUp: givenUp)
    }
}
