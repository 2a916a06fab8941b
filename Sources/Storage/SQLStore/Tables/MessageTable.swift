import Workflow

/// The journal of messages.
struct MessageTable {
    let connection: any SQLConnection

    private static let columns = """
        id, sender, control_id, type, digest, raw, disposition, note, acknowledgement, received_at, peer, coverage, \
        patients
        """

    /// Newest first; a sender that reuses control ids has several.
    func messages(sender: String, controlID: String) throws -> [JournaledMessage] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM messages WHERE control_id = ? AND sender = ? ORDER BY ordinal DESC, id LIMIT 20
            """, [.text(controlID), .text(sender)], Self.message)
    }

    func message(_ id: EntityID) throws -> JournaledMessage? {
        try connection.all("SELECT \(Self.columns) FROM messages WHERE id = ?", [.text(id.value)], Self.message).first
    }

    /// Newest first.
    func messages(_ query: MessageQuery) throws -> [JournaledMessage] {
        var conditions: [String] = []
        var values: [SQLValue] = []
        func add(_ condition: String, _ value: String?) {
            guard let value else { return }
            conditions.append(condition)
            values.append(.text(value))
        }
        add("disposition = ?", query.disposition?.rawValue)
        add("sender = ?", query.sender)
        add("control_id = ?", query.controlID)
        for (kind, value) in [(MessageKeys.Kind.patient, query.patient), (.accession, query.accession)] {
            guard let value else { continue }
            conditions.append(MessageKeyTable.condition("id"))
            values += [.text(kind.rawValue), .text(value)]
        }
        for (condition, time) in [("received_at >= ?", query.since), ("received_at < ?", query.until)] {
            guard let time else { continue }
            conditions.append(condition)
            values.append(.int(time.microseconds))
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try connection.all(
            "SELECT \(Self.columns) FROM messages \(filter) ORDER BY received_at DESC, id DESC LIMIT ?",
            values + [.int(Int64(query.limit))], Self.message)
    }

    private static func message(_ row: SQLRow) throws -> JournaledMessage {
        let id = try row.text(0)
        var message = JournaledMessage(
            id: EntityID(id), sender: try row.text(1), controlID: try row.text(2), type: try row.text(3),
            digest: try row.text(4), raw: try row.opened(5, .messageText, id),
            disposition: JournaledMessage.Disposition(rawValue: try row.text(6)) ?? .failed,
            note: try row.optionalText(7), acknowledgement: try row.opened(8, .messageAnswer, id),
            receivedAt: UTCInstant(microseconds: try row.int(9)), peer: try row.optionalText(10),
            coverage: try row.optionalText(11).map { MessageCoverage(text: $0) })
        message.patientIDs = (try row.optionalText(12) ?? "").split(separator: " ").map { EntityID(String($0)) }
        return message
    }

    private static func answer(_ message: JournaledMessage) -> SQLValue {
        .sealable(.messageAnswer, message.id.value, message.acknowledgement)
    }

    private static func patients(_ message: JournaledMessage) -> SQLValue {
        message.patientIDs.isEmpty
            ? .null : .text(message.patientIDs.prefix(100).map(\.value).joined(separator: " "))
    }

    // MARK: Waiting for a merge

    func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws {
        for number in patientNumbers {
            try connection.run(
                "INSERT INTO awaiting_messages (system, value, message_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [.text(number.system), .text(number.value), .text(messageID.value)])
        }
    }

    /// Lets what waits for a number of one system wait for that of another.
    func mapAwaited(_ old: String, to new: String) throws {
        try connection.run(
            """
            INSERT INTO awaiting_messages (system, value, message_id) SELECT ?, value, message_id FROM awaiting_messages
            WHERE system = ? ON CONFLICT DO NOTHING
            """, [.text(new), .text(old)])
        try connection.run("DELETE FROM awaiting_messages WHERE system = ?", [.text(old)])
    }

    /// Oldest first.
    func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID] {
        var ids: Set<String> = []
        for number in patientNumbers {
            ids.formUnion(
                try connection.all(
                    "SELECT message_id FROM awaiting_messages WHERE system = ? AND value = ? LIMIT 1000",
                    [.text(number.system), .text(number.value)]
                ) { try $0.text(0) })
        }
        guard !ids.isEmpty else { return [] }
        return try connection.all(
            "SELECT id FROM messages WHERE \(connection.dialect.isInTexts("id")) ORDER BY ordinal, id LIMIT 1000",
            [.texts(ids.sorted())]
        ) { EntityID(try $0.text(0)) }
    }

    func awaitingMessage(_ id: EntityID) throws -> JournaledMessage? {
        try connection.all(
            """
            SELECT \(Self.columns) FROM messages \
            WHERE id = ? AND EXISTS (SELECT 1 FROM awaiting_messages WHERE message_id = messages.id)
            """, [.text(id.value)], Self.message
        ).first
    }

    func settle(_ message: JournaledMessage) throws {
        try connection.run(
            "UPDATE messages SET disposition = ?, note = ?, acknowledgement = ?, patients = ? WHERE id = ?",
            [
                .text(message.disposition.rawValue), SQLValue(message.note), Self.answer(message),
                Self.patients(message), .text(message.id.value),
            ])
        try connection.run("DELETE FROM awaiting_messages WHERE message_id = ?", [.text(message.id.value)])
    }

    func insert(_ message: JournaledMessage, ordinal: Int64) throws {
        try connection.run(
            """
            INSERT INTO messages (id, ordinal, sender, control_id, type, digest, raw, disposition, note, acknowledgement,
            received_at, peer, coverage, patients) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(message.id.value), .int(ordinal), .text(message.sender), .text(message.controlID),
                .text(message.type),
                .text(message.digest), .sealable(.messageText, message.id.value, message.raw),
                .text(message.disposition.rawValue), SQLValue(message.note), Self.answer(message),
                .int(message.receivedAt.microseconds), SQLValue(message.peer),
                SQLValue(message.coverage?.text), Self.patients(message),
            ])
        try MessageKeyTable(connection: connection).insert(
            message.keys, of: message.id.value, at: message.receivedAt)
    }
}
