import Access

/// Sessions of people's browsers.
struct BrowserSessionTable {
    /// Whole sessions of an account beside each other; the oldest goes when there is one more.
    static let countMax: Int64 = 100
    /// Sign-ins of an account that have not come to their end; the same.
    private static let begunMax: Int64 = 20
    /// Sessions past their time that one sign-in removes.
    private static let forgottenMax = 100

    let connection: any SQLConnection

    private static let columns = "id, account, stage, created_at, seen_at, expires_at, address, agent, signed_in_at"

    func session(id: String) throws -> BrowserSession? {
        try connection.first("SELECT \(Self.columns) FROM sessions WHERE id = ?", [.text(id)], Self.session)
    }

    func sessions(of account: String) throws -> [BrowserSession] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM sessions WHERE account = ? AND stage = 'whole' \
            ORDER BY created_at DESC, id LIMIT \(Self.countMax)
            """, [.text(account)], Self.session)
    }

    /// False, with the old one ended all the same, where the account is not active, or was changed since `time`: the password
    /// that was given may be none by now, and the sessions of before were ended with it.
    func begin(_ session: BrowserSession, replacing old: String?, ofAccountChangedAt time: Int64) throws -> Bool {
        if let old { try connection.run("DELETE FROM sessions WHERE id = ?", [.text(old)]) }
        try connection.run(
            """
            DELETE FROM sessions WHERE id IN \
            (SELECT id FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT \(Self.forgottenMax))
            """, [.int(session.createdAt)])
        guard try AccountTable(connection: connection).isUnchanged(session.accountID, since: time) else { return false }
        try makeRoom(for: session)
        try connection.run(
            "INSERT INTO sessions (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(session.id), .text(session.accountID), .text(session.stage.rawValue), .int(session.createdAt),
                .int(session.seenAt), .int(session.expiresAt), SQLValue(session.address), SQLValue(session.agent),
                .int(session.signedInAt),
            ])
        return true
    }

    /// Who knows a password begins many sign-ins; they do not push out the sessions of who is signed in.
    private func makeRoom(for session: BrowserSession) throws {
        let isWhole = session.stage == .whole
        let which = isWhole ? "stage = 'whole'" : "stage <> 'whole'"
        try connection.run(
            """
            DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE account = ? AND \(which) \
            ORDER BY created_at DESC, id LIMIT 1000 OFFSET \((isWhole ? Self.countMax : Self.begunMax) - 1))
            """, [.text(session.accountID)])
    }

    func touch(_ id: String, at time: Int64) throws {
        try connection.run(
            "UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?", [.int(time), .text(id), .int(time)])
    }

    /// Whether a session of an account lives. What ends it waits until the unit that asks is kept, and ends what the unit
    /// has given then.
    func hold(_ id: String, of account: String) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM sessions WHERE id = ? AND account = ?\(connection.dialect.forUpdate)",
            [.text(id), .text(account)]
        ) { _ in true } ?? false
    }

    func end(_ id: String, of account: String) throws -> Bool {
        try connection.run("DELETE FROM sessions WHERE id = ? AND account = ?", [.text(id), .text(account)]) > 0
    }

    /// What the person is not asked again is forgotten with the sessions.
    func endAll(of account: String, but session: String?) throws -> Int {
        let count = try connection.run(
            "DELETE FROM sessions WHERE account = ? AND id <> ?", [.text(account), .text(session ?? "")])
        try ConsentTable(connection: connection).forgetAll(of: account)
        return count
    }

    private static func session(_ row: SQLRow) throws -> BrowserSession {
        guard let stage = BrowserSession.Stage(rawValue: try row.text(2)) else {
            throw SQLStoreError(.corrupt, "a session has an unknown stage")
        }
        return BrowserSession(
            id: try row.text(0), accountID: try row.text(1), stage: stage, createdAt: try row.int(3),
            signedInAt: try row.optionalInt(8), seenAt: try row.int(4), expiresAt: try row.int(5),
            address: try row.optionalText(6),
            agent: try row.optionalText(7))
    }
}
