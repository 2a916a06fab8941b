import Access

/// Applications that wait for an operator, beside their rows of clients, which are revoked as long as they wait.
struct RegistrationTable {
    /// How long it is kept who was refused and why, in microseconds: 90 days.
    private static let refusedKept: Int64 = 90 * 86_400_000_000

    let connection: any SQLConnection

    private static let columns = "client, statement, statement_issuer, address, expires_at"

    func keep(_ registration: ClientRegistration, waitingMax: Int, at time: Int64) throws -> Bool {
        try forget(at: time)
        let waiting = try connection.first(
            "SELECT COUNT(*) FROM registrations WHERE state = 'waiting'", []
        ) { try $0.int(0) }
        guard (waiting ?? 0) < Int64(waitingMax) else { return false }
        var client = registration.client
        client.revokedAt = client.registeredAt
        try ClientTable(connection: connection).save(client)
        return try connection.run(
            """
            INSERT INTO registrations (\(Self.columns), state) VALUES (?, ?, ?, ?, ?, 'waiting') ON CONFLICT DO NOTHING
            """,
            [
                .text(client.id), SQLValue(registration.softwareStatement), SQLValue(registration.statementIssuer),
                SQLValue(registration.address), .int(registration.expiresAt),
            ]) > 0
    }

    /// Those that have waited too long, and what is known of those that were refused long ago.
    private func forget(at time: Int64) throws {
        try connection.run(
            """
            DELETE FROM clients WHERE id IN (SELECT client FROM registrations WHERE state = 'waiting' AND \
            expires_at <= ?)
            """, [.int(time)])
        try connection.run("DELETE FROM registrations WHERE state = 'waiting' AND expires_at <= ?", [.int(time)])
        try connection.run(
            "DELETE FROM registrations WHERE state = 'refused' AND decided_at <= ?", [.int(time - Self.refusedKept)])
    }

    func registration(_ clientID: String, at time: Int64) throws -> ClientRegistration? {
        try waiting("AND client = ?", [.text(clientID)], at: time).first
    }

    func waiting(at time: Int64) throws -> [ClientRegistration] { try waiting("", [], at: time) }

    private func waiting(_ condition: String, _ values: [SQLValue], at time: Int64) throws -> [ClientRegistration] {
        let rows = try connection.all(
            """
            SELECT \(Self.columns) FROM registrations WHERE state = 'waiting' AND expires_at > ? \(condition) \
            ORDER BY expires_at, client
            """, [.int(time)] + values
        ) { row in
            (
                try row.text(0), try row.optionalText(1), try row.optionalText(2), try row.optionalText(3),
                try row.int(4)
            )
        }
        return try rows.compactMap { id, statement, issuer, address, expires in
            try ClientTable(connection: connection).client(id: id).map {
                ClientRegistration(
                    client: $0, softwareStatement: statement, statementIssuer: issuer, address: address,
                    expiresAt: expires)
            }
        }
    }

    func approve(_ clientID: String, scopes: GrantedScopes, at time: Int64) throws -> Bool {
        guard try decide(clientID, "approved", reason: nil, at: time) else { return false }
        return try connection.run(
            "UPDATE clients SET scopes = ?, launch_scopes = ?, revoked_at = NULL WHERE id = ?",
            [
                .text(scopes.resources.map(\.text).joined(separator: " ")),
                .text(scopes.others.map(\.rawValue).joined(separator: " ")), .text(clientID),
            ]) > 0
    }

    func refuse(_ clientID: String, reason: String, at time: Int64) throws -> Bool {
        guard try decide(clientID, "refused", reason: reason, at: time) else { return false }
        return try connection.run("DELETE FROM clients WHERE id = ?", [.text(clientID)]) > 0
    }

    /// Once, whoever else decides at the same time.
    private func decide(_ clientID: String, _ state: String, reason: String?, at time: Int64) throws -> Bool {
        try connection.run(
            """
            UPDATE registrations SET state = ?, reason = ?, decided_at = ? WHERE client = ? AND state = 'waiting' AND \
            expires_at > ?
            """, [.text(state), SQLValue(reason), .int(time), .text(clientID), .int(time)]) > 0
    }
}
