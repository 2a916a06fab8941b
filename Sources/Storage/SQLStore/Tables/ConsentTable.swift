import Access

/// What people are not asked again.
struct ConsentTable {
    /// Of one account; the oldest goes when there is one more.
    private static let countMax: Int64 = 500
    /// Those past their time that one more removes.
    private static let forgottenMax = 100
    /// Applications that a person is shown.
    private static let accessMax = 200

    let connection: any SQLConnection

    func consent(
        of account: String, clientID: String, patientID: String?, at time: Int64
    ) throws -> RememberedConsent? {
        try connection.first(
            """
            SELECT asked, agreed, registration, agreed_at, expires FROM consents
            WHERE account = ? AND client = ? AND patient = ? AND expires > ?
            """, [.text(account), .text(clientID), .text(patientID ?? ""), .int(time)]
        ) { row in
            RememberedConsent(
                accountID: account, clientID: clientID, patientID: patientID,
                asked: GrantedScopes(try row.text(0)), agreed: GrantedScopes(try row.text(1)),
                registration: try row.bytes(2), agreedAt: try row.int(3), expires: try row.int(4))
        }
    }

    func remember(_ consent: RememberedConsent, inSession sessionID: String) throws -> Bool {
        guard try BrowserSessionTable(connection: connection).hold(sessionID, of: consent.accountID) else {
            return false
        }
        try connection.run(
            """
            DELETE FROM consents WHERE (account, client, patient) IN (SELECT account, client, patient FROM consents
            WHERE expires < ? ORDER BY expires LIMIT \(Self.forgottenMax))
            """, [.int(consent.agreedAt)])
        try connection.run(
            """
            DELETE FROM consents WHERE (account, client, patient) IN (SELECT account, client, patient FROM consents
            WHERE account = ? ORDER BY agreed_at DESC, client, patient LIMIT 1000 OFFSET \(Self.countMax - 1))
            """, [.text(consent.accountID)])
        try connection.run(
            """
            INSERT INTO consents (account, client, patient, asked, agreed, registration, agreed_at, expires)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, client, patient) DO UPDATE SET
            asked = excluded.asked, agreed = excluded.agreed, registration = excluded.registration,
            agreed_at = excluded.agreed_at, expires = excluded.expires
            """,
            [
                .text(consent.accountID), .text(consent.clientID), .text(consent.patientID ?? ""),
                .text(consent.asked.text), .text(consent.agreed.text), .bytes(consent.registration),
                .int(consent.agreedAt), .int(consent.expires),
            ])
        return true
    }

    func access(of account: String, at time: Int64) throws -> [AppAccess] {
        var found: [String: AppAccess] = [:]
        func note(_ client: String, _ scopes: String, since: Int64, until: Int64?) {
            let scopes = GrantedScopes(scopes)
            guard var known = found[client] else {
                found[client] = AppAccess(
                    clientID: client, name: client, scopes: scopes, since: since, rememberedUntil: until)
                return
            }
            known.scopes.resources += scopes.resources.filter { !known.scopes.resources.contains($0) }
            known.scopes.others += scopes.others.filter { !known.scopes.others.contains($0) }
            known.since = max(known.since, since)
            known.rememberedUntil = [known.rememberedUntil, until].compactMap { $0 }.max()
            found[client] = known
        }
        try connection.run(
            """
            SELECT client_id, scopes, MAX(granted_at) FROM grants
            WHERE account_id = ? AND revoked_at IS NULL AND expires > ?
            GROUP BY client_id, scopes ORDER BY client_id, scopes LIMIT 1000
            """, [.text(account), .int(time)]
        ) { row in note(try row.text(0), try row.text(1), since: try row.int(2), until: nil) }
        try connection.run(
            "SELECT client, agreed, agreed_at, expires FROM consents WHERE account = ? AND expires > ?",
            [.text(account), .int(time)]
        ) { row in
            note(try row.text(0), try row.text(1), since: try row.int(2), until: try row.int(3))
        }
        var access = Array(found.values.sorted { $0.clientID < $1.clientID }.prefix(Self.accessMax))
        let names = try ClientTable(connection: connection).names(of: access.map(\.clientID))
        for index in access.indices { access[index].name = names[access[index].clientID] ?? access[index].clientID }
        return access
    }

    func withdraw(clientID: String, of account: String, at time: Int64) throws -> Bool {
        let forgotten = try connection.run(
            "DELETE FROM consents WHERE account = ? AND client = ?", [.text(account), .text(clientID)])
        let revoked = try GrantTable(connection: connection).revoke(ofAccount: account, clientID: clientID, at: time)
        return forgotten + revoked > 0
    }

    func forgetAll(of account: String) throws {
        try connection.run("DELETE FROM consents WHERE account = ?", [.text(account)])
    }
}
