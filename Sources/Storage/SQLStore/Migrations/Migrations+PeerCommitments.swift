extension Migrations {
    /// What destinations have taken and are asked to keep for good, and the transactions by which they are. PS3.4 §J.3.
    static func peerCommitments(_ number: Int) -> Migration {
        Migration(
            number, "commitments of peers",
            [
                """
                CREATE TABLE sent_instances (destination {text} NOT NULL, sop_uid {text} NOT NULL, \
                study_uid {text} NOT NULL, series_uid {text} NOT NULL, sent_class {text} NOT NULL, \
                sent_uid {text} NOT NULL, tries {int} NOT NULL, sent_at {int} NOT NULL, transaction_uid {text}, \
                PRIMARY KEY (destination, sop_uid)) {table}
                """,
                """
                CREATE INDEX sent_instances_unasked ON sent_instances (destination, study_uid, sent_at) \
                WHERE transaction_uid IS NULL
                """,
                """
                CREATE INDEX sent_instances_asked ON sent_instances (transaction_uid, sop_uid) \
                WHERE transaction_uid IS NOT NULL
                """,
                "CREATE INDEX sent_instances_age ON sent_instances (sent_at)",
                """
                CREATE TABLE commitment_transactions (transaction_uid {text} PRIMARY KEY, destination {text} NOT NULL, \
                peer {text} NOT NULL, study_uid {text} NOT NULL, instances {int} NOT NULL, failed {int} NOT NULL, \
                state {text} NOT NULL, asks {int} NOT NULL, created_at {int} NOT NULL, due_at {int}, \
                reported_at {int}) {table}
                """,
                """
                CREATE INDEX commitment_transactions_due ON commitment_transactions (due_at) \
                WHERE due_at IS NOT NULL
                """,
                """
                CREATE INDEX commitment_transactions_open ON commitment_transactions (destination, state, created_at) \
                WHERE state IN ('asked', 'overdue')
                """,
                "CREATE INDEX commitment_transactions_age ON commitment_transactions (created_at)",
            ])
    }
}
