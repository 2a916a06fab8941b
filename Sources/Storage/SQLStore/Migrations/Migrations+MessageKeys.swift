extension Migrations {
    /// The patient and accession numbers of messages: those of the journal by their id, those of the outbox by their event.
    static func messageKeys(_ number: Int) -> Migration {
        Migration(
            number, "numbers in messages",
            [
                """
                CREATE TABLE message_keys (kind {text} NOT NULL, value {text} NOT NULL, message_id {text} NOT NULL, \
                PRIMARY KEY (kind, value, message_id)) {clustered}
                """, "CREATE INDEX message_keys_message ON message_keys (message_id)",
                "CREATE INDEX outbox_event ON outbox (event)",
            ])
    }
}
