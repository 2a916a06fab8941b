import Access
import Workflow

/// Changes of who may connect, each with its audit row in one transaction: neither is there without the other.
extension RelationalStore {
    package func save(_ client: Client, recording record: AuditRecord) async throws {
        try await recorded(record) {
            try ClientTable(connection: $0).save(client)
            return true
        }
    }

    /// False, and no row, where there is no such client that is not revoked.
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

    /// False, and no row, where there is no such peer.
    package func removePeer(kind: Peer.Kind, name: String, recording record: AuditRecord) async throws -> Bool {
        try await recorded(record) { try PeerTable(connection: $0).removePeer(kind: kind, name: name) }
    }

    /// - Parameter body: makes the change; whether there was any.
    @discardableResult
    private func recorded(
        _ record: AuditRecord, _ body: @escaping @Sendable (any SQLConnection) throws -> Bool
    ) async throws -> Bool {
        try await translating {
            try await self.database.write { transaction in
                guard try body(transaction.connection) else { return false }
                try AuditChain.keep([record], transaction)
                return true
            }
        }
    }
}
