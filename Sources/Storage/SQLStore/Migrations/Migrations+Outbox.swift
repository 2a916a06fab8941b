extension Migrations {
    /// What is to reach other systems, with the order in which it may.
    ///
    /// A lane is one destination and ordering key of which something waits: it is leased as a whole, so that no two
    /// servers deliver from one order. `due_at` says when a lane may be taken: at its next attempt, or when its lease
    /// ends. A destination's is the earliest of its lanes', or the end of its pause, so that what is due is found without
    /// a walk over what waits.
    static func outbox(_ number: Int) -> Migration {
        Migration(
            number, "outbox",
            [
                """
                CREATE TABLE outbox (number {identity}, event {text} NOT NULL, destination {text} NOT NULL, \
                ordering_key {text} NOT NULL, kind {text} NOT NULL, payload {bytes} NOT NULL, state {text} NOT NULL, \
                attempts {int} NOT NULL, created_at {int} NOT NULL, waiting_since {int} NOT NULL, next_at {int} NOT NULL, \
                ended_at {int}, failure {text}) {table}
                """,
                """
                CREATE INDEX outbox_waiting ON outbox (destination, ordering_key, number, kind, created_at) \
                WHERE state = 'waiting'
                """,
                """
                CREATE INDEX outbox_parked ON outbox (destination, ordering_key, number, kind, created_at) \
                WHERE state = 'parked'
                """,
                "CREATE INDEX outbox_ended ON outbox (ended_at, number) WHERE state IN ('done', 'discarded')",
                """
                CREATE TABLE outbox_lanes (destination {text} NOT NULL, ordering_key {text} NOT NULL, \
                due_at {int} NOT NULL, owner {text}, lease_until {int}, held {int} NOT NULL, \
                PRIMARY KEY (destination, ordering_key)) {clustered}
                """,
                "CREATE INDEX outbox_lanes_due ON outbox_lanes (destination, due_at, ordering_key)",
                "CREATE INDEX outbox_lanes_owner ON outbox_lanes (owner) WHERE owner IS NOT NULL",
                """
                CREATE TABLE outbox_destinations (destination {text} PRIMARY KEY, kind {text} NOT NULL, \
                due_at {int} NOT NULL, paused_until {int} NOT NULL) {clustered}
                """,
                "CREATE INDEX outbox_destinations_due ON outbox_destinations (due_at, destination)",
            ])
    }
}
