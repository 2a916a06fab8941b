import Access
import Workflow

extension RelationalStore: AccountDirectory {
    package func account(id: String) async throws -> Account? { try await look { try $0.account(id: id) } }

    package func account(name: String) async throws -> Account? { try await look { try $0.account(name: name) } }

    package func accounts(after name: String?, limit: Int) async throws -> [Account] {
        try await look { try $0.accounts(after: name, limit: limit) }
    }

    package func add(_ account: Account) async throws -> Bool { try await work { try $0.add(account) } }

    package func change(accountID: String, _ change: AccountChange, at time: Int64) async throws -> Bool {
        try await revoking { try AccountTable(connection: $0.connection).change(accountID, change, at: time) }
    }

    package func remove(accountID: String) async throws -> Bool {
        try await revoking { try AccountTable(connection: $0.connection).remove(accountID, at: $0.stamp.time) }
    }

    package func keepResetCode(_ digest: [UInt8], of accountID: String, expires: Int64) async throws {
        try await work { try $0.keepResetCode(digest, of: accountID, expires: expires) }
    }

    package func hasResetCode(_ digest: [UInt8], of accountID: String, at time: Int64) async throws -> Bool {
        try await look { try $0.hasResetCode(digest, of: accountID, at: time) }
    }

    package func redeemResetCode(
        _ digest: [UInt8], of accountID: String, verifier: String, at time: Int64
    ) async throws -> Bool {
        try await revoking {
            try AccountTable(connection: $0.connection).redeemResetCode(
                digest, of: accountID, verifier: verifier, at: time)
        }
    }

    package func useRecoveryCode(_ digest: [UInt8], of accountID: String) async throws -> Bool {
        try await work { try $0.useRecoveryCode(digest, of: accountID) }
    }

    package func recoveryCodesLeft(of accountID: String) async throws -> Int {
        try await look { try $0.recoveryCodesLeft(of: accountID) }
    }

    package func useStep(_ step: Int64, of accountID: String) async throws -> Bool {
        try await work { try $0.useStep(step, of: accountID) }
    }

    private func look<Value: Sendable>(_ body: @escaping @Sendable (AccountTable) throws -> Value) async throws -> Value
    {
        try await reading { try body(AccountTable(connection: $0)) }
    }

    private func work<Value: Sendable>(_ body: @escaping @Sendable (AccountTable) throws -> Value) async throws -> Value
    {
        try await changing { try body(AccountTable(connection: $0.connection)) }
    }
}

extension RelationalStore: SessionDirectory {
    package func session(id: String) async throws -> BrowserSession? {
        try await reading { try BrowserSessionTable(connection: $0).session(id: id) }
    }

    package func sessions(of accountID: String) async throws -> [BrowserSession] {
        try await reading { try BrowserSessionTable(connection: $0).sessions(of: accountID) }
    }

    package func begin(
        _ session: BrowserSession, replacing old: String?, ofAccountChangedAt time: Int64
    ) async throws -> Bool {
        try await change { try $0.begin(session, replacing: old, ofAccountChangedAt: time) }
    }

    package func touch(sessionID: String, at time: Int64) async throws {
        try await change { try $0.touch(sessionID, at: time) }
    }

    package func end(sessionID: String, of accountID: String) async throws -> Bool {
        try await change { try $0.end(sessionID, of: accountID) }
    }

    package func endAll(of accountID: String, but sessionID: String?) async throws -> Int {
        try await change { try $0.endAll(of: accountID, but: sessionID) }
    }

    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (BrowserSessionTable) throws -> Value
    ) async throws -> Value {
        try await changing { try body(BrowserSessionTable(connection: $0.connection)) }
    }
}
