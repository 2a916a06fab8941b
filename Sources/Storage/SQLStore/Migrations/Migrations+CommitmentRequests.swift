extension Migrations {
    /// Requests for storage commitment by HTTP; which client subscribed the AEs that are no peers; and what was decided of
    /// single rejected instances, which stood with their series before. PS3.18 §13, §11.10, IHE RAD IOCM.
    static func commitmentRequests(_ number: Int) -> Migration {
        Migration(
            number, "commitment requests",
            [
                """
                CREATE TABLE commitment_requests (client {text} NOT NULL, transaction_uid {text} NOT NULL, \
                instances {int} NOT NULL, state {text} NOT NULL, accepted_at {int} NOT NULL, ended_at {int}, \
                named {text} NOT NULL, outcome {text}, PRIMARY KEY (client, transaction_uid)) {table}
                """,
                "CREATE INDEX commitment_requests_load ON commitment_requests (client, instances)",
                """
                CREATE INDEX commitment_requests_open ON commitment_requests (accepted_at, client, transaction_uid) \
                WHERE state = 'working'
                """,
                "CREATE INDEX commitment_requests_ended ON commitment_requests (ended_at) WHERE ended_at IS NOT NULL",
                "CREATE TABLE workitem_receivers (receiver {text} PRIMARY KEY, client {text} NOT NULL) {table}",
                "CREATE INDEX workitem_receivers_client ON workitem_receivers (client)",
                // Those of before are nobody's.
                """
                INSERT INTO workitem_receivers (receiver, client) SELECT t.receiver, '' FROM (SELECT receiver \
                FROM workitem_subscriptions UNION SELECT receiver FROM worklist_subscriptions) AS t WHERE NOT EXISTS \
                (SELECT 1 FROM peer_services p WHERE p.service = 'ups' AND p.name = t.receiver)
                """,
                """
                CREATE TABLE rejected_decisions (sop_uid {text} PRIMARY KEY, study_uid {text} NOT NULL, \
                series_uid {text} NOT NULL, detail {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX rejected_decisions_series ON rejected_decisions (study_uid, series_uid)",
            ])
    }
}
