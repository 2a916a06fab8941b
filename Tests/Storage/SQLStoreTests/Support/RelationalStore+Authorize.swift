import Access

@testable import SQLStore

extension RelationalStore {
    /// Keeps what a referrer has authorized an application to do, with a code of its own: `openid user/*.rs`, given at 150.
    func authorize(_ id: String, _ account: Account, client: String = "app", session: String) async throws -> Bool {
        let person = SignedInPerson(
            accountID: account.id, role: .referrer, displayName: "Anna", fhirUser: nil, patientIDs: [],
            sessionID: session, signedInAt: 1)
        let grant = Grant(
            id: id, clientID: client, person: person, scopes: GrantedScopes("openid user/*.rs"),
            context: LaunchContext(), grantedAt: 150, expires: 9_000)
        let code = AuthorizationCode(
            digest: Array(id.utf8), grantID: id, redirectURI: "https://app.test/cb", challenge: "c", nonce: nil,
            expires: 9_000)
        return try await save(grant, code: code, using: nil, at: 150)
    }
}
