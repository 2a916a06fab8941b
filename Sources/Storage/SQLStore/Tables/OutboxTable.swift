import Workflow

/// The outbox: what is put in, and what becomes of it.
///
/// One writer at a time changes it, on PostgreSQL too, where each batch of units locks the commit sequence: so a lane
/// that is read here is nobody else's before the commit. The leases hold between the commits.
struct OutboxTable {
    /// The `due_at` of what waits for nothing but an operator.
    static let never = Int64.max

    let connection: any SQLConnection

    static let columns = """
        o.number, o.event, o.destination, o.ordering_key, o.kind, o.payload, o.state, o.attempts, o.created_at, \
        o.waiting_since, o.next_at, o.ended_at, o.failure
        """

    /// - Parameter needsPayload: false for an entry without it where it does not open.
    static func decode(_ row: SQLRow, needsPayload: Bool) throws -> OutboxEntry {
        guard let state = OutboxEntry.State(rawValue: try row.text(6)) else {
            throw SQLStoreError(.corrupt, "an outbox entry has an unknown state")
        }
        let (event, destination) = (try row.text(1), try row.text(2))
        let payload: [UInt8]
        do { payload = try row.opened(5, .outboxPayload, "\(event)/\(destination)") } catch let error as SQLStoreError
            where error.code == .unopened && !needsPayload
        { payload = [] }
        return OutboxEntry(
            number: try row.int(0), eventID: EntityID(event), destination: destination,
            orderingKey: try row.text(3), kind: try row.text(4),
            payload: payload, state: state, attempts: Int(clamping: try row.int(7)),
            createdAt: UTCInstant(microseconds: try row.int(8)),
            waitingSince: UTCInstant(microseconds: try row.int(9)),
            nextAttemptAt: UTCInstant(microseconds: try row.int(10)),
            endedAt: try row.optionalInt(11).map { UTCInstant(microseconds: $0) }, failure: try row.optionalText(12))
    }

    // MARK: Filling

    func enqueue(_ draft: OutboxDraft, eventID: EntityID, at time: UTCInstant) throws {
        for name in [draft.destination, draft.orderingKey, draft.kind, eventID.value] {
            guard name.utf8.count <= OutboxDraft.nameBytesMax, !name.utf8.contains(0) else {
                throw StoreError(.unacceptable, "a name of an outbox entry is too long or holds NUL")
            }
        }
        guard draft.payload.count <= OutboxDraft.payloadBytesMax else {
            throw StoreError(
                .unacceptable, "an outbox entry has at most \(OutboxDraft.payloadBytesMax) bytes; refer to it instead")
        }
        let now = SQLValue.int(time.microseconds)
        try connection.run(
            """
            INSERT INTO outbox (event, destination, ordering_key, kind, payload, state, attempts, created_at, \
            waiting_since, next_at) VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, ?, ?)
            """,
            [
                .text(eventID.value), .text(draft.destination), .text(draft.orderingKey), .text(draft.kind),
                .sealable(.outboxPayload, "\(eventID.value)/\(draft.destination)", draft.payload), now, now, now,
            ])
        try MessageKeyTable(connection: connection).insert(draft.keys, of: eventID.value, at: time)
        let opened = try connection.run(
            """
            INSERT INTO outbox_lanes (destination, ordering_key, due_at, held) VALUES (?, ?, ?, 0) \
            ON CONFLICT (destination, ordering_key) DO NOTHING
            """, [.text(draft.destination), .text(draft.orderingKey), now])
        guard opened > 0 else { return }
        try connection.run(
            """
            INSERT INTO outbox_destinations (destination, kind, due_at, paused_until) VALUES (?, ?, ?, 0) \
            ON CONFLICT (destination) DO UPDATE SET kind = excluded.kind, \
            due_at = CASE WHEN outbox_destinations.paused_until > excluded.due_at \
            AND outbox_destinations.paused_until < outbox_destinations.due_at THEN outbox_destinations.paused_until \
            WHEN outbox_destinations.paused_until <= excluded.due_at AND excluded.due_at < outbox_destinations.due_at \
            THEN excluded.due_at ELSE outbox_destinations.due_at END
            """, [.text(draft.destination), .text(draft.kind), now])
    }

    // MARK: Order

    /// The first entry of a lane that waits.
    func head(_ destination: String, _ orderingKey: String) throws -> OutboxEntry? {
        try connection.first(
            """
            SELECT \(Self.columns) FROM outbox o WHERE o.destination = ? AND o.ordering_key = ? \
            AND o.state = 'waiting' ORDER BY o.number LIMIT 1
            """, [.text(destination), .text(orderingKey)]
        ) { try Self.decode($0, needsPayload: true) }
    }

    /// Ends a lane's lease and says when it may be taken again; a lane of which nothing waits or is parked goes.
    /// - Parameter hold: whether it waits for an operator; nil leaves that as it is.
    func endLease(_ destination: String, _ orderingKey: String, hold: Bool? = nil, at now: UTCInstant) throws {
        let key: [SQLValue] = [.text(destination), .text(orderingKey)]
        let wasHeld = try connection.first(
            "SELECT held FROM outbox_lanes WHERE destination = ? AND ordering_key = ?", key
        ) { try $0.bool(0) }
        guard let wasHeld else { return }
        let isHeld = hold ?? wasHeld
        let nextAt = try connection.first(
            """
            SELECT next_at FROM outbox WHERE destination = ? AND ordering_key = ? AND state = 'waiting' \
            ORDER BY number LIMIT 1
            """, key
        ) { try $0.int(0) }
        if nextAt == nil, !isHeld {
            try connection.run("DELETE FROM outbox_lanes WHERE destination = ? AND ordering_key = ?", key)
        } else {
            let due = isHeld ? Self.never : max(nextAt ?? 0, now.microseconds)
            try connection.run(
                """
                UPDATE outbox_lanes SET due_at = ?, owner = NULL, lease_until = NULL, leased_number = NULL, held = ? \
                WHERE destination = ? AND ordering_key = ?
                """, [.int(due), SQLValue(isHeld)] + key)
        }
    }

    /// Brings a destination in line with its lanes. To be called once after they were changed.
    /// - Parameter pause: until when nothing of it is tried; nil leaves an earlier pause.
    func refresh(_ destination: String, pause: UTCInstant? = nil) throws {
        let first = try connection.first(
            "SELECT MIN(due_at) FROM outbox_lanes WHERE destination = ?", [.text(destination)]
        ) { try $0.optionalInt(0) }
        guard let due = first ?? nil else {
            try connection.run("DELETE FROM outbox_destinations WHERE destination = ?", [.text(destination)])
            return
        }
        if let pause {
            try connection.run(
                "UPDATE outbox_destinations SET paused_until = ? WHERE destination = ?",
                [.int(pause.microseconds), .text(destination)])
        }
        try connection.run(
            """
            UPDATE outbox_destinations SET due_at = CASE WHEN paused_until > ? THEN paused_until ELSE ? END \
            WHERE destination = ? AND due_at <> CASE WHEN paused_until > ? THEN paused_until ELSE ? END
            """, [.int(due), .int(due), .text(destination), .int(due), .int(due)])
    }

    /// The end of a destination's pause; 0 for none.
    func pausedUntil(_ destination: String) throws -> Int64 {
        try connection.first(
            "SELECT paused_until FROM outbox_destinations WHERE destination = ?", [.text(destination)]
        ) { try $0.int(0) } ?? 0
    }
}
