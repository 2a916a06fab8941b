import Access

/// People's passkeys, and the challenges that were answered with one.
struct PasskeyTable {
    /// Challenges past their time that one answer removes.
    private static let forgottenMax = 100

    let connection: any SQLConnection

    private static let columns =
        "id, account, credential, public_key, name, sign_count, backup_eligible, backed_up, created_at, used_at"

    func passkeys(of account: String) throws -> [Passkey] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM passkeys WHERE account = ? \
            ORDER BY created_at, id LIMIT \(Passkey.countMax)
            """, [.text(account)], Self.passkey)
    }

    func havePasskeys(_ accounts: [String]) throws -> Set<String> {
        Set(
            try connection.all(
                "SELECT DISTINCT account FROM passkeys WHERE \(connection.dialect.isInTexts("account"))",
                [.texts(accounts)]
            ) { try $0.text(0) })
    }

    func passkey(credentialID: [UInt8]) throws -> Passkey? {
        try connection.first(
            "SELECT \(Self.columns) FROM passkeys WHERE credential = ?", [.bytes(credentialID)], Self.passkey)
    }

    func add(
        _ passkey: Passkey, recoveryDigests: [[UInt8]]?, using challenge: UsedChallenge, ofAccountChangedAt time: Int64
    ) throws -> PasskeyAddition {
        let accounts = AccountTable(connection: connection)
        guard try accounts.isUnchanged(passkey.accountID, since: time) else { return .tooLate }
        guard try passkeys(of: passkey.accountID).count < Passkey.countMax else { return .tooMany }
        guard try use(challenge, at: passkey.createdAt) else { return .tooLate }
        let isNew =
            try connection.run(
                """
                INSERT INTO passkeys (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (credential) DO NOTHING
                """,
                [
                    .text(passkey.id), .text(passkey.accountID), .bytes(passkey.credentialID),
                    .bytes(passkey.publicKey),
                    .text(passkey.name), .int(Int64(passkey.signCount)), SQLValue(passkey.isBackupEligible),
                    SQLValue(passkey.isBackedUp), .int(passkey.createdAt), SQLValue(passkey.usedAt),
                ]) > 0
        guard isNew else { return .isTaken }
        try accounts.noteChange(of: passkey.accountID, at: passkey.createdAt)
        if let recoveryDigests { try accounts.setRecoveryCodes(recoveryDigests, of: passkey.accountID) }
        return .added
    }

    func use(
        _ passkey: Passkey, signCount: UInt32, isBackedUp: Bool, using challenge: UsedChallenge, at time: Int64
    ) throws -> Bool {
        guard try use(challenge, at: time) else { return false }
        // One that does not count stays at 0; one that has counted does not go back to it.
        let count = Int64(signCount)
        return try connection.run(
            """
            UPDATE passkeys SET sign_count = ?, backed_up = ?, used_at = ?
            WHERE id = ? AND account = ? AND sign_count <= ?
            """,
            [
                .int(count), SQLValue(isBackedUp), .int(time), .text(passkey.id), .text(passkey.accountID),
                .int(max(0, count - 1)),
            ]) > 0
    }

    /// False for one that was used.
    private func use(_ challenge: UsedChallenge, at time: Int64) throws -> Bool {
        try connection.run(
            """
            DELETE FROM used_challenges WHERE digest IN \
            (SELECT digest FROM used_challenges WHERE expires < ? ORDER BY expires LIMIT \(Self.forgottenMax))
            """, [.int(time)])
        return try connection.run(
            "INSERT INTO used_challenges (digest, expires) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [.bytes(challenge.digest), .int(challenge.expires)]) > 0
    }

    func remove(
        _ id: String, of accountID: String, keepingSession session: String?, mustKeepFactor: Bool, at time: Int64
    ) throws -> PasskeyRemoval {
        let accounts = AccountTable(connection: connection)
        // Two that are removed at once wait for each other here.
        try connection.run("SELECT 1 FROM accounts WHERE id = ?\(connection.dialect.forUpdate)", [.text(accountID)])
        let owned = try passkeys(of: accountID)
        guard owned.contains(where: { $0.id == id }), let account = try accounts.account(id: accountID) else {
            return .unknown
        }
        let isLastFactor = account.sealedSecret == nil && owned.count == 1
        if isLastFactor, mustKeepFactor { return .isLastFactor }
        try connection.run("DELETE FROM passkeys WHERE id = ? AND account = ?", [.text(id), .text(accountID)])
        try accounts.noteChange(of: accountID, at: time)
        if isLastFactor { try accounts.setRecoveryCodes([], of: accountID) }
        try accounts.endSessions(of: accountID, but: session, at: time)
        return .removed
    }

    func removeAll(of account: String) throws {
        try connection.run("DELETE FROM passkeys WHERE account = ?", [.text(account)])
    }

    private static func passkey(_ row: SQLRow) throws -> Passkey {
        guard let signCount = UInt32(exactly: try row.int(5)) else {
            throw SQLStoreError(.corrupt, "a passkey's count is out of range")
        }
        return Passkey(
            id: try row.text(0), accountID: try row.text(1), credentialID: try row.bytes(2),
            publicKey: try row.bytes(3), name: try row.text(4), signCount: signCount,
            isBackupEligible: try row.int(6) != 0, isBackedUp: try row.int(7) != 0, createdAt: try row.int(8),
            usedAt: try row.optionalInt(9))
    }
}
