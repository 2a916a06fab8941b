import Workflow

/// The numbers by which messages are looked for.
struct MessageKeyTable {
    let connection: any SQLConnection

    private static let insertion = SQLRowInsert(
        into: "message_keys", [("kind", .text), ("value", .text), ("message_id", .text), ("noted_at", .int)],
        suffix: "ON CONFLICT DO NOTHING")

    /// - Parameter time: of the message's own row: ``remove(of:)`` finds its numbers by that.
    func insert(_ keys: MessageKeys, of messageID: String, at time: UTCInstant) throws {
        let rows: [[SQLValue]] = MessageKeys.Kind.allCases.flatMap { kind in
            keys[kind].map { [.text(kind.rawValue), .text($0), .text(messageID), .int(time.microseconds)] }
        }
        if !rows.isEmpty { try connection.insert(Self.insertion, rows: rows) }
    }

    /// - Parameter messages: with the times of their rows.
    func remove(of messages: [(id: String, at: Int64)]) throws {
        if messages.isEmpty { return }
        let dialect = connection.dialect
        try connection.run(
            """
            DELETE FROM message_keys WHERE \(dialect.isInInts("noted_at")) AND \(dialect.isInTexts("message_id"))
            """, [.ints(Array(Set(messages.map(\.at)))), .texts(messages.map(\.id))])
    }

    /// A condition on the column that has the message's id.
    static func condition(_ column: String) -> String {
        "\(column) IN (SELECT message_id FROM message_keys WHERE kind = ? AND value = ?)"
    }
}
