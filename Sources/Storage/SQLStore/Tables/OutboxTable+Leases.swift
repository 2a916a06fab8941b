import Workflow

/// What a server that delivers does with the outbox.
extension OutboxTable {
    /// Destinations that one claim looks at, at most; the next claim finds the others.
    private static let destinationsMax = 1_000

    func claim(_ claim: OutboxClaim, at now: UTCInstant) throws -> OutboxClaimed {
        var leases: [OutboxLease] = []
        let due = try connection.all(
            """
            SELECT destination, kind FROM outbox_destinations WHERE due_at <= ? ORDER BY due_at, destination LIMIT ?
            """,
            [.int(now.microseconds), .int(Int64(min(claim.places + claim.held.count, Self.destinationsMax)))]
        ) { (name: try $0.text(0), kind: try $0.text(1)) }
        let until = now.advanced(bySeconds: claim.leaseSeconds)
        for destination in due where leases.count < claim.places {
            let places = claim.placesByKind[destination.kind] ?? claim.placesDefault
            let held = claim.held[destination.name] ?? []
            let free = min(places - held.count, claim.places - leases.count)
            guard free > 0 else { continue }
            let keys = try connection.all(
                """
                SELECT ordering_key FROM outbox_lanes WHERE destination = ? AND due_at <= ? \
                ORDER BY due_at, ordering_key LIMIT ?
                """, [.text(destination.name), .int(now.microseconds), .int(Int64(free + held.count))]
            ) { try $0.text(0) }.filter { !held.contains($0) }
            for key in keys.prefix(free) {
                guard let entry = try openHead(destination.name, key, at: now) else { continue }
                try lease(entry, claim.owner, until)
                leases.append(OutboxLease(owner: claim.owner, until: until, entry: entry))
            }
            try refresh(destination.name)
        }
        let next: Int64?? = try connection.first(
            "SELECT MIN(due_at) FROM outbox_destinations WHERE due_at > ? AND due_at < \(Self.never)",
            [.int(now.microseconds)]
        ) { try $0.optionalInt(0) }
        return OutboxClaimed(leases: leases, nextDue: (next ?? nil).map { UTCInstant(microseconds: $0) })
    }

    /// The first entry of a lane that waits; nil where there is none, and where it does not open: then it is parked and
    /// its lane waits for an operator, as what follows it may not leave before it. All other lanes go on.
    private func openHead(_ destination: String, _ key: String, at now: UTCInstant) throws -> OutboxEntry? {
        do {
            if let entry = try head(destination, key) { return entry }
            try endLease(destination, key, at: now)
        } catch let error as SQLStoreError where error.code == .unopened {
            try connection.run(
                """
                UPDATE outbox SET state = 'parked', ended_at = ?, failure = ? WHERE number = (SELECT MIN(number) \
                FROM outbox WHERE destination = ? AND ordering_key = ? AND state = 'waiting')
                """,
                [
                    .int(now.microseconds), .text("its payload in the database does not open"), .text(destination),
                    .text(key),
                ])
            try endLease(destination, key, hold: true, at: now)
        }
        return nil
    }

    private func lease(_ entry: OutboxEntry, _ owner: String, _ until: UTCInstant) throws {
        try connection.run(
            """
            UPDATE outbox_lanes SET due_at = ?, owner = ?, lease_until = ?, leased_number = ? \
            WHERE destination = ? AND ordering_key = ?
            """,
            [
                .int(until.microseconds), .text(owner), .int(until.microseconds), .int(entry.number),
                .text(entry.destination), .text(entry.orderingKey),
            ])
    }

    /// The lane that a lease is of, by its key, which may have joined another since; nil when it is another's by now. A
    /// lease that has ended and was not taken by another counts.
    private func key(of lease: OutboxLease) throws -> String? {
        try connection.first(
            """
            SELECT l.ordering_key FROM outbox o JOIN outbox_lanes l ON l.destination = o.destination \
            AND l.ordering_key = o.ordering_key WHERE o.number = ? AND l.owner = ? AND l.lease_until = ?
            """, [.int(lease.entry.number), .text(lease.owner), .int(lease.until.microseconds)]
        ) { try $0.text(0) }
    }

