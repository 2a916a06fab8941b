extension Migrations {
    /// What became of the values of a journalled message, beside it; and the order in which an operator lists messages.
    static let messageCoverage = Migration(
        5, "message coverage",
        [
            "ALTER TABLE messages ADD COLUMN coverage {text}",
            "CREATE INDEX messages_received ON messages (received_at, id)",
        ])
}
