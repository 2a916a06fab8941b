import Access
import Testing

@testable import SQLStore

/// Applications that wait for an operator, on both databases. RFC 7591.
@Suite struct RegistrationStoreTests {
    private typealias Support = WorkflowSupport

    private static func registration(_ id: String, until time: Int64 = 1000) -> ClientRegistration {
        let scopes = GrantedScopes("openid patient/*.rs user/*.rs")
        return ClientRegistration(
            client: Client(
                id: id, name: "App " + id, jwks: nil, jwksURL: nil, scopes: scopes.resources,
                launchScopes: scopes.others, redirectURIs: ["https://app.test/cb"], secretDigest: [1, 2],
                identityAlgorithm: .rs256, registeredAt: 10, revokedAt: 10),
            softwareStatement: "a.b.c", statementIssuer: "https://pub.test", address: "192.0.2.1", expiresAt: time)
    }

    private static func keep(
        _ store: RelationalStore, _ registration: ClientRegistration, waitingMax: Int, at time: Int64
    ) async throws -> Bool {
        try await store.keep(
            registration, waitingMax: waitingMax, at: time,
            recording: AuditRecord(
                category: .security, interaction: "client-registration", action: .create, outcome: .success,
                access: .server(requestID: "t"), entity: "client:" + registration.client.id))
    }

    private static func rows(_ store: RelationalStore) async throws -> [String?] {
        try await store.database.read {
            try AuditChain.rows(after: 0, limit: 100, $0).map { $0.content?.record.entity }
        }
    }

    @Test(
        "Who waits works nowhere; an approval lets it work once, with the scopes that were left",
        arguments: TestDatabases.all)
    func approved(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let one = Self.registration("one")
            #expect(try await Self.keep(store, one, waitingMax: 10, at: 20))
            #expect(try await store.client(id: "one")?.revokedAt != nil)
            #expect(try await store.waiting(at: 20) == [one])
            #expect(try await store.registration(clientID: "one", at: 20) == one)
            #expect(try await store.approve(clientID: "one", scopes: GrantedScopes("patient/*.rs"), at: 30))
            let client = try #require(try await store.client(id: "one"))
            #expect(client.revokedAt == nil)
            #expect(client.scopes.map(\.text) == ["patient/*.rs"])
            #expect(client.launchScopes.isEmpty)
            #expect(client.secretDigest == [1, 2] && client.identityAlgorithm == .rs256)
            // Decided once: a revoked one is not brought back.
            #expect(try await store.revoke(clientID: "one", at: 40))
            #expect(try await !store.approve(clientID: "one", scopes: GrantedScopes("patient/*.rs"), at: 41))
            #expect(try await !store.refuse(clientID: "one", reason: "x", at: 41))
            #expect(try await store.client(id: "one")?.revokedAt == 40)
            #expect(try await store.waiting(at: 41).isEmpty)
        }
    }

    @Test("A refused one and one that waited too long are gone, and as many wait as may", arguments: TestDatabases.all)
    func ended(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            #expect(try await Self.keep(store, Self.registration("one"), waitingMax: 2, at: 20))
            #expect(try await Self.keep(store, Self.registration("two"), waitingMax: 2, at: 20))
            #expect(try await !Self.keep(store, Self.registration("three"), waitingMax: 2, at: 20))
            #expect(try await store.client(id: "three") == nil)
            #expect(try await Self.rows(store) == ["client:one", "client:two"])
            #expect(try await store.refuse(clientID: "one", reason: "not ours", at: 30))
            #expect(try await store.client(id: "one") == nil)
            #expect(try await !store.approve(clientID: "one", scopes: GrantedScopes("patient/*.rs"), at: 31))
            #expect(try await store.waiting(at: 999).map(\.client.id) == ["two"])
            #expect(try await store.waiting(at: 1000).isEmpty)
            #expect(try await !store.approve(clientID: "two", scopes: GrantedScopes("patient/*.rs"), at: 1000))
            #expect(try await Self.keep(store, Self.registration("three", until: 2000), waitingMax: 1, at: 1000))
            #expect(try await store.client(id: "two") == nil)
        }
    }

    @Test("Of two who decide at the same time one does", arguments: TestDatabases.all)
    func raced(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            #expect(try await Self.keep(store, Self.registration("one"), waitingMax: 2, at: 20))
            async let yes = store.approve(clientID: "one", scopes: GrantedScopes("patient/*.rs"), at: 30)
            async let no = store.refuse(clientID: "one", reason: "no", at: 30)
            let (isApproved, isRefused) = (try await yes, try await no)
            #expect(isApproved != isRefused)
            let left = try await store.client(id: "one")
            #expect((left != nil) == isApproved)
        }
    }
}
