import Workflow

/// What an operator sees of the outbox and does with it.
extension OutboxTable {
    /// Entries that one order is for, at most.
    static let orderedMax = 10_000

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
        let isLeased = """
            l.lease_until > ? AND o.state = 'waiting' AND o.number = (SELECT MIN(h.number) FROM outbox h \
            WHERE h.destination = o.destination AND h.ordering_key = o.ordering_key AND h.state = 'waiting')
            """
        switch query.state {
        case nil: break
        case .leased: condition.add(isLeased, .int(now.microseconds))
        case .some(let state): condition.add("o.state = '\(state.rawValue)'")
        }
        return try connection.all(
            """
            SELECT \(Self.columns), CASE WHEN \(isLeased) THEN 1 ELSE 0 END FROM outbox o LEFT JOIN outbox_lanes l \
            ON l.destination = o.destination AND l.ordering_key = o.ordering_key \
            WHERE \(condition.text) ORDER BY o.number DESC LIMIT ?
            """, [.int(now.microseconds)] + condition.values + [.int(Int64(query.limit))]
        ) { row in
            var entry = try Self.decode(row)
            if try row.bool(13) { entry.state = .leased }
            return entry
        }
    }

    func depths() throws -> [OutboxDepth] {
        try [OutboxEntry.State.waiting, .parked].flatMap { state in
            try connection.all(
                """
                SELECT destination, kind, COUNT(*), MIN(created_at) FROM outbox WHERE state = '\(state.rawValue)' \
                GROUP BY destination, kind ORDER BY destination, kind
                """
            ) {
                OutboxDepth(
                    destination: try $0.text(0), kind: try $0.text(1), state: state, count: try $0.int(2),
                    oldest: UTCInstant(microseconds: try $0.int(3)))
            }
        }
    }

    /// The entries that an order would be for, oldest first.
    func selected(_ order: OutboxOrder, _ selection: OutboxSelection, at now: UTCInstant) throws -> [OutboxEntry] {
        let states = order == .replay ? "('parked', 'discarded', 'done')" : "('waiting', 'parked')"
        let condition: SQLCondition =
            switch selection {
            case .entry(let number): SQLCondition("o.number = ? AND o.state IN \(states)", [.int(number)])
            case .parked(let destination):
                SQLCondition("o.state = 'parked' AND o.destination = ?", [.text(destination)])
            }
        let found = try connection.all(
            "SELECT \(Self.columns) FROM outbox o WHERE \(condition.text) ORDER BY o.number LIMIT \(Self.orderedMax)",
            condition.values, Self.decode)
        // What a server holds the lease of may be on its way at this moment.
        return try found.filter { entry in
            guard entry.state == .waiting else { return true }
            let isLeased = try connection.first(
                "SELECT lease_until FROM outbox_lanes WHERE destination = ? AND ordering_key = ?",
                [.text(entry.destination), .text(entry.orderingKey)]
            ) { (try $0.optionalInt(0) ?? 0) > now.microseconds }
            return try isLeased != true || head(entry.destination, entry.orderingKey)?.number != entry.number
        }
    }

    func carryOut(_ order: OutboxOrder, _ entries: [OutboxEntry], at now: UTCInstant) throws {
        for entry in entries {
            switch order {
            case .replay: try replay(entry, at: now)
            case .discard:
                try connection.run(
                    "UPDATE outbox SET state = 'discarded', ended_at = ? WHERE number = ?",
                    [.int(now.microseconds), .int(entry.number)])
            }
        }
        var lanes: Set<[String]> = []
        for entry in entries { lanes.insert([entry.destination, entry.orderingKey]) }
        for lane in lanes { try reopen(lane[0], lane[1], at: now) }
        for name in Set(entries.map(\.destination)).sorted() {
            // Who asks for it does not want to wait for the end of a pause.
            try refresh(name, pause: UTCInstant(microseconds: 0))
        }
    }

    private func replay(_ entry: OutboxEntry, at now: UTCInstant) throws {
        let time = SQLValue.int(now.microseconds)
        try connection.run(
            """
            UPDATE outbox SET state = 'waiting', attempts = 0, waiting_since = ?, next_at = ?, ended_at = NULL \
            WHERE number = ?
            """, [time, time, .int(entry.number)])
        try connection.run(
            """
            INSERT INTO outbox_lanes (destination, ordering_key, due_at, held) VALUES (?, ?, ?, 0) \
            ON CONFLICT (destination, ordering_key) DO NOTHING
            """, [.text(entry.destination), .text(entry.orderingKey), time])
        try connection.run(
            """
            INSERT INTO outbox_destinations (destination, kind, due_at, paused_until) VALUES (?, ?, ?, 0) \
            ON CONFLICT (destination) DO NOTHING
            """, [.text(entry.destination), .text(entry.kind), time])
    }

    /// A lane of which nothing is parked any more is held no longer. One that is leased stays so.
    private func reopen(_ destination: String, _ key: String, at now: UTCInstant) throws {
        let lane: [SQLValue] = [.text(destination), .text(key)]
        let isLeased = try connection.first(
            "SELECT lease_until FROM outbox_lanes WHERE destination = ? AND ordering_key = ?", lane
        ) { (try $0.optionalInt(0) ?? 0) > now.microseconds }
        if isLeased == true { return }
        let parked = try connection.first(
            """
            SELECT COUNT(*) FROM outbox WHERE destination = ? AND ordering_key = ? AND state = 'parked'
            """, lane
        ) { try $0.int(0) }
        try endLease(destination, key, hold: parked == 0 ? false : nil, at: now)
    }

    /// Lets all that is parked or waits at a destination be tried again now, in its order.
    func resume(_ destination: String, at now: UTCInstant) throws {
        try carryOut(.replay, try selected(.replay, .parked(destination: destination), at: now), at: now)
        try connection.run(
            "UPDATE outbox SET next_at = ? WHERE destination = ? AND state = 'waiting' AND next_at > ?",
            [.int(now.microseconds), .text(destination), .int(now.microseconds)])
        let keys = try connection.all(
            """
            SELECT ordering_key FROM outbox_lanes WHERE destination = ? AND (lease_until IS NULL OR lease_until <= ?)
            """, [.text(destination), .int(now.microseconds)]
        ) { try $0.text(0) }
        for key in keys { try endLease(destination, key, hold: false, at: now) }
        try refresh(destination, pause: UTCInstant(microseconds: 0))
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
            SELECT number, event FROM outbox WHERE state IN ('done', 'discarded') AND ended_at < ? \
            ORDER BY ended_at, number LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))]
        ) { (number: try $0.int(0), event: try $0.text(1)) }
        if ended.isEmpty { return 0 }
        try MessageKeyTable(connection: connection).remove(of: ended.map(\.event))
        let numbers = ended.map(\.number)
        return try connection.run(
            "DELETE FROM outbox WHERE \(connection.dialect.isInInts("number"))", [.ints(numbers)])
    }
}
