import Access

/// People's accounts, and their one-time codes by digest.
struct AccountTable {
    /// What an account's codes are for.
    private enum CodeKind: String { case reset, recovery }

    let connection: any SQLConnection

    private static let columns =
        "id, name, display_name, role, fhir_user, patients, verifier, secret, state, created_at, changed_at"

    func account(id: String) throws -> Account? {
        try connection.first("SELECT \(Self.columns) FROM accounts WHERE id = ?", [.text(id)], Self.account)
    }

    /// The account as it is until this unit is kept: who changes it waits.
    func held(_ id: String) throws -> Account? {
        try connection.first(
            "SELECT \(Self.columns) FROM accounts WHERE id = ?\(connection.dialect.forUpdate)", [.text(id)],
            Self.account)
    }

    func account(name: String) throws -> Account? {
        try connection.first("SELECT \(Self.columns) FROM accounts WHERE name = ?", [.text(name)], Self.account)
    }

    func accounts(after name: String?, limit: Int) throws -> [Account] {
        try connection.all(
            "SELECT \(Self.columns) FROM accounts WHERE name > ? ORDER BY name LIMIT ?",
            [.text(name ?? ""), .int(Int64(limit))], Self.account)
    }

    /// False where the name is taken.
    func add(_ account: Account) throws -> Bool {
        try connection.run(
            """
            INSERT INTO accounts (\(Self.columns), used_step) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
            ON CONFLICT DO NOTHING
            """,
            [
                .text(account.id), .text(account.name), .text(account.displayName), .text(account.role.rawValue),
                SQLValue(account.fhirUser), .text(account.patientIDs.joined(separator: " ")),
                SQLValue(account.passwordVerifier), SQLValue(account.sealedSecret), .text(account.state.rawValue),
                .int(account.createdAt), .int(account.changedAt),
            ]) > 0
    }

    /// False where there is no such account.
    func change(_ id: String, _ change: AccountChange, at time: Int64) throws -> Bool {
        switch change {
        case .state(let state):
            guard try set("state = ?", [.text(state.rawValue)], of: id, at: time) else { return false }
            if state == .locked { try endSessions(of: id, at: time) }
        case .verifier(let verifier, let old):
            return try connection.run(
                "UPDATE accounts SET verifier = ? WHERE id = ? AND verifier = ?",
                [.text(verifier), .text(id), .text(old)]) > 0
        case .password(let verifier, let session):
            guard try set("verifier = ?", [.text(verifier)], of: id, at: time) else { return false }
            try forgetCodes(.reset, of: id)
            try endSessions(of: id, but: session, at: time)
        case .secondFactor(let sealed, let digests):
            guard try set("secret = ?, used_step = 0", [.bytes(sealed)], of: id, at: time) else { return false }
            try setRecoveryCodes(digests, of: id)
        case .noSecondFactor:
            guard try set("secret = NULL, used_step = 0", [], of: id, at: time) else { return false }
            try PasskeyTable(connection: connection).removeAll(of: id)
            try forgetCodes(.recovery, of: id)
            try endSessions(of: id, at: time)
        case .noPasskeys:
            guard try noteChange(of: id, at: time) else { return false }
            try PasskeyTable(connection: connection).removeAll(of: id)
            if try account(id: id)?.sealedSecret == nil { try forgetCodes(.recovery, of: id) }
            try endSessions(of: id, at: time)
        case .link(let user, let patients):
            let isChanged = try set(
                "fhir_user = COALESCE(?, fhir_user), patients = COALESCE(?, patients)",
                [SQLValue(user), SQLValue(patients.map { $0.joined(separator: " ") })], of: id, at: time)
            guard isChanged else { return false }
            try endSessions(of: id, at: time)
        case .role(let role):
            guard try set("role = ?", [.text(role.rawValue)], of: id, at: time) else { return false }
            try endSessions(of: id, at: time)
        case .claims(let role, let name, let user, let patients):
            let isChanged = try set(
                "role = ?, display_name = ?, fhir_user = ?, patients = ?",
                [
                    .text(role.rawValue), .text(name), SQLValue(user), .text(patients.joined(separator: " ")),
                ], of: id, at: time)
            guard isChanged else { return false }
            try endSessions(of: id, at: time)
        }
        return true
    }

    /// New recovery codes in the place of those there were.
    func setRecoveryCodes(_ digests: [[UInt8]], of id: String) throws {
        try forgetCodes(.recovery, of: id)
        for digest in digests { try keepCode(.recovery, digest, of: id, expires: nil) }
    }

    /// Notes that something beside the account's row was changed: who looked at it before looks again. False where there is
    /// no such account.
    @discardableResult func noteChange(of id: String, at time: Int64) throws -> Bool {
        try connection.run("UPDATE accounts SET changed_at = ? WHERE id = ?", [.int(time), .text(id)]) > 0
    }

