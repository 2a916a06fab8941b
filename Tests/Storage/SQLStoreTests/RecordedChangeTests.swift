import Access
import Testing
import Workflow

@testable import SQLStore

/// Who may connect and see whom, and the row that says who let them.
@Suite("Changes of clients, peers and accounts and their audit rows are one commit, on both databases")
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

    @Test("So has each change of an account, whom it sees and who it is elsewhere", arguments: TestDatabases.all)
    func people(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            func add(_ id: String) async throws -> Bool {
                try await store.add(
                    Account(id: id, name: "anna", displayName: "A", role: .reader, createdAt: 1),
                    code: (digest: [1], expires: 9), recording: Self.record("add " + id))
            }
            let before = store.database.lastCommit.sequence
            #expect(try await add("a"))
            #expect(store.database.lastCommit.sequence == before + 1)
            #expect(try await !add("b"))
            #expect(try await store.hasResetCode([1], of: "a", at: 2))
            for id in ["a", "nobody"] {
                let isChanged = try await store.change(
                    accountID: id, .state(.locked), code: (digest: [2], expires: 9), at: 3,
                    recording: Self.record("lock " + id)
                )
                #expect(isChanged == (id == "a"))
                let hasCode = try await store.change(
                    accountID: id, nil, code: (digest: [3], expires: 9), at: 3, recording: Self.record("code " + id))
                #expect(hasCode == (id == "a"))
                let desk = ReadingDesk(modalities: ["CT"], stations: ["*"])
                #expect(
                    try await store.save(desk, ofAccount: id, recording: Self.record("desk " + id)) == (id == "a"))
                let identity = OutsideIdentity(
                    issuer: "https://i", subject: id, accountID: id, isMade: false, linkedAt: 4)
                #expect(try await store.link(identity, recording: Self.record("link " + id)) == (id == "a"))
                let grant = PatientGrant(
                    id: id, accountID: id, patientID: "unknown", kind: .grant, reason: "", givenBy: "o", givenAt: 1,
                    expires: 9)
                #expect(try await !store.save(grant, recording: Self.record("grant " + id)))
                let ended = try await store.revokeGrants(
                    ofAccount: id, patientID: "unknown", at: 2, recording: Self.record("revoke " + id))
                #expect(ended == 0)
            }
            #expect(try await store.account(id: "a")?.state == .locked)
            #expect(try await store.hasResetCode([3], of: "a", at: 2))
            for isThere in [true, false] {
                let isGone = try await store.unlink(
                    issuer: "https://i", from: "a", at: 5, recording: Self.record("unlink"))
                #expect(isGone == isThere)
            }
            for isThere in [true, false] {
                #expect(try await store.remove(accountID: "a", at: 6, recording: Self.record("remove")) == isThere)
            }
            #expect(
                try await Self.rows(store) == ["add a", "lock a", "code a", "desk a", "link a", "unlink", "remove"])
        }
    }

    @Test("An operator takes for known what a feed has missed, as many as they saw", arguments: TestDatabases.all)
    func missed(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            try await store.database.write { transaction in
                let table = AuditFeedTable(transaction.connection)
                try table.put(.init(number: 2), of: "a")
                try table.miss(upTo: 7, of: "a")
                try table.miss(upTo: 3, of: "a")
                try table.miss(upTo: 9, of: "nobody")
                try table.park([.init(number: 8, reason: "r", parkedAt: 1)], of: "a")
            }
            func accept(_ count: Int64) async throws -> Bool {
                try await store.accept(missed: count, ofFeed: "a", recording: Self.record("accept \(count)"))
            }
            #expect(try await !accept(4))
            #expect(try await accept(5))
            // What the feeder keeps afterwards brings nothing back.
            try await store.database.write {
                try AuditFeedTable($0.connection).put(.init(number: 9, missed: 5), of: "a")
            }
            let standing = try await store.database.read { try AuditFeedTable($0).standing(of: "a") }
            #expect(standing.place == .init(number: 9, missed: 0) && standing.parked == 1)
            #expect(try await !accept(0))
            for isThere in [true, false] {
                let isGone = try await store.discard(row: 8, ofFeed: "a", recording: Self.record("discard"))
                #expect(isGone == isThere)
            }
            #expect(try await Self.rows(store) == ["accept 5", "discard"])
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
