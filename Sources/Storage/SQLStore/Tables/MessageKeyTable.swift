import Workflow

/// The numbers by which messages are looked for.
struct MessageKeyTable {
    let connection: any SQLConnection

    func insert(_ keys: MessageKeys, of messageID: String) throws {
        for kind in MessageKeys.Kind.allCases {
            for value in keys[kind] {
                try connection.run(
                    "INSERT INTO message_keys (kind, value, message_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    [.text(kind.rawValue), .text(value), .text(messageID)])
            }
        }
    }

    func remove(of messageIDs: [String]) throws {
        if messageIDs.isEmpty { return }
        try connection.run(
            "DELETE FROM message_keys WHERE \(connection.dialect.isInTexts("message_id"))", [.texts(messageIDs)])
    }

    /// A condition on the column that has the message's id.
    static func condition(_ column: String) -> String {
        "\(column) IN (SELECT message_id FROM message_keys WHERE kind = ? AND value = ?)"
    }
}