    /// Whether an account is active and was not changed since somebody looked at it. Who changes it waits for this unit.
    func isUnchanged(_ id: String, since time: Int64) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM accounts WHERE id = ? AND state = 'active' AND changed_at = ?\(connection.dialect.forUpdate)",
            [.text(id), .int(time)]
        ) { _ in true } ?? false
    }

    private func set(_ columns: String, _ values: [SQLValue], of id: String, at time: Int64) throws -> Bool {
        try connection.run(
            "UPDATE accounts SET \(columns), changed_at = ? WHERE id = ?", values + [.int(time), .text(id)]) > 0
    }

    /// Ends the sessions of the account but one, and what applications were authorized to do in its name: their rights are
    /// those of before.
    func endSessions(of id: String, but session: String? = nil, at time: Int64) throws {
        _ = try BrowserSessionTable(connection: connection).endAll(of: id, but: session)
        _ = try GrantTable(connection: connection).revoke(ofAccount: id, at: time)
    }

    func remove(_ id: String, at time: Int64) throws -> Bool {
        try endSessions(of: id, at: time)
        try PasskeyTable(connection: connection).removeAll(of: id)
        try connection.run("DELETE FROM account_codes WHERE account = ?", [.text(id)])
        try PracticeTable(connection: connection).forget(account: id, at: time)
        try OutsideIdentityTable(connection: connection).forget(ofAccount: id)
        return try connection.run("DELETE FROM accounts WHERE id = ?", [.text(id)]) > 0
    }

    // MARK: Codes

    func keepResetCode(_ digest: [UInt8], of id: String, expires: Int64) throws {
        try forgetCodes(.reset, of: id)
        try keepCode(.reset, digest, of: id, expires: expires)
    }

    func hasResetCode(_ digest: [UInt8], of id: String, at time: Int64) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM account_codes WHERE account = ? AND kind = ? AND digest = ? AND expires > ?",
            [.text(id), .text(CodeKind.reset.rawValue), .bytes(digest), .int(time)]
        ) { _ in true } ?? false
    }

    /// False for another or an expired code, and then nothing is changed.
    func redeemResetCode(_ digest: [UInt8], of id: String, verifier: String, at time: Int64) throws -> Bool {
        let isUsed =
            try connection.run(
                "DELETE FROM account_codes WHERE account = ? AND kind = ? AND digest = ? AND expires > ?",
                [.text(id), .text(CodeKind.reset.rawValue), .bytes(digest), .int(time)]) > 0
        return try isUsed && change(id, .password(verifier: verifier, keepingSession: nil), at: time)
    }

    func useRecoveryCode(_ digest: [UInt8], of id: String) throws -> Bool {
        try connection.run(
            "DELETE FROM account_codes WHERE account = ? AND kind = ? AND digest = ?",
            [.text(id), .text(CodeKind.recovery.rawValue), .bytes(digest)]) > 0
    }

    func recoveryCodesLeft(of id: String) throws -> Int {
        let count = try connection.first(
            "SELECT COUNT(*) FROM account_codes WHERE account = ? AND kind = ?",
            [.text(id), .text(CodeKind.recovery.rawValue)]
        ) { try $0.int(0) }
        return Int(count ?? 0)
    }

    private func keepCode(_ kind: CodeKind, _ digest: [UInt8], of id: String, expires: Int64?) throws {
        try connection.run(
            "INSERT INTO account_codes (account, kind, digest, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [.text(id), .text(kind.rawValue), .bytes(digest), SQLValue(expires)])
    }

    private func forgetCodes(_ kind: CodeKind, of id: String) throws {
        try connection.run(
            "DELETE FROM account_codes WHERE account = ? AND kind = ?", [.text(id), .text(kind.rawValue)])
    }

    /// False where the step, or a later one, was used.
    func useStep(_ step: Int64, of id: String) throws -> Bool {
        try connection.run(
            "UPDATE accounts SET used_step = ? WHERE id = ? AND used_step < ?", [.int(step), .text(id), .int(step)]) > 0
    }

    private static func account(_ row: SQLRow) throws -> Account {
        guard let role = SignedInPerson.Role(rawValue: try row.text(3)),
            let state = Account.State(rawValue: try row.text(8))
        else { throw SQLStoreError(.corrupt, "an account has an unknown role or state") }
        return Account(
            id: try row.text(0), name: try row.text(1), displayName: try row.text(2), role: role,
            fhirUser: try row.optionalText(4), patientIDs: try row.text(5).split(separator: " ").map(String.init),
            passwordVerifier: try row.optionalText(6), sealedSecret: try row.optionalBytes(7), state: state,
            createdAt: try row.int(9), changedAt: try row.int(10))
    }
}
