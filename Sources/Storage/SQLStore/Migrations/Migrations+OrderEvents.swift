extension Migrations {
    /// What was said of each order, from which its state is made; the assigning authorities that senders name and the
    /// site has not configured; and the failed messages that a merge of patients may let pass.
    ///
    /// The events of an order lie in one row: they are only read and written together, when an event is added.
    static let orderEvents = Migration(
        11, "order events",
        [
            "CREATE TABLE order_events (order_id {text} PRIMARY KEY, detail {bytes} NOT NULL) {table}",
            """
            CREATE TABLE unknown_authorities (system {text} PRIMARY KEY, namespace {text}, universal_id {text}, \
            universal_id_type {text}, first_seen {int} NOT NULL) {table}
            """,
            """
            CREATE TABLE awaiting_messages (system {text} NOT NULL, value {text} NOT NULL, message_id {text} NOT NULL, \
            PRIMARY KEY (system, value, message_id)) {table}
            """,
            "CREATE INDEX awaiting_messages_message ON awaiting_messages (message_id)",
            "CREATE INDEX series_accession ON series (accession) WHERE accession IS NOT NULL",
        ])
}
