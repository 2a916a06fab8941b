extension Migrations {
    /// The unified worklist, and who is told of it. PS3.4 Annex CC.
    static func workitems(_ number: Int) -> Migration {
        Migration(
            number, "workitems",
            [
                """
                CREATE TABLE workitems (uid {text} PRIMARY KEY, state {text} NOT NULL, worklist_label {text}, \
                patient_id {text}, scheduled_start {int} NOT NULL, updated_at {int} NOT NULL, detail {bytes} NOT NULL, \
                data_set {bytes} NOT NULL) {table}
                """,
                "CREATE INDEX workitems_start ON workitems (scheduled_start, uid)",
                "CREATE INDEX workitems_state ON workitems (state, scheduled_start, uid)",
                "CREATE INDEX workitems_patient ON workitems (patient_id, scheduled_start, uid)",
                """
                CREATE INDEX workitems_ended ON workitems (updated_at, uid) \
                WHERE state IN ('COMPLETED', 'CANCELED')
                """,
                """
                CREATE TABLE workitem_subscriptions (uid {text} NOT NULL, receiver {text} NOT NULL, \
                has_lock {int} NOT NULL, PRIMARY KEY (uid, receiver)) {clustered}
                """,
                "CREATE INDEX workitem_subscriptions_receiver ON workitem_subscriptions (receiver, uid)",
                """
                CREATE TABLE worklist_subscriptions (receiver {text} NOT NULL, is_filtered {int} NOT NULL, \
                has_lock {int} NOT NULL, filter {bytes}, PRIMARY KEY (receiver, is_filtered)) {clustered}
                """,
            ])
    }
}
