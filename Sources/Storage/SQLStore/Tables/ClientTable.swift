import Access

/// Registered clients and the ids of assertions that they have used.
struct ClientTable {
    let connection: any SQLConnection

    private static let clientColumns = """
        id, name, jwks, jwks_url, scopes, registered_at, revoked_at, launch_scopes, redirect_uris, launch_url, \
        secret_digest, is_public, id_token_alg
        """

    func client(id: String) throws -> Client? {
        try connection.first("SELECT \(Self.clientColumns) FROM clients WHERE id = ?", [.text(id)], Self.client)
    }

    func clients() throws -> [Client] {
        try connection.all(
            "SELECT \(Self.clientColumns) FROM clients ORDER BY registered_at, id LIMIT 10000", [], Self.client)
    }

    /// What some of them are called, by their ids.
    func names(of ids: [String]) throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try connection.all(
                "SELECT id, name FROM clients WHERE \(connection.dialect.isInTexts("id"))", [.texts(ids)]
            ) { (try $0.text(0), try $0.text(1)) })
    }

    func save(_ client: Client) throws {
        try connection.run(
            """
            INSERT INTO clients (\(Self.clientColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, jwks = excluded.jwks, jwks_url = excluded.jwks_url,
            scopes = excluded.scopes, revoked_at = excluded.revoked_at, launch_scopes = excluded.launch_scopes,
            redirect_uris = excluded.redirect_uris, launch_url = excluded.launch_url,
            secret_digest = excluded.secret_digest, is_public = excluded.is_public,
            id_token_alg = excluded.id_token_alg
            """,
            [
                .text(client.id), .text(client.name), SQLValue(client.jwks), SQLValue(client.jwksURL),
                .text(client.scopes.map(\.text).joined(separator: " ")), .int(client.registeredAt),
                SQLValue(client.revokedAt), .text(client.launchScopes.map(\.rawValue).joined(separator: " ")),
                // No URI holds a space.
                .text(client.redirectURIs.joined(separator: " ")), SQLValue(client.launchURL),
                SQLValue(client.secretDigest), SQLValue(client.isPublic),
                .text(client.identityAlgorithm.rawValue),
            ])
    }

    func revoke(clientID: String, at time: Int64) throws -> Bool {
        try connection.run(
            "UPDATE clients SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", [.int(time), .text(clientID)]) > 0
    }

    private static func client(_ row: SQLRow) throws -> Client {
        Client(
            id: try row.text(0), name: try row.text(1), jwks: try row.optionalText(2), jwksURL: try row.optionalText(3),
            scopes: try row.text(4).split(separator: " ").compactMap { Scope(String($0)) },
            launchScopes: GrantedScopes(try row.optionalText(7) ?? "").others,
            redirectURIs: (try row.optionalText(8) ?? "").split(separator: " ").map(String.init),
            launchURL: try row.optionalText(9), secretDigest: try row.optionalBytes(10),
            isPublic: try row.bool(11),
            identityAlgorithm: try row.optionalText(12).flatMap(IdentityAlgorithm.init) ?? .es256,
            registeredAt: try row.int(5), revokedAt: try row.optionalInt(6))
    }

    // MARK: Assertions

    /// False when the issuer used the id before. Forgets entries that have expired, a few at a time.
    func useOnce(issuer: String, jti: String, expires: Int64, now: Int64) throws -> Bool {
        try connection.run("DELETE FROM assertions WHERE expires < ?", [.int(now)])
        return try connection.run(
            "INSERT INTO assertions (issuer, jti, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [.text(issuer), .text(jti), .int(expires)]) > 0
    }
}
