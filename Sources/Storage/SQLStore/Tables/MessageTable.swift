import Workflow

/// The journal of messages.
struct MessageTable {
    let connection: any SQLConnection

    /// Newest first; a sender that reuses control ids has several.
    func messages(sender: String, controlID: String) throws -> [JournaledMessage] {
        try connection.all(
            """
            SELECT id, type, digest, raw, disposition, note, acknowledgement, received_at, peer FROM messages
            WHERE control_id = ? AND sender = ? ORDER BY ordinal DESC, id LIMIT 20
            """, [.text(controlID), .text(sender)]
        ) { row in
            JournaledMessage(
                id: EntityID(try row.text(0)), sender: sender, controlID: controlID, type: try row.text(1),
                digest: try row.text(2), raw: try row.bytes(3),
                disposition: JournaledMessage.Disposition(rawValue: try row.text(4)) ?? .failed,
                note: try row.optionalText(5), acknowledgement: try row.bytes(6),
                receivedAt: UTCInstant(microseconds: try row.int(7)), peer: try row.optionalText(8))
        }
    }

    func insert(_ message: JournaledMessage, ordinal: Int64) throws {
        try connection.run(
            """
            INSERT INTO messages (id, ordinal, sender, control_id, type, digest, raw, disposition, note, acknowledgement,
            received_at, peer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(message.id.value), .int(ordinal), .text(message.sender), .text(message.controlID),
                .text(message.type),
                .text(message.digest), .bytes(message.raw), .text(message.disposition.rawValue), SQLValue(message.note),
                .bytes(message.acknowledgement), .int(message.receivedAt.microseconds), SQLValue(message.peer),
            ])
    }
}
