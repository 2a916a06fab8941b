import Workflow

/// What an operator sees of the outbox and does with it.
extension OutboxTable {
    /// A server holds the lease of the entry `o`, which may be on its way at this moment. Takes the time.
    private static let isLeased = """
        EXISTS (SELECT 1 FROM outbox_lanes l WHERE l.destination = o.destination \
        AND l.ordering_key = o.ordering_key AND l.leased_number = o.number AND l.lease_until > ?)
        """

    /// Newest first.
    func entries(_ query: OutboxQuery, at now: UTCInstant) throws -> [OutboxEntry] {
        var condition = SQLCondition("1 = 1", [])
        if let destination = query.destination { condition.add("o.destination = ?", .text(destination)) }
        if let kind = query.kind { condition.add("o.kind = ?", .text(kind)) }
        if let before = query.before { condition.add("o.number < ?", .int(before)) }
        if let event = query.eventID { condition.add("o.event = ?", .text(event.value)) }
        if let patient = query.patient {
            condition.add(
                MessageKeyTable.condition("o.event"), .text(MessageKeys.Kind.patient.rawValue), .text(patient))
        }
        if let accession = query.accession {
            condition.add(
                MessageKeyTable.condition("o.event"), .text(MessageKeys.Kind.accession.rawValue), .text(accession))
        }
        if let since = query.since { condition.add("o.created_at >= ?", .int(since.microseconds)) }
        if let until = query.until { condition.add("o.created_at < ?", .int(until.microseconds)) }
        switch query.state {
        case nil: break
        case .leased: condition.add(Self.isLeased, .int(now.microseconds))
        case .some(let state): condition.add("o.state = '\(state.rawValue)'")
        }
        return try connection.all(
            """
            SELECT \(Self.columns), CASE WHEN \(Self.isLeased) THEN 1 ELSE 0 END FROM outbox o \
            WHERE \(condition.text) ORDER BY o.number DESC LIMIT ?
            """, [.int(now.microseconds)] + condition.values + [.int(Int64(query.limit))]
        ) { row in
            var entry = try Self.decode(row, needsPayload: false)
            if try row.bool(13) { entry.state = .leased }
            return entry
        }
    }

    func depths() throws -> [OutboxDepth] {
        try [(OutboxEntry.State.waiting, "waiting_since"), (.parked, "created_at")].flatMap { state, since in
            try connection.all(
                """
                SELECT destination, kind, COUNT(*), MIN(\(since)) FROM outbox WHERE state = '\(state.rawValue)' \
                GROUP BY destination, kind ORDER BY destination, kind
                """
            ) {
                OutboxDepth(
                    destination: try $0.text(0), kind: try $0.text(1), state: state, count: try $0.int(2),
                    oldest: UTCInstant(microseconds: try $0.int(3)))
            }
        }
    }

    // MARK: Orders

    /// Returns how many entries the order was for.
    func carryOut(_ order: OutboxOrder, _ selection: OutboxSelection, at now: UTCInstant) throws -> Int {
        switch selection {
        case .entry(let number): try carryOut(order, entry: number, at: now) ? 1 : 0
        case .parked(let destination): try carryOut(order, parkedAt: destination, at: now)
        }
    }

    /// False where there is no such entry that the order could be for.
    private func carryOut(_ order: OutboxOrder, entry number: Int64, at now: UTCInstant) throws -> Bool {
        let states = order == .replay ? "('parked', 'discarded', 'done')" : "('waiting', 'parked')"
        let lane = try connection.first(
            """
            SELECT o.destination, o.ordering_key FROM outbox o WHERE o.number = ? AND o.state IN \(states) \
            AND NOT \(Self.isLeased)
            """, [.int(number), .int(now.microseconds)]
        ) { (destination: try $0.text(0), key: try $0.text(1)) }
        guard let lane else { return false }
        try carryOut(order, SQLCondition("number = ?", [.int(number)]), at: now)
        let parked = try connection.first(
            "SELECT 1 FROM outbox WHERE destination = ? AND ordering_key = ? AND state = 'parked' LIMIT 1",
            [.text(lane.destination), .text(lane.key)]
        ) { try $0.int(0) }
        let which = SQLCondition("ordering_key = ?", [.text(lane.key)])
        try reopen(lane.destination, which, release: parked == nil, at: now)
        return true
    }

    private func carryOut(_ order: OutboxOrder, parkedAt destination: String, at now: UTCInstant) throws -> Int {
        let count = try carryOut(
            order, SQLCondition("destination = ? AND state = 'parked'", [.text(destination)]), at: now)
        // Nothing is parked there any more that could hold a lane.
        if count > 0 { try reopen(destination, release: true, at: now) }
        return count
    }

