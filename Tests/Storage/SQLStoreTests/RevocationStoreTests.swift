import Access
import Testing

@testable import SQLStore

/// What ends grants and clients is told, so that nobody goes by what was known before. RFC 7009 §2.1.
@Suite struct RevocationStoreTests {
    @Test(
        "Whatever may end a grant or a client is counted, whoever asks for it; nothing else is",
        arguments: TestDatabases.all)
    func counted(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { (store) async throws in
            let anna = Account(id: "id-anna", name: "anna", displayName: "Anna", role: .referrer, createdAt: 10)
            let quiet: [@Sendable () async throws -> Bool] = [
                { try await store.add(anna) },
                {
                    try await store.save(
                        Client(id: "app", name: "App", jwks: nil, jwksURL: nil, scopes: [], registeredAt: 0))
                    return true
                },
                {
                    let session = BrowserSession(
                        id: "s", accountID: anna.id, stage: .whole, createdAt: 10, seenAt: 10, expiresAt: .max,
                        address: nil, agent: nil)
                    return try await store.begin(session, replacing: nil, ofAccountChangedAt: 10)
                },
                { try await store.authorize("g", anna, session: "s") },
                { try await store.useStep(5, of: anna.id) },
            ]
            for (number, change) in quiet.enumerated() {
                #expect(try await change())
                #expect(store.revocations == 0, "\(number)")
            }
            let revoking: [@Sendable () async throws -> Void] = [
                { _ = try await store.revokeGrant("g", at: 20) },
                { _ = try await store.revokeGrants(ofAccount: anna.id, at: 20) },
                { _ = try await store.withdraw(clientID: "app", of: anna.id, at: 20) },
                { _ = try await store.change(accountID: anna.id, .role(.reader), at: 20) },
                { _ = try await store.redeemResetCode([1], of: anna.id, verifier: "$v", at: 20) },
                {
                    _ = try await store.removePasskey(
                        id: "k", of: anna.id, keepingSession: nil, mustKeepFactor: false, at: 20)
                },
                { _ = try await store.unlink(issuer: "https://a.test", from: anna.id, at: 20) },
                { _ = try await store.remove(accountID: anna.id) },
                { _ = try await store.revoke(clientID: "app", at: 20) },
            ]
            for (number, change) in revoking.enumerated() {
                try await change()
                #expect(store.revocations == UInt64(number + 1), "\(number)")
            }
        }
    }
}
