import Access

/// Believes a client assertion, or says why not.
package struct ClientAuthenticator: Sendable {
    private let clients: any ClientDirectory
    private let ledger: any AssertionLedger
    private let keys: KeySetCache
    private let tokenEndpoint: String
    private let now: @Sendable () -> Int64

    /// `tokenEndpoint`: the absolute URL as published; `now` in microseconds since the epoch.
    package init(
        clients: any ClientDirectory, ledger: any AssertionLedger, keys: KeySetCache, tokenEndpoint: String,
        now: @escaping @Sendable () -> Int64
    ) {
        self.clients = clients
        self.ledger = ledger
        self.keys = keys
        self.tokenEndpoint = tokenEndpoint
        self.now = now
    }

    /// The client that signed an assertion. Throws ``ClientAssertion/Refusal``, and the store's error when the
    /// client or the ledger cannot be read.
    ///
    /// The id is noted last: only whoever holds the key can use one up.
    package func client(_ assertion: ClientAssertion) async throws -> Client {
        try assertion.check(tokenEndpoint: tokenEndpoint, now: now() / 1_000_000)
        guard let client = try await clients.client(id: assertion.clientID),
            Array(client.id.utf8) == Array(assertion.clientID.utf8)
        else { throw ClientAssertion.Refusal.unknownClient }
        guard client.revokedAt == nil else { throw ClientAssertion.Refusal.revokedClient }
        if let url = assertion.keyURL {
            guard let registered = client.jwksURL, Array(registered.utf8) == Array(url.utf8) else {
                throw ClientAssertion.Refusal.keyURL
            }
        }
        guard let key = await keys.key(of: client, id: assertion.keyID, for: assertion.algorithm) else {
            throw ClientAssertion.Refusal.noKey
        }
        guard key.verifies(assertion.signature, over: assertion.signingInput) else {
            throw ClientAssertion.Refusal.signature
        }
        let forgettable = (assertion.expires + ClientAssertion.skew + 1) * 1_000_000
        guard try await ledger.useOnce(issuer: client.id, jti: assertion.identifier, expires: forgettable) else {
            throw ClientAssertion.Refusal.replayed
        }
        return client
    }
}