    func renew(_ leases: [OutboxLease], seconds: Int64, at now: UTCInstant) throws -> [OutboxLease] {
        let until = now.advanced(bySeconds: seconds)
        var renewed: [OutboxLease] = []
        for var held in leases {
            guard let key = try key(of: held) else { continue }
            held.entry.orderingKey = key
            try lease(held.entry, held.owner, until)
            held.until = until
            renewed.append(held)
        }
        for name in Set(renewed.map(\.entry.destination)).sorted() { try refresh(name) }
        return renewed
    }

    /// False, and nothing is changed, when the lease is another's by now.
    func settle(_ lease: OutboxLease, _ verdict: DeliveryVerdict, at now: UTCInstant) throws -> Bool {
        let entry = lease.entry
        guard let key = try key(of: lease) else { return false }
        var pause: UTCInstant?
        var hold: Bool?
        switch verdict {
        case .done: try end(entry, .done, nil, now)
        case .discard(let failure): try end(entry, .discarded, failure, now)
        case .park(let failure, let holdsLane):
            try end(entry, .parked, failure, now)
            if holdsLane { hold = true }
        case .retry(let time, let until, let failure):
            pause = until
            try connection.run(
                """
                UPDATE outbox SET attempts = attempts + 1, next_at = ?, failure = ? \
                WHERE number = ? AND state = 'waiting'
                """, [.int(time.microseconds), .text(failure), .int(entry.number)])
        case .wait(let time, let reason):
            pause = time
            try connection.run(
                "UPDATE outbox SET next_at = ?, failure = ? WHERE number = ? AND state = 'waiting'",
                [.int(time.microseconds), .text(reason), .int(entry.number)])
        case .postpone: break
        }
        try endLease(entry.destination, key, hold: hold, at: now)
        try refresh(entry.destination, pause: pause)
        return true
    }

    private func end(
        _ entry: OutboxEntry, _ state: OutboxEntry.State, _ failure: String?, _ now: UTCInstant
    ) throws {
        try connection.run(
            """
            UPDATE outbox SET state = ?, attempts = attempts + 1, ended_at = ?, failure = ? \
            WHERE number = ? AND state = 'waiting'
            """, [.text(state.rawValue), .int(now.microseconds), SQLValue(failure), .int(entry.number)])
    }

    /// A lease of the next entry of a lane whose lease has just ended; nil when none is due.
    func next(after lease: OutboxLease, seconds: Int64, at now: UTCInstant) throws -> OutboxLease? {
        let destination = lease.entry.destination
        let key = try connection.first(
            "SELECT ordering_key FROM outbox WHERE number = ?", [.int(lease.entry.number)]
        ) { try $0.text(0) }
        guard let key else { return nil }
        let isDue = try connection.first(
            "SELECT due_at FROM outbox_lanes WHERE destination = ? AND ordering_key = ?",
            [.text(destination), .text(key)]
        ) { try $0.int(0) <= now.microseconds }
        guard isDue == true, try pausedUntil(destination) <= now.microseconds else { return nil }
        guard let entry = try openHead(destination, key, at: now) else {
            try refresh(destination)
            return nil
        }
        let until = now.advanced(bySeconds: seconds)
        try self.lease(entry, lease.owner, until)
        try refresh(destination)
        return OutboxLease(owner: lease.owner, until: until, entry: entry)
    }

    func release(owner: String?, at now: UTCInstant) throws {
        let held = try connection.all(
            "SELECT destination, ordering_key FROM outbox_lanes WHERE owner IS NOT NULL"
                + (owner == nil ? "" : " AND owner = ?"), owner.map { [.text($0)] } ?? []
        ) { (try $0.text(0), try $0.text(1)) }
        for (destination, key) in held { try endLease(destination, key, at: now) }
        for name in Set(held.map(\.0)).sorted() { try refresh(name) }
    }
}