    /// Gives entries their new state, and lanes to those that wait.
    @discardableResult
    private func carryOut(_ order: OutboxOrder, _ which: SQLCondition, at now: UTCInstant) throws -> Int {
        let time = SQLValue.int(now.microseconds)
        guard order == .replay else {
            return try connection.run(
                "UPDATE outbox SET state = 'discarded', ended_at = ? WHERE \(which.text)", [time] + which.values)
        }
        try connection.run(
            """
            INSERT INTO outbox_lanes (destination, ordering_key, due_at, held) \
            SELECT DISTINCT destination, ordering_key, ?, 0 FROM outbox WHERE \(which.text) \
            ON CONFLICT (destination, ordering_key) DO NOTHING
            """, [time] + which.values)
        try connection.run(
            """
            INSERT INTO outbox_destinations (destination, kind, due_at, paused_until) \
            SELECT destination, kind, ?, 0 FROM outbox WHERE \(which.text) ORDER BY number LIMIT 1 \
            ON CONFLICT (destination) DO NOTHING
            """, [time] + which.values)
        return try connection.run(
            """
            UPDATE outbox SET state = 'waiting', attempts = 0, waiting_since = ?, next_at = ?, ended_at = NULL \
            WHERE \(which.text)
            """, [time, time] + which.values)
    }

    /// Lets lanes of a destination be taken as soon as their first entry may be tried, and ends a pause: who asks for it
    /// does not want to wait for that. Those that are leased stay so.
    /// - Parameter release: whether those that waited for an operator do so no more.
    private func reopen(
        _ destination: String, _ which: SQLCondition? = nil, release: Bool, at now: UTCInstant
    ) throws {
        var lanes = SQLCondition(
            "destination = ? AND (lease_until IS NULL OR lease_until <= ?)",
            [.text(destination), .int(now.microseconds)])
        if let which { lanes.add(which) }
        if release { try connection.run("UPDATE outbox_lanes SET held = 0 WHERE \(lanes.text)", lanes.values) }
        lanes.add("held = 0")
        let next = """
            (SELECT o.next_at FROM outbox o WHERE o.destination = outbox_lanes.destination \
            AND o.ordering_key = outbox_lanes.ordering_key AND o.state = 'waiting' ORDER BY o.number LIMIT 1)
            """
        try connection.run("DELETE FROM outbox_lanes WHERE \(lanes.text) AND \(next) IS NULL", lanes.values)
        lanes.add("due_at > ?", .int(now.microseconds))
        try connection.run("UPDATE outbox_lanes SET due_at = \(next) WHERE \(lanes.text)", lanes.values)
        try refresh(destination, pause: UTCInstant(microseconds: 0))
    }

    /// Lets all that is parked or waits at a destination be tried again now, in its order.
    func resume(_ destination: String, at now: UTCInstant) throws {
        try carryOut(.replay, SQLCondition("destination = ? AND state = 'parked'", [.text(destination)]), at: now)
        try connection.run(
            "UPDATE outbox SET next_at = ? WHERE destination = ? AND state = 'waiting' AND next_at > ?",
            [.int(now.microseconds), .text(destination), .int(now.microseconds)])
        try reopen(destination, release: true, at: now)
    }

    /// Whether more entries wait at a destination than a number.
    func isDeeper(_ destination: String, than most: Int) throws -> Bool {
        let count = try connection.first(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE destination = ? AND state = 'waiting' LIMIT ?) AS some
            """, [.text(destination), .int(Int64(most) + 1)]
        ) { try $0.int(0) }
        return (count ?? 0) > Int64(most)
    }

    /// Removes done and discarded entries that ended before a time.
    func removeEnded(before time: UTCInstant, limit: Int) throws -> Int {
        let ended = try connection.all(
            """
            SELECT number, event, created_at FROM outbox WHERE state IN ('done', 'discarded') AND ended_at < ? \
            ORDER BY ended_at, number LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))]
        ) { (number: try $0.int(0), event: try $0.text(1), at: try $0.int(2)) }
        if ended.isEmpty { return 0 }
        try MessageKeyTable(connection: connection).remove(of: ended.map { ($0.event, $0.at) })
        let numbers = ended.map(\.number)
        return try connection.run(
            "DELETE FROM outbox WHERE \(connection.dialect.isInInts("number"))", [.ints(numbers)])
    }
}
