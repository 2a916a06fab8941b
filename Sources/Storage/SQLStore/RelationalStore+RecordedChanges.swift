import Access
import Workflow

/// Changes of who may connect and of whom they see, each with its audit row in one transaction: neither is there without
/// the other. What changes nothing leaves no row.
extension RelationalStore {
    package func save(_ client: Client, recording record: AuditRecord) async throws {
        try await recorded(record) {
            try ClientTable(connection: $0).save(client)
            return true
        }
    }

    /// False where there is no such client that is not revoked.
    @discardableResult
    package func revoke(
        clientID: String, at microseconds: Int64, recording record: AuditRecord
    ) async throws -> Bool {
        try await recorded(record) { try ClientTable(connection: $0).revoke(clientID: clientID, at: microseconds) }
    }

    package func save(_ peer: Peer, recording record: AuditRecord) async throws {
        try await recorded(record) {
            try PeerTable(connection: $0).save(peer)
            return true
        }
    }

    /// False where there is no such peer.
    package func removePeer(kind: Peer.Kind, name: String, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { try PeerTable(connection: $0).removePeer(kind: kind, name: name) }
    }

    // MARK: Feeds of the audit trail

    /// Gives up a row for an audit repository that has refused it. False where it is not parked there.
    package func discard(row number: Int64, ofFeed feed: String, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { try AuditFeedTable($0).unpark(number, of: feed) }
    }

    /// Takes for known that an audit repository has missed so many rows. False where it has missed none, or others than so
    /// many by now.
    package func accept(missed count: Int64, ofFeed feed: String, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { try AuditFeedTable($0).accept(missed: count, of: feed) }
    }

    // MARK: People

    /// A one-time code to choose a password with, as it is kept: until when it may be used in microseconds since 1970 UTC.
    package typealias ResetCode = (digest: [UInt8], expires: Int64)

    /// False where the name is taken.
    package func add(_ account: Account, code: ResetCode?, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { connection in
            let accounts = AccountTable(connection: connection)
            guard try accounts.add(account) else { return false }
            if let code { try accounts.keepResetCode(code.digest, of: account.id, expires: code.expires) }
            return true
        }
    }

    /// False where there is no such account.
    ///
    /// - Parameters:
    ///   - change: nil for the code alone.
    ///   - code: makes the one before void.
    ///   - time: in microseconds since 1970 UTC.
    package func change(
        accountID: String, _ change: AccountChange?, code: ResetCode? = nil, at time: Int64,
        recording record: AuditRecord
    ) async throws -> Bool {
        try await recorded(record) { connection in
            let accounts = AccountTable(connection: connection)
            guard try accounts.account(id: accountID) != nil else { return false }
            if let change { _ = try accounts.change(accountID, change, at: time) }
            if let code { try accounts.keepResetCode(code.digest, of: accountID, expires: code.expires) }
            return true
        }
    }

    /// False where there is no such account.
    package func remove(
        accountID: String, at time: Int64, recording record: AuditRecord
    ) async throws -> Bool {
        try await recorded(record) { try AccountTable(connection: $0).remove(accountID, at: time) }
    }

    /// False where the account is gone, or is somebody at the issuer already, or another is who the identity says.
    package func link(_ identity: OutsideIdentity, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { try OutsideIdentityTable(connection: $0).link(identity) }
    }

    /// False where the account is nobody at the issuer.
    package func unlink(
        issuer: String, from accountID: String, at time: Int64, recording record: AuditRecord
    ) async throws -> Bool {
        try await recorded(record) {
            try OutsideIdentityTable(connection: $0).unlink(issuer: issuer, from: accountID, at: time)
        }
    }

    /// False where there is no such account.
    package func save(
        _ desk: ReadingDesk, ofAccount accountID: String, recording record: AuditRecord
    ) async throws -> Bool {
        try await recorded(record) { try PracticeTable(connection: $0).save(desk, ofAccount: accountID) }
    }

    /// False for an account that is gone, locked or of another role, and for a patient who is not in the record.
    package func save(_ grant: PatientGrant, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { try PracticeTable(connection: $0).save(grant) }
    }

    /// How many were open until now.
    package func revokeGrants(
        ofAccount accountID: String, patientID: String, at time: Int64, recording record: AuditRecord
    ) async throws -> Int {
        try await recorded(record, if: { $0 > 0 }) {
            try PracticeTable(connection: $0).revoke(ofAccount: accountID, patientID: patientID, at: time)
        }
    }

    // MARK: Together

    /// - Parameter body: makes the change; whether there was any.
    @discardableResult
    func recorded(
        _ record: AuditRecord, _ body: @escaping @Sendable (any SQLConnection) throws -> Bool
    ) async throws -> Bool {
        try await recorded(record, if: { $0 }, body)
    }

    /// - Parameter isChange: of what `body` says.
    private func recorded<Value: Sendable>(
        _ record: AuditRecord, if isChange: @escaping @Sendable (Value) -> Bool,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await translating {
            try await self.database.write { transaction in
                let value = try body(transaction.connection)
                if isChange(value) { try AuditChain.keep([record], transaction) }
                return value
            }
        }
    }
}
