extension Migrations {
    /// The numbers of messages go by the time of their message: the end of that index is in memory, while a place by id is
    /// anywhere in it and costs a page for each number.
    static func messageKeyTimes(_ number: Int) -> Migration {
        Migration(
            number, "times of message numbers",
            [
                "DROP INDEX message_keys_message",
                "ALTER TABLE message_keys ADD COLUMN noted_at {int} NOT NULL DEFAULT 0",
                """
                UPDATE message_keys SET noted_at = COALESCE(\
                (SELECT m.received_at FROM messages m WHERE m.id = message_keys.message_id), \
                (SELECT MIN(o.created_at) FROM outbox o WHERE o.event = message_keys.message_id), 0)
                """,
                "CREATE INDEX message_keys_time ON message_keys (noted_at)",
            ])
    }
}
