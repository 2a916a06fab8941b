import Access

/// People whom outside OpenID providers know.
struct OutsideIdentityTable {
    let connection: any SQLConnection

    private static let columns = "issuer, subject, account, is_made, linked_at"

    func identity(issuer: String, subject: String) throws -> OutsideIdentity? {
        try connection.first(
            "SELECT \(Self.columns) FROM outside_identities WHERE issuer = ? AND subject = ?",
            [.text(issuer), .text(subject)], Self.identity)
    }

    func identities(ofAccount id: String) throws -> [OutsideIdentity] {
        try connection.all(
            "SELECT \(Self.columns) FROM outside_identities WHERE account = ? ORDER BY issuer", [.text(id)],
            Self.identity)
    }

    /// False where the subject or the account's place at the issuer is taken.
    func add(_ identity: OutsideIdentity) throws -> Bool {
        try connection.run(
            "INSERT INTO outside_identities (\(Self.columns)) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                .text(identity.issuer), .text(identity.subject), .text(identity.accountID), SQLValue(identity.isMade),
                .int(identity.linkedAt),
            ]) > 0
    }

    /// The same for an account that is there; false where it is gone.
    func link(_ identity: OutsideIdentity) throws -> Bool {
        try AccountTable(connection: connection).account(id: identity.accountID) != nil && add(identity)
    }

    /// With the account's sessions. False where it is nobody at the issuer.
    func unlink(issuer: String, from id: String, at time: Int64) throws -> Bool {
        guard try remove(issuer: issuer, ofAccount: id) else { return false }
        try AccountTable(connection: connection).endSessions(of: id, at: time)
        return true
    }

    func remove(issuer: String, ofAccount id: String) throws -> Bool {
        try connection.run(
            "DELETE FROM outside_identities WHERE account = ? AND issuer = ?", [.text(id), .text(issuer)]) > 0
    }

    func forget(ofAccount id: String) throws {
        try connection.run("DELETE FROM outside_identities WHERE account = ?", [.text(id)])
    }

    private static func identity(_ row: SQLRow) throws -> OutsideIdentity {
        OutsideIdentity(
            issuer: try row.text(0), subject: try row.text(1), accountID: try row.text(2), isMade: try row.bool(3),
            linkedAt: try row.int(4))
    }
}
