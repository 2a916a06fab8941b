import Access

/// What people have authorized, and the codes and refresh tokens of it.
struct GrantTable {
    let connection: any SQLConnection

    /// How long a grant is remembered after its end, in microseconds: whoever comes with a stolen token of it is told apart
    /// from whoever guesses.
    static let memory: Int64 = 7 * 86_400 * 1_000_000

    private static let columns = """
        g.id, g.client_id, g.account_id, g.session_id, g.display_name, g.fhir_user, g.reach, g.scopes, g.signed_in_at, \
        g.granted_at, g.expires, g.revoked_at, g.context
        """

    func save(_ grant: Grant, at time: Int64) throws {
        try forget(at: time)
        try connection.run(
            """
            INSERT INTO grants (id, client_id, account_id, session_id, display_name, fhir_user, reach, scopes,
            signed_in_at, granted_at, expires, revoked_at, context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(grant.id), .text(grant.clientID), .text(grant.accountID), .text(grant.sessionID),
                .text(grant.displayName), SQLValue(grant.fhirUser),
                .text(Self.text(of: grant)), .text(grant.scopes.text),
                .int(grant.signedInAt), .int(grant.grantedAt), .int(grant.expires), SQLValue(grant.revokedAt),
                try DetailColumn.encode(grant.context),
            ])
    }

    /// A few of those that ended long ago, with all that came of them.
    private func forget(at time: Int64) throws {
        let ended = try connection.all(
            "SELECT id FROM grants WHERE expires < ? ORDER BY expires LIMIT 100", [.int(time - Self.memory)]
        ) { try $0.text(0) }
        for id in ended {
            for table in ["authorization_codes", "refresh_tokens"] {
                try connection.run("DELETE FROM \(table) WHERE grant_id = ?", [.text(id)])
            }
            try connection.run("DELETE FROM grants WHERE id = ?", [.text(id)])
        }
    }

    func grant(_ id: String) throws -> Grant? {
        try connection.first("SELECT \(Self.columns) FROM grants g WHERE g.id = ?", [.text(id)]) {
            try Self.grant($0)
        }
    }

    func revoke(_ id: String, at time: Int64) throws -> Bool {
        try connection.run(
            "UPDATE grants SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", [.int(time), .text(id)]) > 0
    }

    /// - Parameter clientID: nil for those of every client.
    func revoke(ofAccount accountID: String, clientID: String? = nil, at time: Int64) throws -> Int {
        var values: [SQLValue] = [.int(time), .text(accountID)]
        if let clientID { values.append(.text(clientID)) }
        return try connection.run(
            """
            UPDATE grants SET revoked_at = ? WHERE account_id = ? AND revoked_at IS NULL\
            \(clientID == nil ? "" : " AND client_id = ?")
            """, values)
    }

    /// Later than it was, so that a grant lives as long as its youngest token.
    func extend(_ id: String, to expires: Int64) throws {
        try connection.run(
            "UPDATE grants SET expires = ? WHERE id = ? AND expires < ?", [.int(expires), .text(id), .int(expires)])
    }

    // MARK: Codes

    func save(_ code: AuthorizationCode) throws {
        try connection.run(
            """
            INSERT INTO authorization_codes (digest, grant_id, redirect_uri, challenge, nonce, expires)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                .bytes(code.digest), .text(code.grantID), .text(code.redirectURI), .text(code.challenge),
                SQLValue(code.nonce), .int(code.expires),
            ])
    }

    func code(_ digest: [UInt8], at time: Int64) throws -> CodeState {
        let found = try connection.first(
            """
            SELECT \(Self.columns), c.redirect_uri, c.challenge, c.nonce, c.expires, c.used_at
            FROM authorization_codes c JOIN grants g ON g.id = c.grant_id WHERE c.digest = ?
            """, [.bytes(digest)]
        ) { row -> CodeState in
            let grant = try Self.grant(row)
            // Used goes before expired: the second use ends what came of the first, however late it comes.
            if !row.isNull(17) { return .used(grant) }
            if try row.int(16) <= time || grant.revokedAt != nil { return .expired(grant) }
            return .fresh(
                AuthorizationCode(
                    digest: digest, grantID: grant.id, redirectURI: try row.text(13), challenge: try row.text(14),
                    nonce: try row.optionalText(15), expires: try row.int(16)), grant)
        }
        return found ?? .unknown
    }

    func redeem(_ digest: [UInt8], refresh: RefreshToken?, at time: Int64) throws -> Bool {
        guard try use("authorization_codes", digest, at: time) else { return false }
        if let refresh { try save(refresh) }
        return true
    }

    // MARK: Refresh tokens

    private func save(_ token: RefreshToken) throws {
        try connection.run(
            "INSERT INTO refresh_tokens (digest, grant_id, expires) VALUES (?, ?, ?)",
            [.bytes(token.digest), .text(token.grantID), .int(token.expires)])
        try extend(token.grantID, to: token.expires)
    }

    func refreshToken(_ digest: [UInt8], at time: Int64) throws -> RefreshState {
        let found = try connection.first(
            """
            SELECT \(Self.columns), t.expires, t.used_at FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
            WHERE t.digest = ? AND g.revoked_at IS NULL
            """, [.bytes(digest)]
        ) { row -> RefreshState in
            let grant = try Self.grant(row)
            if !row.isNull(14) { return .used(grant) }
            let expires = try row.int(13)
            if expires <= time { return .expired(grant) }
            return .fresh(RefreshToken(digest: digest, grantID: grant.id, expires: expires), grant)
        }
        return found ?? .unknown
    }

    func rotate(_ digest: [UInt8], to next: RefreshToken, at time: Int64) throws -> Bool {
        guard try use("refresh_tokens", digest, at: time) else { return false }
        // A grant that is refreshed for ever keeps no more than the tokens of one life.
        try connection.run(
            "DELETE FROM refresh_tokens WHERE grant_id = ? AND expires < ?",
            [.text(next.grantID), .int(time - Self.memory)])
        try save(next)
        return true
    }

    /// Marks a code or token used; false where it was, has expired, or belongs to a revoked grant.
    private func use(_ table: String, _ digest: [UInt8], at time: Int64) throws -> Bool {
        try connection.run(
            """
            UPDATE \(table) SET used_at = ? WHERE digest = ? AND used_at IS NULL AND expires > ?
            AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)
            """, [.int(time), .bytes(digest), .int(time)]) > 0
    }

    /// References of compartments; for whoever works here the role, and `launched:` with the patient whom an EHR has shown.
    private static func text(of grant: Grant) -> String {
        (grant.reach.map(\.reference)
            + [grant.role?.rawValue, grant.launched.map { Self.launched + $0 }].compactMap { $0 })
            .joined(separator: " ")
    }
    private static let launched = "launched:"

    private static func grant(_ row: SQLRow) throws -> Grant {
        let words = try row.text(6).split(separator: " ").map(String.init)
        return Grant(
            id: try row.text(0), clientID: try row.text(1), accountID: try row.text(2), sessionID: try row.text(3),
            displayName: try row.text(4), fhirUser: try row.optionalText(5),
            reach: words.compactMap { Compartment(reference: $0) },
            role: words.lazy.compactMap { Practice.Role(rawValue: $0) }.first,
            launched: words.first { $0.hasPrefix(Self.launched) }.map { String($0.dropFirst(Self.launched.count)) },
            scopes: GrantedScopes(try row.text(7)),
            context: try DetailColumn.decode(LaunchContext.self, try row.bytes(12)), signedInAt: try row.int(8),
            grantedAt: try row.int(9), expires: try row.int(10), revokedAt: try row.optionalInt(11))
    }
}
