import Access

/// The right of one server to deliver the entries of one destination and ordering key, until a time.
package struct OutboxLease: Sendable, Hashable {
    package var owner: String
    package var until: UTCInstant
    /// The first entry that waits.
    package var entry: OutboxEntry
    package init(owner: String, until: UTCInstant, entry: OutboxEntry) {
        self.owner = owner
        self.until = until
        self.entry = entry
    }
}

/// What a server asks for when it has places free.
package struct OutboxClaim: Sendable, Hashable {
    /// Unique to one run of one server.
    package var owner: String
    package var leaseSeconds: Int64
    /// Leases at most.
    package var places: Int
    /// The ordering keys that the owner is delivering, by destination: also when their lease has ended, they are not
    /// taken twice.
    package var held: [String: Set<String>]
    /// Deliveries to one destination at a time, by kind of what it is sent; `placesDefault` for a kind not listed.
    package var placesByKind: [String: Int]
    package var placesDefault: Int

    package init(
        owner: String, leaseSeconds: Int64, places: Int, held: [String: Set<String>] = [:],
        placesByKind: [String: Int] = [:],
        placesDefault: Int = 4
    ) {
        self.owner = owner
        self.leaseSeconds = leaseSeconds
        self.places = places
        self.held = held
        self.placesByKind = placesByKind
        self.placesDefault = placesDefault
    }
}

/// What a claim found.
package struct OutboxClaimed: Sendable, Hashable {
    package var leases: [OutboxLease]
    /// When the next thing comes due, after the time of the claim; nil when nothing does. What is due already and was not
    /// taken had no place.
    package var nextDue: UTCInstant?
    package init(leases: [OutboxLease], nextDue: UTCInstant?) {
        self.leases = leases
        self.nextDue = nextDue
    }
}

/// The port to the outbox for whoever delivers.
package protocol OutboxQueue: Sendable {
    /// Leases what is due, the longest due first; at most one lease for each destination and ordering key, whoever
    /// asks. Costs what it claims, not what waits.
    func claim(_ claim: OutboxClaim) async throws -> OutboxClaimed
    /// Makes leases last longer. Those that are another's by now are left out of the answer.
    func renew(_ leases: [OutboxLease], seconds: Int64) async throws -> [OutboxLease]
    /// Keeps a verdict and what follows from it, in one unit of work. Returns a lease of the next entry of the same
    /// key where `next` asks for it and one is due; otherwise the lease ends. Nil too, and nothing is kept, when the
    /// lease is another's by now.
    func settle(
        _ lease: OutboxLease, _ verdict: DeliveryVerdict, next seconds: Int64?,
        _ consequence: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async throws -> OutboxLease?
    /// Ends leases at once: all of one owner, or, with nil, those of servers that are gone, by whoever holds the store
    /// alone (decision 0009).
    func release(owner: String?) async throws
}

/// Which entries are asked for; what is nil is any.
package struct OutboxQuery: Sendable, Hashable {
    package var destination: String?
    package var state: OutboxEntry.State?
    package var kind: String?
    /// Only those with smaller numbers: the further page.
    package var before: Int64?
    /// What its receiver knows it by: of HL7 messages MSH-10.
    package var eventID: EntityID?
    /// A patient number in it.
    package var patient: String?
    /// An accession number in it.
    package var accession: String?
    /// Put in at this time or later.
    package var since: UTCInstant?
    /// Put in before this time.
    package var until: UTCInstant?
    /// The most entries in the answer.
    package var limit: Int
    package init(
        destination: String? = nil, state: OutboxEntry.State? = nil, kind: String? = nil, before: Int64? = nil,
        limit: Int
    ) {
        self.destination = destination
        self.state = state
        self.kind = kind
        self.before = before
        self.limit = limit
    }
}

/// How much of one kind waits or is parked at one destination.
package struct OutboxDepth: Sendable, Hashable {
    package var destination: String
    package var kind: String
    /// `waiting` or `parked`; what is leased counts as waiting.
    package var state: OutboxEntry.State
    package var count: Int64
    /// Since when the oldest of them waits; of what is parked, when it was put in.
    package var oldest: UTCInstant
    package init(
        destination: String, kind: String, state: OutboxEntry.State, count: Int64, oldest: UTCInstant
    ) {
        self.destination = destination
        self.kind = kind
        self.state = state
        self.count = count
        self.oldest = oldest
    }
}

/// What an operator may do with entries.
package enum OutboxOrder: String, Sendable, Hashable, CaseIterable {
    /// Deliver: what is parked, discarded or done waits again, in its old place of the order.
    case replay
    /// Give up what waits or is parked.
    case discard
}

/// The entries that an order is for.
package enum OutboxSelection: Sendable, Hashable {
    case entry(Int64)
    /// All that are parked at a destination.
    case parked(destination: String)
}

/// The port to the outbox for the operator.
package protocol OutboxLog: Sendable {
    /// Newest first.
    func outboxEntries(_ query: OutboxQuery, access: AccessContext) async throws -> [OutboxEntry]
    func outboxDepths(access: AccessContext) async throws -> [OutboxDepth]
    /// Carries out an order and audits it in the same unit of work. Returns how many entries it was for; what is being
    /// delivered is left alone.
    func order(_ order: OutboxOrder, _ selection: OutboxSelection, access: AccessContext) async throws -> Int
}
