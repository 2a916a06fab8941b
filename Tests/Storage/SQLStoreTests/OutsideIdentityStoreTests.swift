import Access
import Testing

@testable import SQLStore

/// People whom outside providers know, and how clients' id_tokens are signed, on both databases.
@Suite struct OutsideIdentityStoreTests {
    private typealias Support = WorkflowSupport

    private static func account(_ name: String) -> Account {
        Account(id: "id-" + name, name: name, displayName: name, role: .referrer, createdAt: 10)
    }

    private static func identity(
        _ subject: String, _ account: Account, issuer: String = "https://a.test", isMade: Bool = false
    ) -> OutsideIdentity {
        OutsideIdentity(issuer: issuer, subject: subject, accountID: account.id, isMade: isMade, linkedAt: 20)
    }

    @Test(
        "OpenID Connect Core §2: a subject is one account's at its issuer alone, and an account has one there",
        arguments: TestDatabases.all)
    func links(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let (anna, bert) = (Self.account("anna"), Self.account("bert"))
            for account in [anna, bert] { #expect(try await store.add(account)) }
            #expect(try await !store.link(Self.identity("s", Self.account("nobody"))))
            #expect(try await store.link(Self.identity("s", anna)))
            #expect(try await !store.link(Self.identity("s", bert)))
            #expect(try await !store.link(Self.identity("t", anna)))
            #expect(try await store.link(Self.identity("s", bert, issuer: "https://b.test")))
            #expect(try await store.link(Self.identity("t", anna, issuer: "https://b.test")))
            #expect(
                try await store.outsideIdentity(issuer: "https://a.test", subject: "s") == Self.identity("s", anna))
            // Byte for byte.
            #expect(try await store.outsideIdentity(issuer: "https://a.test", subject: "S") == nil)
            #expect(try await store.outsideIdentity(issuer: "https://a.test/", subject: "s") == nil)
            #expect(
                try await store.outsideIdentities(of: anna.id).map(\.issuer) == ["https://a.test", "https://b.test"])
            #expect(try await store.remove(accountID: anna.id))
            #expect(try await store.outsideIdentities(of: anna.id).isEmpty)
            #expect(try await store.outsideIdentity(issuer: "https://b.test", subject: "s")?.accountID == bert.id)
        }
    }

    @Test("An account is made with its identity or not at all", arguments: TestDatabases.all)
    func made(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let (anna, bert) = (Self.account("anna"), Self.account("bert"))
            #expect(try await store.add(anna, by: Self.identity("s", anna, isMade: true)))
            #expect(try await store.outsideIdentity(issuer: "https://a.test", subject: "s")?.isMade == true)
            // The subject is known, and then the name is taken: nothing is left behind.
            #expect(try await !store.add(bert, by: Self.identity("s", bert, isMade: true)))
            #expect(try await store.account(id: bert.id) == nil)
            let other = Account(id: "x", name: "anna", displayName: "", role: .patient, createdAt: 1)
            #expect(try await !store.add(other, by: Self.identity("t", other, isMade: true)))
            #expect(try await store.outsideIdentity(issuer: "https://a.test", subject: "t") == nil)
        }
    }

    @Test(
        "What a provider says anew, and an identity that is taken away, end the sessions", arguments: TestDatabases.all)
    func ended(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let anna = Self.account("anna")
            _ = try await store.add(anna, by: Self.identity("s", anna))
            func begin(_ id: String, at time: Int64) async throws {
                let session = BrowserSession(
                    id: id, accountID: anna.id, stage: .whole, createdAt: 100, seenAt: 100, expiresAt: 1000,
                    address: nil, agent: nil)
                #expect(try await store.begin(session, replacing: nil, ofAccountChangedAt: time))
            }
            try await begin("s1", at: 10)
            let claims = AccountChange.claims(
                role: .patient, displayName: "Anna", fhirUser: "Patient/p", patientIDs: ["p"])
            #expect(try await store.change(accountID: anna.id, claims, at: 30))
            #expect(try await store.sessions(of: anna.id).isEmpty)
            let now = try #require(try await store.account(id: anna.id))
            #expect(now.role == .patient && now.displayName == "Anna" && now.changedAt == 30)
            #expect(now.fhirUser == "Patient/p" && now.patientIDs == ["p"])
            try await begin("s2", at: 30)
            #expect(try await store.unlink(issuer: "https://a.test", from: anna.id, at: 40))
            #expect(try await store.sessions(of: anna.id).isEmpty)
            #expect(try await !store.unlink(issuer: "https://a.test", from: anna.id, at: 41))
        }
    }

    @Test("A client keeps the algorithm of its id_tokens", arguments: TestDatabases.all)
    func clients(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            for algorithm in IdentityAlgorithm.allCases {
                let client = Client(
                    id: algorithm.rawValue, name: "n", jwks: nil, jwksURL: nil, scopes: [],
                    identityAlgorithm: algorithm, registeredAt: 1)
                try await store.save(client)
                #expect(try await store.client(id: client.id) == client)
            }
        }
    }
}
