import Access
import Cryptography
import HTTPSupport
import Synchronization

/// Takes tokens of this server and of the configured outside ones. A token's `iss` only chooses among the configured servers:
/// nobody else's word makes this server dial anywhere.
///
/// What was found is kept for a minute at most, so that a key or a link that was withdrawn counts within it; what an
/// introspection found as long as its server is configured with.
package final class OutsideTokens: TokenVerifying {
    private struct Entry {
        var principal: Principal
        var scopes: [Scope]
        var patient: String?
        /// Who is meant; nil for a client by itself.
        var person: SignedInPerson?
        var issuer: String
        var identifier: String?
        /// Until when it need not be looked at again; microseconds since the epoch.
        var freshUntil: Int64
    }
    private struct State {
        var entries: [[UInt8]: Entry] = [:]
        /// Tokens that an introspection found inactive, until when.
        var inactive: [[UInt8]: Int64] = [:]
        /// When a server that did not answer is asked again.
        var downUntil: [String: Int64] = [:]
        var asking = 0
        var latest: Int64 = 0
    }
    /// The token can neither be taken nor refused now.
    struct Unknown: Error {
        /// Whether the other server has answered, and only not about this token.
        var isOfToken = false
    }

    private static let keptMicroseconds: Int64 = 60_000_000
    private static let inactiveMicroseconds: Int64 = 10_000_000
    private static let downMicroseconds: Int64 = 2_000_000
    private static let entriesMax = 10_000
    /// Introspections under way at once.
    private static let askingMax = 16

    private let own: any TokenVerifying
    private let servers: [OutsideServer]
    private let identities: any OutsideIdentityDirectory
    private let accounts: any AccountDirectory
    private let patients: any PatientIdentifiers
    private let outbound: any FormOutbound
    private let policy: AccessPolicy
    private let metadata: ProviderMetadataCache
    private let keys: KeySetCache
    private let strangers: StrangerThrottle
    private let queue = TokenQueue()
    private let now: @Sendable () -> Int64
    private let randomBytes: @Sendable (Int) -> [UInt8]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - own: takes this server's tokens.
    ///   - servers: at most one of which is asked.
    ///   - now: microseconds since the epoch.
    package init(
        own: any TokenVerifying, servers: [OutsideServer], identities: any OutsideIdentityDirectory,
        accounts: any AccountDirectory, patients: any PatientIdentifiers, outbound: any FormOutbound,
        policy: AccessPolicy = .standard, now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.own = own
        self.servers = servers
        self.identities = identities
        self.accounts = accounts
        self.patients = patients
        self.outbound = outbound
        self.policy = policy
        self.now = now
        self.randomBytes = randomBytes
        metadata = ProviderMetadataCache(outbound: outbound, now: now)
        keys = KeySetCache(outbound: outbound, now: now)
        var limits = StrangerLimits()
        limits.burst = 60
        limits.perMinute = 30
        strangers = StrangerThrottle(limits: limits, now: now)
    }

    // MARK: Verifying

    package func accessContext(
        bearerToken: String, requestID: String, sourceAddress: String?
    ) async throws -> AccessContext? {
        let own = try await own.accessContext(
            bearerToken: bearerToken, requestID: requestID, sourceAddress: sourceAddress)
        if let own { return own }
        let digest = SHA256.digest(bearerToken.utf8)
        if let known = remembered(digest) { return context(known, requestID, sourceAddress) }
        guard let server = server(of: bearerToken) else { return nil }
        let found: Entry?
        switch server.means {
        case .signature(let url, let algorithms, let lifetime):
            found = try await signed(bearerToken, server, at: url, algorithms, lifetime)
        case .introspection(let url, let client, let seconds):
            found = try await asked(bearerToken, digest, server, at: url, client, seconds, sourceAddress)
        }
        guard let found else { return nil }
        remember(digest, found)
        return context(found, requestID, sourceAddress)
    }

    package func rememberedContext(bearerToken: String, requestID: String, sourceAddress: String?) -> AccessContext? {
        if let own = own.rememberedContext(
            bearerToken: bearerToken, requestID: requestID, sourceAddress: sourceAddress)
        {
            return own
        }
        return remembered(SHA256.digest(bearerToken.utf8)).map { context($0, requestID, sourceAddress) }
    }

    /// The server that a token says it is from, or the one that is asked about what says nothing.
    private func server(of token: String) -> OutsideServer? {
        guard let claimed = IssuedToken.claimedIssuer(of: token) else { return servers.first(where: \.isAsked) }
        return servers.first { $0.issuer.utf8.elementsEqual(claimed.utf8) }
    }

    private func signed(
        _ text: String, _ server: OutsideServer, at url: String?, _ algorithms: [SignatureAlgorithm],
        _ lifetimeMax: Int64
    ) async throws -> Entry? {
        let time = now()
        guard let token = try? IssuedToken(text, algorithms: algorithms),
            let statement = try? server.statement(token, lifetimeMax: lifetimeMax, now: time / 1_000_000)
        else { return nil }
        var place = url
        if place == nil { place = await metadata.metadata(of: server.issuer)?.keySetURL }
        guard let place else { throw Unknown() }
        do { try await token.verify(keys, at: place) } catch {
            // While the keys cannot be had, nobody knows whether the token is good.
            if error == .noKey, await !keys.isAnswered(place) { throw Unknown() }
            return nil
        }
        return try await entry(statement, server, keptFor: Self.keptMicroseconds, at: time)
    }

    // MARK: Asking

    private func asked(
        _ text: String, _ digest: [UInt8], _ server: OutsideServer, at url: String?, _ client: OutsideClient,
        _ seconds: Int64, _ address: String?
    ) async throws -> Entry? {
        while true {
            if let known = remembered(digest) { return known }
            if isInactive(digest) { return nil }
            let key = StrangerThrottle.Key(address: address)
            guard strangers.wait(key) == nil, !isDown(server.issuer) else { throw Unknown() }
            // Requests with one token share a question.
            guard await queue.enter(digest) else { continue }
            let answer: Result<OutsideServer.Statement?, any Error>
            do { answer = .success(try await ask(text, server, at: url, client, seconds)) } catch {
                answer = .failure(error)
            }
            let time = now()
            switch answer {
            case .success(nil):
                note(inactive: digest, at: time)
                _ = strangers.refused(key)
            case .failure(let error as Unknown) where error.isOfToken: _ = strangers.refused(key)
            default: break
            }
            let found: Result<Entry?, any Error>
            do {
                guard let statement = try answer.get() else {
                    await queue.leave(digest)
                    return nil
                }
                found = .success(try await entry(statement, server, keptFor: seconds * 1_000_000, at: time))
            } catch { found = .failure(error) }
            switch found {
            case .success(let entry?): remember(digest, entry)
            case .success(nil): note(inactive: digest, at: time)
            case .failure: break
            }
            await queue.leave(digest)
            return try found.get()
        }
    }

    /// RFC 7662 §2.1. Throws ``Unknown`` where there is no answer that says anything.
    private func ask(
        _ text: String, _ server: OutsideServer, at url: String?, _ client: OutsideClient, _ seconds: Int64
    ) async throws -> OutsideServer.Statement? {
        guard beginAsking() else { throw Unknown() }
        defer { endAsking() }
        let told = await metadata(url, server)
        guard let place = url ?? told?.introspectionEndpoint else { throw Unknown() }
        let request = try client.request(
            [("token", text), ("token_type_hint", "access_token")], to: place,
            methods: told?.authenticationMethods, now: now() / 1_000_000, randomBytes: randomBytes)
        let response: OutboundResponse
        do { response = try await outbound.submit(request) } catch let error as CancellationError { throw error } catch
        {
            throw noteDown(server)
        }
        guard response.status < 500, response.status != 429 else { throw noteDown(server) }
        // A stranger's token that the server stumbles over keeps nobody else's from being asked about.
        guard response.status == 200, let answer = JOSEValue(object: response.body), case .boolean? = answer["active"]
        else { throw Unknown(isOfToken: true) }
        return server.statement(introspected: answer, keepSeconds: seconds, now: now() / 1_000_000)
    }

    private func noteDown(_ server: OutsideServer) -> Unknown {
        let until = now() + Self.downMicroseconds
        state.withLock { $0.downUntil[server.issuer] = until }
        return Unknown()
    }

    private func metadata(_ url: String?, _ server: OutsideServer) async -> ProviderMetadata? {
        url == nil ? await metadata.metadata(of: server.issuer) : nil
    }

    private func beginAsking() -> Bool {
        state.withLock { state in
            guard state.asking < Self.askingMax else { return false }
            state.asking += 1
            return true
        }
    }

    private func endAsking() { state.withLock { $0.asking -= 1 } }

    private func isDown(_ issuer: String) -> Bool {
        let time = now()
        return state.withLock { time < $0.downUntil[issuer] ?? 0 }
    }

    private func isInactive(_ digest: [UInt8]) -> Bool {
        let time = now()
        return state.withLock { time < $0.inactive[digest] ?? 0 }
    }

    private func note(inactive digest: [UInt8], at time: Int64) {
        state.withLock { state in
            state.entries[digest] = nil
            if state.inactive.count >= Self.entriesMax { state.inactive = state.inactive.filter { time < $0.value } }
            if state.inactive.count >= Self.entriesMax { state.inactive.removeAll() }
            state.inactive[digest] = time + Self.inactiveMicroseconds
        }
    }

    // MARK: Who that is here

    /// Nil for a person whose account is locked, and for a patient whom the linked person may not be given: a patient
    /// another one, an operator anybody. Throws the store's error.
    private func entry(
        _ statement: OutsideServer.Statement, _ server: OutsideServer, keptFor: Int64, at time: Int64
    ) async throws -> Entry? {
        let patient = try await patient(statement, server)
        let subject = statement.subject.flatMap { $0 == statement.clientID ? nil : $0 }
        var known: SignedInPerson?
        if let subject {
            guard let found = try await person(subject, statement, server) else { return nil }
            if found.isLinked, let patient, !found.person.mayBeGiven(patient: patient) { return nil }
            known = found.person
        }
        return Entry(
            principal: OutsidePrincipal.principal(
                issuer: server.issuer, subject: subject, clientID: statement.clientID),
            scopes: statement.scopes, patient: patient, person: known, issuer: server.issuer,
            identifier: statement.identifier, freshUntil: min(time + keptFor, statement.expires * 1_000_000))
    }

    private struct Person {
        var person: SignedInPerson
        var isLinked: Bool
    }

    /// The linked account's rights, or those of whom the token names; of who is neither none. Nil for a locked account.
    private func person(
        _ subject: String, _ statement: OutsideServer.Statement, _ server: OutsideServer
    ) async throws -> Person? {
        func person(
            _ role: SignedInPerson.Role, _ user: String?, _ patients: [String], account: String? = nil,
            isLinked: Bool
        ) -> Person {
            Person(
                person: SignedInPerson(
                    accountID: account ?? server.issuer + "|" + subject, role: role, displayName: subject,
                    fhirUser: user,
                    patientIDs: patients, sessionID: "", signedInAt: 0), isLinked: isLinked)
        }
        if let identity = try await identities.outsideIdentity(issuer: server.issuer, subject: subject) {
            guard let account = try await accounts.account(id: identity.accountID), account.state == .active else {
                return nil
            }
            return person(account.role, account.fhirUser, account.patientIDs, account: account.id, isLinked: true)
        }
        guard let told = server.person(statement.claims) else {
            return person(.operator, nil, [], isLinked: false)
        }
        return person(told.role, told.fhirUser, told.patientIDs, isLinked: false)
    }

    private func patient(_ statement: OutsideServer.Statement, _ server: OutsideServer) async throws -> String? {
        guard let told = server.patient(statement.claims) else { return nil }
        if let system = server.patientSystem { return try await patients.patientID(system: system, value: told) }
        return LaunchReference.isID(told) ? told : nil
    }

    // MARK: What is kept

    private func context(_ entry: Entry, _ requestID: String, _ address: String?) -> AccessContext {
        AccessContext(
            principal: entry.principal, scopes: entry.scopes, patient: entry.patient, reach: entry.person?.reach ?? [],
            // Whom the other server has launched the app for, it has shown to the person.
            practice: entry.person?.practice(launched: entry.patient.map { [$0] } ?? [], at: now(), policy),
            requestID: requestID, sourceAddress: address, tokenID: entry.identifier, issuer: entry.issuer)
    }

    /// The clock is never taken to go back.
    private func remembered(_ digest: [UInt8]) -> Entry? {
        let time = now()
        return state.withLock { state in
            state.latest = max(state.latest, time)
            guard let entry = state.entries[digest], state.latest < entry.freshUntil else { return nil }
            return entry
        }
    }

    private func remember(_ digest: [UInt8], _ entry: Entry) {
        let time = now()
        state.withLock { state in
            if state.entries.count >= Self.entriesMax {
                state.entries = state.entries.filter { time < $0.value.freshUntil }
                if state.entries.count >= Self.entriesMax { state.entries.removeAll() }
            }
            state.entries[digest] = entry
        }
    }
}

/// How outside people and clients are named here: with their issuer, so that nobody is taken for another's.
enum OutsidePrincipal {
    /// `issuer|subject|client`, or `issuer|client` for a client by itself. What is between the bars holds none.
    static func principal(issuer: String, subject: String?, clientID: String) -> Principal {
        let client = escaped(clientID)
        guard let subject else { return Principal(kind: .client, id: escaped(issuer) + "|" + client, name: clientID) }
        return .person(escaped(issuer) + "|" + escaped(subject), client: client, name: subject)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("|", with: "%7C")
    }
}

/// One question at a time for each token.
private actor TokenQueue {
    private var waiting: [[UInt8]: [CheckedContinuation<Void, Never>]] = [:]

    /// True for who is to ask; false, later, for who waited for the answer to another's question.
    func enter(_ digest: [UInt8]) async -> Bool {
        guard waiting[digest] != nil else {
            waiting[digest] = []
            return true
        }
        await withCheckedContinuation { waiting[digest]?.append($0) }
        return false
    }

    func leave(_ digest: [UInt8]) {
        for continuation in waiting.removeValue(forKey: digest) ?? [] { continuation.resume() }
    }
}
