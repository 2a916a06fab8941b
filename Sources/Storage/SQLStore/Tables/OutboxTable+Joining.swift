import Workflow

/// One order that becomes of two.
extension OutboxTable {
    /// A lane as it is kept.
    private struct Lane {
        let dueAt: Int64
        let owner: String?
        let leaseUntil: Int64?
        let leasedNumber: Int64?
        let isHeld: Bool
    }

    private func lane(_ destination: String, _ key: String) throws -> Lane? {
        try connection.first(
            """
            SELECT due_at, owner, lease_until, leased_number, held FROM outbox_lanes \
            WHERE destination = ? AND ordering_key = ?
            """, [.text(destination), .text(key)]
        ) { row in
            Lane(
                dueAt: try row.int(0), owner: try row.optionalText(1), leaseUntil: try row.optionalInt(2),
                leasedNumber: try row.optionalInt(3), isHeld: try row.bool(4))
        }
    }

    /// Gives what waits or is parked under one key of a destination another key: from now on it leaves in one order, that
    /// of the commits, with what is there. A lane that waits for an operator has the joined one wait too.
    ///
    /// What is on its way keeps its lease. Where something of both keys is, what was of `old` goes on by itself: only that
    /// one may, if it has to be tried again, leave after what comes later.
    func join(_ old: String, into key: String, at destination: String, now: UTCInstant) throws {
        guard old != key else { return }
        let (from, to) = (try lane(destination, old), try lane(destination, key))
        let areBothLeased = from?.owner != nil && to?.owner != nil
        for state in ["waiting", "parked"] {
            try connection.run(
                """
                UPDATE outbox SET ordering_key = ? WHERE destination = ? AND ordering_key = ? AND state = '\(state)' \
                AND number <> ?
                """,
                [
                    .text(key), .text(destination), .text(old),
                    .int(areBothLeased ? from?.leasedNumber ?? 0 : 0),
                ])
        }
        guard let from else { return }
        let names: [SQLValue] = [.text(destination), .text(key)]
        guard let to else {
            // The lane as it is, on its way or not.
            try connection.run(
                "UPDATE outbox_lanes SET ordering_key = ? WHERE destination = ? AND ordering_key = ?",
                [.text(key), .text(destination), .text(old)])
            return
        }
        let isHeld = from.isHeld || to.isHeld
        if areBothLeased {
            try connection.run(
                "UPDATE outbox_lanes SET held = 0 WHERE destination = ? AND ordering_key = ?",
                [.text(destination), .text(old)])
        } else {
            try connection.run(
                "DELETE FROM outbox_lanes WHERE destination = ? AND ordering_key = ?", [.text(destination), .text(old)])
        }
        if to.owner != nil {
            try connection.run(
                "UPDATE outbox_lanes SET held = ? WHERE destination = ? AND ordering_key = ?",
                [SQLValue(isHeld)] + names)
        } else if from.owner != nil {
            try connection.run(
                """
                UPDATE outbox_lanes SET due_at = ?, owner = ?, lease_until = ?, leased_number = ?, held = ? \
                WHERE destination = ? AND ordering_key = ?
                """,
                [
                    .int(from.dueAt), SQLValue(from.owner), SQLValue(from.leaseUntil), SQLValue(from.leasedNumber),
                    SQLValue(isHeld),
                ] + names)
        } else {
            try endLease(destination, key, hold: isHeld, at: now)
        }
        try refresh(destination)
    }
}
