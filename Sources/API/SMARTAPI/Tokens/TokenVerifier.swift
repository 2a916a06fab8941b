import Access
import Synchronization

/// Turns our own access tokens back into rights.
///
/// A verified token is remembered until it expires, so that a request costs a look-up and not a signature check.
/// Whether its client or its grant was revoked is asked again once this server has revoked anything, and after at most a
/// minute, for what commands beside it did. The clock is never taken to go back: an expired token stays expired.
package final class TokenVerifier: TokenVerifying {
    private struct Entry {
        var principal: Principal
        var token: AccessToken
        /// Nil for a client by itself.
        var grant: Grant?
        /// When the client and the grant were last known not to be revoked, in microseconds since the epoch.
        var checkedAt: Int64
        /// What ``revocations`` was before that was asked.
        var revocations: UInt64
    }
    private struct State {
        var entries: [String: Entry] = [:]
        var latest: Int64 = 0
    }

    /// How old the knowledge of a client may be, in microseconds.
    static let clientKnowledgeMax: Int64 = 60_000_000
    /// More tokens than this are not remembered; issuing is slower than forgetting, so only a flood comes near.
    static let entriesMax = 10_000

    private let keys: [ServerKey]
    private let issuer: String
    private let audience: String
    private let clients: any ClientDirectory
    private let authorizations: (any AuthorizationStore)?
    private let policy: AccessPolicy
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - keys: the signing key and those before it whose tokens may still live.
    ///   - issuer: as in ``TokenIssuer``; `audience` likewise.
    ///   - authorizations: what people have authorized; nil where no token comes of that.
    ///   - policy: what the site has decided on who sees what.
    ///   - now: microseconds since the epoch.
    package init(
        keys: [ServerKey], issuer: String, audience: String, clients: any ClientDirectory,
        authorizations: (any AuthorizationStore)? = nil, policy: AccessPolicy = .standard,
        now: @escaping @Sendable () -> Int64
    ) {
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
        self.clients = clients
        self.authorizations = authorizations
        self.policy = policy
        self.now = now
    }

    package func accessContext(
        bearerToken: String, requestID: String, sourceAddress: String?
    ) async throws -> AccessContext? {
        let (known, time) = remembered(bearerToken)
        if let known, isFresh(known, at: time) {
            return context(known, at: time, requestID: requestID, sourceAddress: sourceAddress)
        }
        guard let entry = try await entry(bearerToken, known: known?.token, at: time) else {
            forget(bearerToken)
            return nil
        }
        remember(bearerToken, entry, at: time)
        return context(entry, at: time, requestID: requestID, sourceAddress: sourceAddress)
    }

    /// What a token of ours says, with the grant that it came of; nil for one that does not work now. Throws when that
    /// cannot be told. Asks the store every time.
    func inspected(_ bearerToken: String) async throws -> (token: AccessToken, grant: Grant?)? {
        let (known, time) = remembered(bearerToken)
        return try await entry(bearerToken, known: known?.token, at: time).map { ($0.token, $0.grant) }
    }

    /// What a token of ours says, whether or not it has expired or was revoked.
    func claims(_ bearerToken: String) -> AccessToken? {
        AccessToken(bearerToken, keys: keys, issuer: issuer, audience: audience)
    }

    /// A client that was not revoked. Throws where the directory cannot be read: a revoked one must not come in through an
    /// outage.
    func activeClient(_ id: String) async throws -> Client? {
        guard let client = try await clients.client(id: id), client.revokedAt == nil else { return nil }
        return client
    }

    private func entry(_ bearerToken: String, known: AccessToken?, at time: Int64) async throws -> Entry? {
        guard let token = known ?? claims(bearerToken),
            token.expires * 1_000_000 > time, token.issuedAt * 1_000_000 <= time + 60_000_000
        else { return nil }
        let revocations = revocations
        guard let client = try await activeClient(token.clientID) else { return nil }
        var grant: Grant?
        if let id = token.grantID {
            grant = try await authorizations?.grant(id: id)
            guard let grant, grant.revokedAt == nil, grant.clientID == client.id, grant.accountID == token.subject
            else {
                return nil
            }
        }
        let principal = grant?.principal ?? Principal(kind: .client, id: client.id, name: client.name)
        return Entry(principal: principal, token: token, grant: grant, checkedAt: time, revocations: revocations)
    }

    package func rememberedContext(bearerToken: String, requestID: String, sourceAddress: String?) -> AccessContext? {
        let (known, time) = remembered(bearerToken)
        guard let known, isFresh(known, at: time) else { return nil }
        return context(known, at: time, requestID: requestID, sourceAddress: sourceAddress)
    }

    private func isFresh(_ entry: Entry, at time: Int64) -> Bool {
        time - entry.checkedAt <= TokenVerifier.clientKnowledgeMax && entry.revocations == revocations
    }

    private var revocations: UInt64 { authorizations?.revocations ?? 0 }

    private func context(
        _ entry: Entry, at time: Int64, requestID: String, sourceAddress: String?
    ) -> AccessContext {
        AccessContext(
            principal: entry.principal, scopes: entry.token.scopes, patient: entry.grant?.context.patient,
            reach: entry.grant?.reach ?? [], practice: entry.grant?.practice(at: time, policy), requestID: requestID,
            sourceAddress: sourceAddress, tokenID: entry.token.identifier)
    }

    /// What is remembered of a token that has not expired, and the time, which never goes back.
    private func remembered(_ token: String) -> (Entry?, Int64) {
        let time = now()
        return state.withLock { state in
            state.latest = max(state.latest, time)
            guard let entry = state.entries[token], entry.token.expires * 1_000_000 > state.latest else {
                return (nil, state.latest)
            }
            return (entry, state.latest)
        }
    }

    private func remember(_ token: String, _ entry: Entry, at time: Int64) {
        state.withLock { state in
            if state.entries.count >= TokenVerifier.entriesMax {
                state.entries = state.entries.filter { $0.value.token.expires * 1_000_000 > time }
                if state.entries.count >= TokenVerifier.entriesMax { state.entries.removeAll() }
            }
            state.entries[token] = entry
        }
    }

    private func forget(_ token: String) { state.withLock { _ = $0.entries.removeValue(forKey: token) } }
}
