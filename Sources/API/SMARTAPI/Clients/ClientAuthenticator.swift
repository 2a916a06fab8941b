import Access
import Synchronization

/// Believes a client assertion, or says why not.
package struct ClientAuthenticator: Sendable {
    private let clients: any ClientDirectory
    private let ledger: any AssertionLedger
    private let keys: KeySetCache
    private let tokenEndpoint: String
    private let now: @Sendable () -> Int64
    private let registered: RegisteredClients

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
        registered = RegisteredClients(clients, now: now)
    }

    /// Whether a client of this id is registered, as known within a minute.
    func isRegistered(_ id: String) async -> Bool { await registered.contains(id) }

    /// A registered client, also one that was revoked. Throws the store's error.
    func registered(_ id: String) async throws -> Client? {
        guard let client = try await clients.client(id: id), client.id.utf8.elementsEqual(id.utf8) else { return nil }
        return client
    }

    /// The client that signed an assertion. Throws ``ClientAssertion/Refusal``, and the store's error when the
    /// client or the ledger cannot be read.
    ///
    /// The id is noted last: only whoever holds the key can use one up.
    package func client(_ assertion: ClientAssertion) async throws -> Client {
        try await client(assertion, id: assertion.clientID, audience: tokenEndpoint)
    }

    /// The same of an assertion whose issuer stands for the client `id`, made for another of our URLs.
    func client(_ assertion: ClientAssertion, id: String, audience: String) async throws -> Client {
        try assertion.check(tokenEndpoint: audience, now: now() / 1_000_000)
        guard let client = try await clients.client(id: id), client.id.utf8.elementsEqual(id.utf8) else {
            throw ClientAssertion.Refusal.unknownClient
        }
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

/// The ids of the registered clients, read anew after a minute.
private final class RegisteredClients: Sendable {
    private static let microsecondsMax: Int64 = 60_000_000

    private let directory: any ClientDirectory
    private let now: @Sendable () -> Int64
    private let known = Mutex<(ids: Set<String>, readAt: Int64)?>(nil)

    init(_ directory: any ClientDirectory, now: @escaping @Sendable () -> Int64) {
        self.directory = directory
        self.now = now
    }

    func contains(_ id: String) async -> Bool {
        let time = now()
        if let known = known.withLock(\.self), time >= known.readAt, time - known.readAt < Self.microsecondsMax {
            return known.ids.contains(id)
        }
        // Where they cannot be read, nobody is registered: that is the door's harder judgement, and lasts a minute too.
        let ids = Set((try? await directory.clients())?.filter { $0.revokedAt == nil }.map(\.id) ?? [])
        known.withLock { $0 = (ids, time) }
        return ids.contains(id)
    }
}
