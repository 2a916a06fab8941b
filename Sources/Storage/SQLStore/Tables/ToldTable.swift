import Workflow

/// What destinations were told.
struct ToldTable {
    let connection: any SQLConnection

    func told(_ subject: String, to destination: String) throws -> Told? {
        try connection.first(
            "SELECT state, digest, detail FROM told WHERE destination = ? AND subject = ?",
            [.text(destination), .text(subject)]
        ) {
            Told(
                destination: destination, subject: subject, state: try $0.text(0), digest: try $0.text(1),
                detail: try $0.optionalText(2))
        }
    }

    func save(_ told: Told) throws {
        try connection.run(
            """
            INSERT INTO told (destination, subject, state, digest, detail) VALUES (?, ?, ?, ?, ?) \
            ON CONFLICT (destination, subject) DO UPDATE SET state = excluded.state, digest = excluded.digest, \
            detail = excluded.detail
            """,
            [
                .text(told.destination), .text(told.subject), .text(told.state), .text(told.digest),
                SQLValue(told.detail),
            ])
    }

    func forget(_ told: Told) throws {
        try connection.run(
            "DELETE FROM told WHERE destination = ? AND subject = ?", [.text(told.destination), .text(told.subject)])
    }
}

extension SQLUnitOfWork: ToldUnit {
    func told(_ subject: String, to destination: String) throws -> Told? {
        try ToldTable(connection: connection).told(subject, to: destination)
    }
    func save(_ told: Told) throws {
        _ = try writing()
        try ToldTable(connection: connection).save(told)
    }
    func forget(_ told: Told) throws {
        _ = try writing()
        try ToldTable(connection: connection).forget(told)
    }
    func joinTelling(of orderingKey: String, into other: String, to destination: String) throws {
        _ = try writing()
        try OutboxTable(connection: connection).join(orderingKey, into: other, at: destination, now: time)
    }
}
