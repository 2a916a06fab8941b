import Access
import Testing
import Workflow

@testable import SQLStore

/// Who may connect, and the row that says who let them.
@Suite("Changes of clients and peers and their audit rows are one commit, on both databases")
struct RecordedChangeTests {
    private static func record(_ name: String) -> AuditRecord {
        AuditRecord(
            category: .security, interaction: name, action: .update, outcome: .success,
            access: .server(requestID: "t"), entity: "x:y")
    }

    private static func rows(_ store: RelationalStore) async throws -> [String] {
        try await store.database.read {
            try AuditChain.rows(after: 0, limit: 100, $0).compactMap { $0.content?.record.interaction }
        }
    }

    @Test("Each change has its row in the same commit; what changes nothing has none", arguments: TestDatabases.all)
    func together(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            let before = store.database.lastCommit.sequence
            try await store.save(
                Client(id: "c1", name: "C", jwks: "{}", jwksURL: nil, scopes: [], registeredAt: 1),
                recording: Self.record("register")
            )
            #expect(store.database.lastCommit.sequence == before + 1)
            #expect(try await store.client(id: "c1")?.name == "C")
            #expect(try await store.revoke(clientID: "c1", at: 2, recording: Self.record("revoke")))
            #expect(try await !store.revoke(clientID: "c1", at: 3, recording: Self.record("again")))
            #expect(try await !store.revoke(clientID: "c2", at: 3, recording: Self.record("nobody")))
            let peer = Peer(kind: .applicationEntity, name: "CT1")
            try await store.save(peer, recording: Self.record("add"))
            #expect(
                try await store.removePeer(kind: .applicationEntity, name: "CT1", recording: Self.record("remove")))
            #expect(
                try await !store.removePeer(kind: .applicationEntity, name: "CT1", recording: Self.record("again")))
            #expect(try await Self.rows(store) == ["register", "revoke", "add", "remove"])
            #expect(try await store.database.read { try AuditChain.verify($0) } == 4)
        }
    }

    @Test("A change that the database refuses leaves no row", arguments: TestDatabases.all)
    func refused(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            try await store.database.write { _ = try $0.connection.run("DROP TABLE clients") }
            await #expect(throws: (any Error).self) {
                try await store.save(
                    Client(id: "c1", name: "C", jwks: "{}", jwksURL: nil, scopes: [], registeredAt: 1),
                    recording: Self.record("register"))
            }
            #expect(try await Self.rows(store) == [])
        }
    }
}
